"""Counters in the table: exact, in windows of the clock, and without anybody's address in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import time_machine
from botocore.exceptions import ClientError
from pytest_django.fixtures import Settings

from inventory import counters, dynamodb
from inventory.models import Note
from tests.unit import wire

NOON = 1_795_867_200.0
WINDOW = 300
ADDRESS = "203.0.113.7"


@pytest.fixture(autouse=True)
def noon() -> object:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def add(who: str = ADDRESS, **more: int) -> int:
    return counters.add("test", who, seconds=WINDOW, **more)


def attempt(who: str = "alice", *, free: int = 2) -> float:
    """For how long a try is refused; 0 when it passes."""
    try:
        counters.attempt("test", who, free=free, seconds=86_400)
    except counters.Full as full:
        return full.wait_seconds
    return 0


def items() -> list[dict[str, object]]:
    return dynamodb.connection().client.scan(TableName=Note.Meta.table_name)["Items"]


# Counting


def test_a_counter_counts():
    assert [add(), add(by=3), add("198.51.100.1")] == [1, 4, 1]


def test_a_counter_takes_one_call():
    with wire.heard() as calls:
        add(below=5)

    assert [operation for operation, _ in calls] == ["UpdateItem"]


def test_a_counter_stops_where_it_must_and_says_for_how_long(noon: time_machine.Coordinates):
    noon.shift(100)
    assert [add(below=2), add(below=2)] == [1, 2]

    with pytest.raises(counters.Full) as caught:
        add(below=2)

    assert caught.value.wait_seconds == 200
    assert add() == 3  # What was refused was not counted.


def test_the_next_window_begins_with_nothing(noon: time_machine.Coordinates):
    add(by=7)
    noon.shift(WINDOW)

    assert add() == 1


def test_an_old_counter_goes_by_itself_and_a_live_one_never():
    add()

    (item,) = items()
    assert int(item["deleteAt"]["N"]) == NOON + 2 * WINDOW


def test_the_table_learns_nobodys_address(settings: Settings):
    add()
    (before,) = items()
    settings.SECRET_KEY = "another key of at least fifty characters, for a test"

    assert ADDRESS not in str(before)
    assert add() == 1  # Who does not have the key cannot say whose counter one is.


def test_what_else_the_database_says_stays_an_error():
    with wire.refusing("UpdateItem", "ValidationException"), pytest.raises(ClientError):
        add()


@pytest.mark.parametrize("ask", [add, attempt, lambda: counters.forget("test", "alice", seconds=WINDOW)])
def test_a_database_that_is_away_is_said_to_be(ask: Callable[[], object]):
    with (
        wire.losing_requests("UpdateItem"),
        wire.losing_requests("DeleteItem"),
        pytest.raises(dynamodb.Contention),
    ):
        ask()


# Tries that are followed by delays


def test_so_many_tries_are_free_and_then_one_after_each_delay(noon: time_machine.Coordinates):
    assert [attempt(), attempt(), attempt()] == [0, 0, 30]

    noon.shift(29)
    assert attempt() == 1
    noon.shift(1)
    assert [attempt(), attempt()] == [0, 60]
    noon.shift(60)
    assert [attempt(), attempt()] == [0, 120]


def test_no_delay_is_longer_than_an_hour(noon: time_machine.Coordinates):
    for _ in range(24):
        noon.shift(attempt())

    assert max(attempt() for _ in range(3)) == 3600


def test_what_was_refused_makes_no_delay_longer(noon: time_machine.Coordinates):
    assert [attempt() for _ in range(9)][-1] == 30
    noon.shift(30)

    assert attempt() == 0


def test_tries_count_for_whom_they_are_made_only():
    for _ in range(3):
        attempt("alice")

    assert (attempt("alice"), attempt("bob")) == (30, 0)


def test_whoever_was_right_begins_anew():
    for _ in range(3):
        attempt()
    counters.forget("test", "alice", seconds=86_400)

    assert [attempt(), attempt(), attempt()] == [0, 0, 30]


def test_the_one_try_after_a_delay_is_given_to_one(noon: time_machine.Coordinates):
    for _ in range(2):
        attempt()
    noon.shift(30)
    others: list[float] = []

    def be_faster(**_: object) -> None:
        if not others:
            others.append(-1)
            others[0] = attempt()

    emitter = dynamodb.connection().client.meta.events
    # Before our second write, so after we have read that it is time.
    emitter.register("after-call.dynamodb.GetItem", be_faster)
    try:
        ours = attempt()
    finally:
        emitter.unregister("after-call.dynamodb.GetItem", be_faster)

    assert (others, ours) == ([0], 60)


def test_a_counter_that_goes_while_it_is_looked_at_begins_anew():
    for _ in range(2):
        attempt()

    with wire.just_before("GetItem", lambda: counters.forget("test", "alice", seconds=86_400)):
        assert attempt() == 0

"""How often something may be tried, and what is said to whoever tries more often."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import time_machine
from django.utils import translation
from pytest_django.fixtures import Settings

from inventory import audit, limits
from inventory.errors import Busy, TooManyTries
from inventory.models import User
from tests.unit import wire

NOON = 1_795_867_200.0
HERE, THERE = "203.0.113.7", "198.51.100.1"
ALICE, BOB = "alice@example.com", "bob@example.com"


@pytest.fixture(autouse=True)
def noon(settings: Settings) -> Iterator[time_machine.Coordinates]:
    settings.LIMITS = True
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def passed(tries: int, take: Callable[[], object]) -> int:
    """How many of so many tries were let through."""
    count = 0
    for _ in range(tries):
        try:
            take()
        except TooManyTries:
            continue
        count += 1
    return count


def login(email: str = ALICE, address: str = HERE) -> Callable[[], None]:
    return partial(limits.login, email, address=address)


@pytest.mark.parametrize(
    ("take", "most"),
    [
        (partial(limits.registration, address=HERE), 20),
        (partial(limits.password_reset, address=HERE), 10),
        (partial(limits.checkout, address=HERE), 30),
        (login(), 5),
    ],
)
def test_so_many_pass_and_no_more(take: Callable[[], object], most: int):
    assert passed(most + 5, take) == most


def test_an_address_may_guess_at_thirty_accounts_in_a_quarter_of_an_hour(noon: time_machine.Coordinates):
    tries = [login(f"{number}@example.com") for number in range(40)]
    assert sum(passed(1, one) for one in tries) == 30

    noon.shift(900)

    assert passed(1, login("another@example.com")) == 1


def test_strangers_never_lock_an_owner_out():
    for number in range(30):
        passed(6, login(ALICE, f"198.51.100.{number}"))

    assert passed(1, login(ALICE, HERE)) == 1


def test_an_address_is_the_same_account_however_it_is_written():
    assert passed(5, login(ALICE)) == 5

    assert passed(1, login(" ALICE@Example.COM ")) == 0


def test_after_five_tries_there_is_one_after_each_delay(noon: time_machine.Coordinates):
    passed(6, login())
    noon.shift(30)
    assert passed(3, login()) == 1
    noon.shift(60)

    assert passed(3, login()) == 1


def test_whoever_gets_in_has_all_their_tries_again():
    passed(4, login())
    limits.logged_in(ALICE, address=HERE)

    assert passed(9, login()) == 5


def test_whoever_gets_in_is_in_even_where_that_cannot_be_written():
    passed(4, login())

    with wire.losing_requests("DeleteItem"):
        limits.logged_in(ALICE, address=HERE)

    assert passed(9, login()) == 1


def test_many_guesses_at_one_account_are_written_down_with_its_id_and_without_its_address(
    alice: User, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING, "inventory.limits"):
        for number in range(41):
            login(ALICE, f"198.51.100.{number}")()

    assert ["20 tries" in message or "40 tries" in message for message in caplog.messages] == [True, True]
    assert [f"account#{alice.id}" in message for message in caplog.messages] == [True, True]
    assert ALICE not in caplog.text


def test_many_guesses_at_an_address_without_an_account_name_nobody(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "inventory.limits"):
        for number in range(20):
            login(BOB, f"198.51.100.{number}")()

    assert ["no account" in message for message in caplog.messages] == [True]
    assert BOB not in caplog.text


# What is refused is in the audit log, and does not fill it


def told() -> list[tuple[str, str | None]]:
    return [(one.actor, one.target) for one in audit.look(group="login").entries if one.what == "login.limited"]


def test_guesses_that_are_refused_are_told_once_for_a_pair_in_a_quarter_of_an_hour(
    alice: User, noon: time_machine.Coordinates
):
    assert passed(9, login()) == passed(9, login(BOB)) == 5
    assert set(told()) == {("b…@example.com", "address#b…@example.com"), ("a…@example.com", f"account#{alice.id}")}
    assert len(told()) == 2

    noon.shift(900)
    assert passed(5, login()) == 1

    assert len(told()) == 3


def test_an_address_that_goes_through_accounts_is_told_of_once_in_a_quarter_of_an_hour(alice: User):
    for number in range(60):
        passed(1, login(f"{number}@example.com"))

    assert told() == [("3…@example.com", "address#3…@example.com")]


@pytest.mark.parametrize("email", [ALICE, BOB])
def test_a_refusal_takes_the_same_calls_for_known_and_unknown_addresses(alice: User, email: str):
    passed(5, login(email))

    with wire.heard() as heard:
        passed(1, login(email))

    assert [operation for operation, _ in heard] == [
        *("UpdateItem", "UpdateItem", "GetItem"),
        *("UpdateItem", "GetItem", "GetItem", "TransactWriteItems"),
    ]


def test_a_refusal_is_one_even_where_nobody_can_look_whose_account_it_is(alice: User):
    passed(5, login())

    with wire.failing("GetItem", nth=2):
        assert passed(1, login()) == 0

    assert told() == [("a…@example.com", "address#a…@example.com")]


def test_a_guess_passes_where_it_cannot_be_watched():
    with wire.failing("UpdateItem", nth=3):
        login()()


def test_somebodys_mailbox_is_not_filled_by_others(noon: time_machine.Coordinates):
    assert [limits.may_be_mailed(ALICE) for _ in range(5)] == [True, True, True, False, False]
    assert limits.may_be_mailed(BOB)

    noon.shift(3600)

    assert limits.may_be_mailed(ALICE)


@pytest.mark.parametrize(
    "take",
    [
        login(),
        partial(limits.registration, address=HERE),
        partial(limits.password_reset, address=HERE),
        partial(limits.may_be_mailed, ALICE),
    ],
)
def test_what_guards_a_secret_is_closed_while_the_table_is_away(take: Callable[[], object]):
    with wire.losing_requests("UpdateItem"), pytest.raises(Busy):
        take()


def test_selling_stays_open_while_the_table_is_away():
    with wire.losing_requests("UpdateItem"):
        limits.checkout(address=HERE)


def test_switched_off_they_let_everything_pass_and_ask_nobody(settings: Settings):
    settings.LIMITS = False

    with wire.heard() as calls:
        assert passed(99, login()) == 99
        assert passed(99, partial(limits.checkout, address=HERE)) == 99
        limits.logged_in(ALICE, address=HERE)

    assert calls == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "in a minute"), (60, "in a minute"), (61, "in 2 minutes"), (3600, "in 60 minutes")]
)
def test_it_is_said_when_to_come_back(seconds: float, words: str):
    with translation.override("en"):
        assert words in TooManyTries(seconds).sentence

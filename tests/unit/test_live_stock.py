"""Live stock of what is shown: one batch at the most, then for a moment nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from inventory import catalogue, live_stock, reservations
from inventory.models import Product
from tests.unit import wire

MakeProduct = Callable[..., Product]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass for what remembers live stock."""
    passed = [1000.0]
    monkeypatch.setattr(live_stock.time, "monotonic", lambda: passed[0])
    monkeypatch.setattr(live_stock, "_paused_until", float("-inf"))

    def let_pass(seconds: float) -> None:
        passed[0] += seconds

    return let_pass


def test_what_was_read_a_moment_ago_is_not_read_again(make_product: MakeProduct, clock: Callable[[float], None]):
    make_product(stock=3)
    live_stock.of(["prod-1"])
    Product("prod-1").update([Product.available.set(1)])
    clock(0.9)

    with wire.heard() as calls:
        soon = live_stock.of(["prod-1"])
    clock(0.2)

    assert (soon, calls) == ({"prod-1": 3}, [])
    assert live_stock.of(["prod-1"]) == {"prod-1": 1}


def test_one_batch_brings_all_and_those_that_are_due_soon(make_product: MakeProduct, clock: Callable[[float], None]):
    for number in range(4):
        make_product(id=f"p-{number}", stock=number)
    live_stock.of(["p-0", "p-1"])
    clock(1.1)
    live_stock.of(["p-0", "p-1"])
    clock(0.8)

    with wire.heard() as calls:
        found = live_stock.of(["p-2", "p-3"])

    assert found == {"p-2": 2, "p-3": 3}
    assert [name for name, _ in calls] == ["BatchGetItem"]
    clock(0.9)
    with wire.heard() as calls:
        assert live_stock.of(["p-0", "p-1"]) == {"p-0": 0, "p-1": 1}
    assert calls == []


def test_what_was_asked_for_once_is_not_paid_for_again(make_product: MakeProduct, clock: Callable[[float], None]):
    """Everybody searches for something else: what one page showed, the next need not know."""
    for number in range(2):
        make_product(id=f"p-{number}")
    live_stock.of(["p-0"])
    clock(0.8)

    with wire.heard() as calls:
        live_stock.of(["p-1"])

    ((_, params),) = calls
    assert params["RequestItems"][Product.Meta.table_name]["Keys"] == [{"id": {"S": "p-1"}}]


def test_what_no_page_shows_any_more_is_not_paid_for(make_product: MakeProduct, clock: Callable[[float], None]):
    """However often others are read: reading something along is no reason to read it along the next time."""
    for number in range(2):
        make_product(id=f"p-{number}")
    live_stock.of(["p-0"])
    clock(1.1)
    live_stock.of(["p-0"])
    clock(1.5)
    live_stock.of(["p-1"])
    clock(1.5)

    with wire.heard() as calls:
        live_stock.of(["p-1"])

    ((_, params),) = calls
    assert params["RequestItems"][Product.Meta.table_name]["Keys"] == [{"id": {"S": "p-1"}}]


def test_a_product_that_is_not_there_has_no_number(clock: Callable[[float], None]):
    assert live_stock.of(["nobody"]) == {"nobody": None}


def test_what_this_process_moves_is_read_anew(make_product: MakeProduct, clock: Callable[[float], None]):
    make_product(stock=3)
    live_stock.of(["prod-1"])

    reservations.reserve("alice", "prod-1", quantity=2)

    assert live_stock.of(["prod-1"]) == {"prod-1": 1}


def test_a_database_that_is_away_leaves_the_last_numbers_and_is_given_a_pause(
    make_product: MakeProduct, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
):
    make_product(stock=3)
    live_stock.of(["prod-1"])
    clock(5)
    with wire.failing("BatchGetItem", nth=1):
        during = live_stock.of(["prod-1", "other"])

    with wire.heard() as calls:
        again = live_stock.of(["prod-1", "other"])

    assert during == again == {"prod-1": 3}
    assert "Live stock could not be read" in caplog.text
    assert calls == []
    clock(live_stock.PAUSE_SECONDS + 0.1)
    assert live_stock.of(["prod-1", "other"]) == {"prod-1": 3, "other": None}


def test_an_error_of_our_own_is_not_hidden(clock: Callable[[float], None]):
    with wire.refusing("BatchGetItem", "ValidationException"), pytest.raises(Exception, match="ValidationException"):
        live_stock.of(["prod-1"])


def test_who_finds_another_asking_goes_on_with_the_last_numbers(
    make_product: MakeProduct, clock: Callable[[float], None]
):
    make_product(stock=3)
    live_stock.of(["prod-1"])
    clock(1.5)

    with live_stock._asking, wire.heard() as calls:
        shown = live_stock.of(["prod-1"])

    assert (shown, calls) == ({"prod-1": 3}, [])


def test_what_is_left_over_of_a_batch_is_read_next_time(make_product: MakeProduct, clock: Callable[[float], None]):
    make_product(id="a", stock=1)
    make_product(id="b", stock=2)

    with wire.answering("BatchGetItem", _without_b):
        first = live_stock.of(["a", "b"])

    assert first == {"a": 1}
    assert live_stock.of(["a", "b"]) == {"a": 1, "b": 2}


def _without_b(parsed: dict[str, object]) -> None:
    table = Product.Meta.table_name
    parsed["Responses"][table] = [raw for raw in parsed["Responses"][table] if raw["id"]["S"] != "b"]  # type: ignore[index]
    parsed["UnprocessedKeys"] = {table: {"Keys": [{"id": {"S": "b"}}]}}


def test_no_more_is_remembered_than_fits(make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live_stock, "_KEPT", 2)

    live_stock.of(["a", "b", "c"])

    assert set(live_stock._seen) == {"b", "c"}


def test_a_page_without_a_database_says_what_the_copy_knows(make_product: MakeProduct, clock: Callable[[float], None]):
    make_product(id="there")
    make_product(id="sold", stock=0)
    catalogue.search(query="nothing")
    live_stock.forget()

    with wire.failing("BatchGetItem", nth=1):
        available = catalogue.search().available

    assert available["there"] > 100
    assert available["sold"] == 0


class Forgetful(dict[str, live_stock._Seen]):
    """As the numbers are for one thread while another one sells: what was there is gone when it is asked for."""

    def __contains__(self, product_id: object) -> bool:
        return super().__contains__(product_id) and self.pop(str(product_id)) is not None

    def __iter__(self) -> Iterator[str]:
        known = list(super().__iter__())
        self.clear()
        return iter(known)


def test_a_number_that_is_forgotten_while_it_is_looked_up_is_no_error(
    make_product: MakeProduct, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
):
    make_product(stock=3)
    live_stock.of(["prod-1"])
    monkeypatch.setattr(live_stock, "_seen", Forgetful(live_stock._seen))

    assert live_stock.of(["prod-1"]) == {"prod-1": 3}


def test_a_number_that_is_forgotten_while_others_are_read_is_not_read_along(
    make_product: MakeProduct, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
):
    make_product(stock=3)
    make_product(id="prod-2", stock=4)
    live_stock.of(["prod-1"])
    clock(0.8)
    monkeypatch.setattr(live_stock, "_seen", Forgetful(live_stock._seen))

    assert live_stock.of(["prod-2"]) == {"prod-2": 4}

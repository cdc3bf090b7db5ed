"""An order's way from pending to delivered, or back."""

from __future__ import annotations

from typing import Any

import pytest

from inventory import checkout, clock, dynamodb, orders, reservations, stock
from inventory.errors import Busy, NotPossible
from inventory.models import Order, Product
from tests.unit.test_reservations import ALICE, BOB, lose_answer, numbers

__all__ = ["lose_answer"]


@pytest.fixture
def order(product: Product, contact: Any) -> Order:
    return buy(product, contact)


def buy(product: Product, contact: Any, owner: str = ALICE) -> Order:
    cart = reservations.reserve(owner, product.id, quantity=2)
    return checkout.place_order(owner, token=str(cart.order_id), contact=contact)


def walk(order: Order, *steps: str) -> Order:
    for step in steps:
        order = orders.advance(order, to=step, by="dana")
    return order


def test_an_order_goes_from_pending_to_delivered(order: Order) -> None:
    done = walk(order, "paid", "shipped", "delivered")

    assert [step.status for step in done.history] == ["pending", "paid", "shipped", "delivered"]
    assert done.next_steps == []
    assert numbers() == (8, 0, 8)


def test_shipping_keeps_the_tracking_number(order: Order) -> None:
    walk(order, "paid")

    shipped = orders.advance(order, to="shipped", by="dana", tracking="JD0141")

    assert (shipped.tracking, shipped.history[-1].note, shipped.history[-1].by) == ("JD0141", "JD0141", "dana")


@pytest.mark.parametrize("steps", [[], ["paid"]])
def test_cancelling_puts_the_units_back_once(order: Order, steps: list[str]) -> None:
    walk(order, *steps)

    cancelled = orders.cancel(order, by=ALICE, note="changed my mind")

    assert cancelled.status == "cancelled"
    assert cancelled.history[-1].note == "changed my mind"
    assert numbers() == (10, 0, 10)


def test_a_product_that_was_sold_out_is_in_stock_when_an_order_is_cancelled(order: Order) -> None:
    sold_out = stock.adjust("prod-1", by=-8, reason="damaged", note="", who="dana")

    orders.cancel(order, by=ALICE)

    (product,) = stock.products(["prod-1"])
    assert product.available == 2
    assert product.in_stock_since == product.availability_at > sold_out.availability_at


def test_cancelling_twice_puts_nothing_back_twice(order: Order) -> None:
    orders.cancel(order, by=ALICE)

    with pytest.raises(NotPossible):
        orders.cancel(order, by=ALICE)

    assert numbers() == (10, 0, 10)


def test_cancelling_writes_the_movement(order: Order) -> None:
    orders.cancel(order, by=ALICE)

    back = stock.movements("prod-1")[0]
    assert (back.kind, back.quantity, back.order_id, back.by) == ("returned", 2, order.id, ALICE)


@pytest.mark.parametrize(
    ("before", "step"),
    [
        ([], "shipped"),
        ([], "delivered"),
        ([], "pending"),
        ([], "nonsense"),
        (["paid"], "paid"),
        (["paid", "shipped"], "cancelled"),
        (["paid", "shipped", "delivered"], "cancelled"),
        (["cancelled"], "paid"),
    ],
)
def test_a_step_that_the_state_does_not_allow_changes_nothing(order: Order, before: list[str], step: str) -> None:
    as_it_was = walk(order, *before)

    with pytest.raises(NotPossible) as refused:
        orders.advance(order, to=step, by="dana")

    assert order.number in refused.value.sentence
    assert orders.find(order.id).status == as_it_was.status


def test_a_step_of_an_order_that_does_not_exist_is_refused() -> None:
    with pytest.raises(NotPossible):
        orders.advance(Order("nothing"), to="paid", by="dana")


def test_two_admins_take_a_step_once(order: Order, monkeypatch: Any) -> None:
    read = dynamodb.get

    def read_then_lose_the_race(*key: Any) -> Any:
        found = read(*key)
        monkeypatch.setattr(dynamodb, "get", read)
        orders.advance(order, to="paid", by="another")
        return found

    monkeypatch.setattr(dynamodb, "get", read_then_lose_the_race)

    with pytest.raises(NotPossible):
        orders.advance(order, to="paid", by="dana")

    assert [step.by for step in orders.find(order.id).history[1:]] == ["another"]


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_cancels_once(order: Order, lose_answer: Any, after: bool) -> None:
    lose_answer(after=after)

    cancelled = orders.cancel(order, by=ALICE)

    assert [step.status for step in cancelled.history] == ["pending", "cancelled"]
    assert numbers() == (10, 0, 10)


def test_cancelling_while_others_write_ends_in_busy(order: Order, monkeypatch: Any) -> None:
    def in_the_way(*_: Any) -> None:
        raise dynamodb.Contention

    monkeypatch.setattr(dynamodb.transaction, "__exit__", in_the_way)
    monkeypatch.setattr(dynamodb.time, "sleep", lambda seconds: None)

    with pytest.raises(Busy):
        orders.cancel(order, by=ALICE)


def test_orders_are_listed_for_their_owner_newest_first(product: Product, contact: Any) -> None:
    first, second = buy(product, contact), buy(product, contact)
    buy(product, contact, owner=BOB)

    found = orders.list_for(ALICE)

    assert [order.id for order in found] == [second.id, first.id]


def test_orders_are_listed_by_state_newest_first(product: Product, contact: Any) -> None:
    first, second, third = (buy(product, contact) for _ in range(3))
    walk(second, "paid")

    assert [order.id for order in orders.listing("pending").rows] == [third.id, first.id]
    assert [order.id for order in orders.listing().rows] == [third.id, second.id, first.id]
    assert len(orders.listing(limit=2).rows) == 2


def test_an_unknown_order_is_none() -> None:
    assert orders.find("nothing") is None
    assert orders.find("") is None


def test_an_order_knows_what_its_customer_may_do(order: Order) -> None:
    assert order.can_cancel
    assert str(order.status_label)
    assert not walk(order, "paid", "shipped").can_cancel


def test_two_people_at_one_moment_both_take_their_step(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)

    orders.advance(order, to="paid", by="dana")
    cancelled = orders.cancel(order, by=ALICE)

    assert cancelled.status == "cancelled"
    assert numbers() == (10, 0, 10)

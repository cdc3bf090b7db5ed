"""From a held cart to an order."""

from __future__ import annotations

import re
from typing import Any

import pytest

from inventory import baskets, catalogue, checkout, clock, dynamodb, orders, products, reservations, stock
from inventory.errors import Busy, CartChanged, CartEmpty, HoldExpired, Unsure
from inventory.models import Cart, Order, Product
from tests.unit import wire
from tests.unit.test_reservations import ALICE, BOB, lose_answer, numbers, reprice

__all__ = ["lose_answer"]


@pytest.fixture
def token(product: Product) -> str:
    """Alice holds two units; this is what her checkout page carries."""
    return str(reservations.reserve(ALICE, product.id, quantity=2).order_id)


def all_orders() -> list[orders.Row]:
    return list(orders.listing().rows)


def test_checkout_sells_what_the_cart_held(product: Product, token: str, contact: Any) -> None:
    order = checkout.place_order(ALICE, token=token, contact=contact)

    assert numbers() == (8, 0, 8)
    assert Cart.get(ALICE).lines == []
    assert (order.id, order.total_cents, order.status, order.units) == (token, 19998, "pending", 2)


def test_checkout_writes_down_who_gets_what_and_where(product: Product, token: str, contact: Any) -> None:
    checkout.place_order(ALICE, token=token, contact=contact)

    order = orders.find(token)
    assert (order.user_id, order.email) == (ALICE, "alice@example.com")
    assert (order.address.name, order.address.postal_code, order.address.country) == ("Alice Adler", "10115", "DE")
    assert [(step.status, step.by) for step in order.history] == [("pending", "alice@example.com")]


def test_checkout_writes_the_movement_of_each_line(product: Product, token: str, contact: Any) -> None:
    checkout.place_order(ALICE, token=token, contact=contact)

    sale, received = stock.movements(product.id)
    assert (sale.kind, sale.quantity, sale.order_id, sale.by) == ("sold", -2, token, ALICE)
    assert sale.quantity + received.quantity == numbers()[0]


def test_the_same_checkout_twice_gives_one_order(product: Product, token: str, contact: Any) -> None:
    first = checkout.place_order(ALICE, token=token, contact=contact)

    second = checkout.place_order(ALICE, token=token, contact=contact)

    assert first.id == second.id
    assert len(all_orders()) == 1
    assert numbers() == (8, 0, 8)


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_gives_one_order(
    product: Product, token: str, contact: Any, lose_answer: Any, after: bool
) -> None:
    lose_answer(after=after)

    order = checkout.place_order(ALICE, token=token, contact=contact)

    assert [found.id for found in all_orders()] == [order.id]
    assert numbers() == (8, 0, 8)


def test_a_token_replayed_beside_a_new_cart_gives_the_old_order(product: Product, token: str, contact: Any) -> None:
    first = checkout.place_order(ALICE, token=token, contact=contact)
    reservations.reserve(ALICE, product.id, quantity=1)

    again = checkout.place_order(ALICE, token=token, contact=contact)

    assert again.id == first.id
    assert numbers() == (8, 1, 7)


def test_a_token_of_somebody_elses_order_tells_nothing(product: Product, token: str, contact: Any) -> None:
    checkout.place_order(ALICE, token=token, contact=contact)

    with pytest.raises(CartEmpty):
        checkout.place_order(BOB, token=token, contact=contact)


@pytest.mark.parametrize("wrong", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_wrong_token_orders_nothing(product: Product, token: str, contact: Any, wrong: str) -> None:
    with pytest.raises(CartChanged):
        checkout.place_order(ALICE, token=wrong, contact=contact)

    assert all_orders() == []
    assert numbers() == (10, 2, 8)


def test_a_page_that_shows_an_older_cart_orders_nothing(product: Product, token: str, contact: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)

    with pytest.raises(CartChanged):
        checkout.place_order(ALICE, token=token, contact=contact)

    assert numbers() == (10, 3, 7)


def test_an_empty_cart_orders_nothing(contact: Any) -> None:
    with pytest.raises(CartEmpty):
        checkout.place_order(ALICE, token="", contact=contact)


def test_a_hold_that_ran_out_is_not_sold(product: Product, token: str, contact: Any, later: Any) -> None:
    later(minutes=121)

    with pytest.raises(HoldExpired):
        checkout.place_order(ALICE, token=token, contact=contact)

    assert all_orders() == []


def test_a_hold_that_runs_out_on_the_way_is_not_sold(
    product: Product, token: str, contact: Any, later: Any, monkeypatch: Any
) -> None:
    read = reservations.products_in

    def read_slowly(cart: Cart) -> Any:
        later(minutes=121)
        return read(cart)

    monkeypatch.setattr(reservations, "products_in", read_slowly)

    with pytest.raises(HoldExpired):
        checkout.place_order(ALICE, token=token, contact=contact)

    assert numbers() == (10, 2, 8)


def test_checkout_charges_the_price_that_was_seen(product: Product, token: str, contact: Any) -> None:
    reprice(product.id, 14999)

    order = checkout.place_order(ALICE, token=token, contact=contact)

    assert order.total_cents == 19998


def test_checkout_charges_a_lower_price(product: Product, token: str, contact: Any) -> None:
    reprice(product.id, 4999)

    order = checkout.place_order(ALICE, token=token, contact=contact)

    assert (order.total_cents, order.items[0].price_cents) == (9998, 4999)


def test_a_price_that_falls_on_the_way_is_charged(product: Product, token: str, contact: Any, monkeypatch: Any) -> None:
    read = reservations.products_in

    def read_before_the_price_falls(cart: Cart) -> Any:
        found = read(cart)
        monkeypatch.setattr(reservations, "products_in", read)
        reprice(product.id, 4999)
        return found

    monkeypatch.setattr(reservations, "products_in", read_before_the_price_falls)

    order = checkout.place_order(ALICE, token=token, contact=contact)

    assert order.total_cents == 9998


def test_an_archived_product_is_sold_to_whoever_holds_it(product: Product, token: str, contact: Any) -> None:
    products.archive(product.id, version=1)

    checkout.place_order(ALICE, token=token, contact=contact)

    assert numbers() == (8, 0, 8)


def test_checkout_sells_as_many_lines_as_a_cart_may_have(make_product: Any, contact: Any, settings: Any) -> None:
    for number in range(settings.CART_MAX_LINES):
        make_product(id=f"prod-{number}", stock=1)
        cart = reservations.reserve(ALICE, f"prod-{number}", quantity=1)

    order = checkout.place_order(ALICE, token=cart.order_id, contact=contact)

    assert len(order.items) == 40
    assert {catalogue.find(line.product_id).stock for line in order.items} == {0}


def test_checkout_gives_up_as_busy_while_others_write(
    product: Product, token: str, contact: Any, monkeypatch: Any
) -> None:
    def always_in_the_way(*_: Any) -> None:
        raise dynamodb.Contention

    monkeypatch.setattr(checkout, "_sell", always_in_the_way)
    monkeypatch.setattr(dynamodb.time, "sleep", lambda seconds: None)

    with pytest.raises(Busy):
        checkout.place_order(ALICE, token=token, contact=contact)


def test_an_order_number_can_be_read_out() -> None:
    number = checkout.order_number("6e2fb4a0-3d6e-4c53-9df0-0a4c2ac6a3b1")

    assert re.fullmatch(r"EK-[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", number)
    assert number == checkout.order_number("6e2fb4a0-3d6e-4c53-9df0-0a4c2ac6a3b1")


def test_the_order_is_dated_now(product: Product, token: str, contact: Any) -> None:
    order = checkout.place_order(ALICE, token=token, contact=contact)

    assert abs((clock.now() - order.created_at).total_seconds()) < 5


def test_nobody_is_charged_more_than_the_page_showed(product: Product, token: str, contact: Any) -> None:
    reprice(product.id, 4999)
    shown = baskets.look(ALICE)
    reprice(product.id, 14999)

    order = checkout.place_order(ALICE, token=shown.token, contact=contact)

    assert order.total_cents == shown.total_cents == 9998


def test_a_page_from_before_a_lower_price_was_shown_orders_nothing(product: Product, token: str, contact: Any) -> None:
    reprice(product.id, 4999)
    baskets.look(ALICE)

    with pytest.raises(CartChanged):
        checkout.place_order(ALICE, token=token, contact=contact)


def test_a_late_answer_is_looked_up_even_when_the_time_is_up(
    product: Product, token: str, contact: Any, lose_answer: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(dynamodb, "RETRY_SECONDS", 0)
    lose_answer(after=True)

    assert checkout.place_order(ALICE, token=token, contact=contact).id == token


def test_whoever_cannot_be_told_is_not_told_that_nothing_happened(
    product: Product, token: str, contact: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(dynamodb, "RETRY_SECONDS", 0)

    with wire.losing_requests(times=2), pytest.raises(Unsure):
        checkout.place_order(ALICE, token=token, contact=contact)


# What each condition of a sale is there for


def test_a_line_that_is_added_as_the_cart_is_ordered_is_not_lost(product: Product, token: str, contact: Any) -> None:
    with (
        wire.just_before("TransactWriteItems", lambda: reservations.reserve(ALICE, product.id, quantity=1)),
        pytest.raises(CartChanged),
    ):
        checkout.place_order(ALICE, token=token, contact=contact)

    assert numbers() == (10, 3, 7)
    assert all_orders() == []


def test_what_was_not_reserved_is_not_sold(product: Product, token: str, contact: Any, pauses: list[float]) -> None:
    Product(product.id).update([Product.reserved.set(1)])  # As it must never be.

    with pytest.raises(Busy):
        checkout.place_order(ALICE, token=token, contact=contact)

    assert numbers() == (10, 1, 8)
    assert all_orders() == []


def test_checkout_sells_no_unit_that_there_is_not(
    product: Product, token: str, contact: Any, pauses: list[float]
) -> None:
    Product(product.id).update([Product.stock.set(1)])  # As it must never be: less than is reserved.

    with pytest.raises(Busy):
        checkout.place_order(ALICE, token=token, contact=contact)

    assert numbers() == (1, 2, 8)
    assert all_orders() == []


def test_no_order_is_written_over_another(product: Product, token: str, contact: Any, pauses: list[float]) -> None:
    Order(token, user_id=BOB).save()  # As it must never be: the cart of an order is emptied with it.

    with pytest.raises(Busy):
        checkout.place_order(ALICE, token=token, contact=contact)

    assert [orders.find(order.id).user_id for order in all_orders()] == [BOB]
    assert numbers() == (10, 2, 8)

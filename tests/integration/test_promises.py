"""That the promises are really looked at: each way to break one is found."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from inventory import checkout, orders, reservations
from inventory.models import Cart, Movement, Order, Product
from tests.proofs import promises


@pytest.fixture
def traded(make_product: Callable[..., Product], contact: checkout.Contact) -> tuple[Product, Order]:
    """A product of which some units are held, some are sold, and some came back."""
    product = make_product(stock=20)
    sold, cancelled = (_buy(product, contact) for _ in range(2))
    orders.cancel(cancelled, by="Dana")
    reservations.reserve(f"guest-{uuid.uuid4().hex}", product.id, quantity=3)
    return product, sold


def _buy(product: Product, contact: checkout.Contact) -> Order:
    buyer = f"guest-{uuid.uuid4().hex}"
    cart = reservations.reserve(buyer, product.id, quantity=2)
    return checkout.place_order(buyer, token=cart.order_id or "", contact=contact)


def test_a_shop_that_keeps_its_promises_breaks_none(traded: tuple[Product, Order]) -> None:
    product, _ = traded

    assert promises.broken([product.id, "no such product"]) == []


@pytest.mark.parametrize(
    ("attribute", "by", "says"),
    [("available", 1, "is not available"), ("reserved", -4, "-1 reserved"), ("stock", 1, "add up to")],
)
def test_a_wrong_number_is_found(traded: tuple[Product, Order], attribute: str, by: int, says: str) -> None:
    product, _ = traded

    product.update([getattr(Product, attribute).add(by)])

    assert says in " ".join(promises.broken([product.id]))


def test_a_unit_that_two_carts_hold_is_found(traded: tuple[Product, Order]) -> None:
    product, _ = traded
    (cart,) = [cart for cart in Cart.scan(consistent_read=True) if product.id in cart.held]

    Cart("guest-double", lines=cart.lines, hold=cart.hold, version=1).save()

    assert "but carts hold 6" in " ".join(promises.broken([product.id]))
    assert "held without an end by ['guest-double']" in " ".join(promises.broken([product.id]))


def test_a_sale_without_its_order_is_found(traded: tuple[Product, Order]) -> None:
    product, sold = traded

    sold.delete()

    assert promises.broken([product.id]) == [f"{product.id}: order {sold.id} has 0, but 2 were sold to it"]


def test_units_that_come_back_twice_are_found(traded: tuple[Product, Order]) -> None:
    product, sold = traded

    Movement.of(product.id, "returned", quantity=2, by="Dana", order_id=sold.id).save()

    assert f"2 came back from order {sold.id}, not 0" in " ".join(promises.broken([product.id]))


def test_a_product_that_is_gone_but_was_sold_is_found(traded: tuple[Product, Order]) -> None:
    product, _ = traded

    product.delete()

    assert promises.broken([product.id]) == [f"{product.id}: gone"]

"""What each step of a purchase asks of DynamoDB, and what that costs. One part of the report on purchases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from benchmarks import goods, meter, units
from inventory import checkout, clock, orders, reservations
from inventory.models import Cart, Order, Product

LINES = (1, 3, 40)
_LATER = timedelta(hours=3)


def measure(*, full: bool) -> dict[str, Any]:
    """Every step once: counting needs no repetition. The size does not matter here."""
    del full
    shelf = [product.id for product in goods.stocked()]
    steps = [*_adding(shelf), *_changing(shelf), *_ordering(shelf), *_expiring(shelf), *_pages(shelf)]
    return {"steps": [{"name": name, **asdict(bill)} for name, bill in steps], "sizes": _sizes(shelf)}


Step = tuple[str, meter.Bill]


def _adding(shelf: list[str]) -> Iterator[Step]:
    yield "add to cart, a new cart", billed(lambda: reservations.reserve(goods.owner(), shelf[0], quantity=1))
    for count in (1, 3, 39):
        cart = filled(shelf[:count])
        step = billed(lambda cart=cart, count=count: reservations.reserve(cart.user_id, shelf[count], quantity=1))
        yield f"add to cart, beside {lines(count)}", step
    for count in (1, 3, 39):
        cart = lapsed(shelf[:count])
        step = billed(lambda cart=cart, count=count: reservations.reserve(cart.user_id, shelf[count], quantity=1))
        yield f"add to cart, beside {lines(count)} whose hold is over", step


def _changing(shelf: list[str]) -> Iterator[Step]:
    cart = filled(shelf[:3])
    yield "change a quantity", billed(lambda: reservations.change(cart.user_id, shelf[0], quantity=2))
    yield "remove a line of three", billed(lambda: reservations.remove(cart.user_id, shelf[0]))
    yield "extend the hold, 2 lines", billed(lambda: reservations.extend(cart.user_id))
    for count in LINES:
        old = lapsed(shelf[:count])
        yield f"reserve again, {lines(count)}", billed(lambda old=old: reservations.renew(old.user_id))
    guest, own = filled(shelf[:2]), filled(shelf[2:4])
    yield "log in with a cart, 2 lines each", billed(lambda: reservations.join(guest.user_id, own.user_id))


def _ordering(shelf: list[str]) -> Iterator[Step]:
    for count in LINES:
        cart = filled(shelf[:count])
        yield f"checkout, {lines(count)}", billed(lambda cart=cart: order(cart))
    yield "the same checkout again", billed(lambda cart=cart: order(cart))
    for count in LINES:
        placed = order(filled(shelf[:count]))
        yield f"cancel an order, {lines(count)}", billed(lambda placed=placed: orders.cancel(placed, by="customer"))


def _expiring(shelf: list[str]) -> Iterator[Step]:
    for count in LINES:
        with hours_later():
            reservations.release_expired()
        filled(shelf[:count])
        with hours_later():
            yield f"sweep that releases one cart, {lines(count)}", billed(reservations.release_expired)
    yield "sweep that finds nothing", billed(reservations.release_expired)


def _pages(shelf: list[str]) -> Iterator[Step]:
    """A guest buys three products through the shop's own addresses."""
    visitor = Client()
    visitor.get("/products/")  # The copy of the catalogue, which a process reads once and keeps.
    yield "product page", billed(lambda: _seen(visitor.get(f"/products/{shelf[0]}/")))
    for number in range(3):
        visitor.post("/cart/add/", {"product_id": shelf[number], "quantity": 1})
    yield "cart page, 3 lines", billed(lambda: _seen(visitor.get("/cart/")))
    yield "checkout page, 3 lines", billed(lambda: _seen(visitor.get("/checkout/")))
    cart = reservations.find(visitor.session["guest_id"])
    form = {**vars(goods.CONTACT), "checkout_token": cart.order_id if cart else ""}
    address = visitor.post("/checkout/", form)["Location"]
    yield "order page, 3 lines", billed(lambda: _seen(visitor.get(address)))


def _seen(response: Any) -> None:
    if response.status_code != 200:
        raise ValueError(f"A page was to be measured, and its answer was {response.status_code}.")


def _sizes(shelf: list[str]) -> dict[str, Any]:
    """Bytes of what a purchase writes, by the rules of ``units``."""
    products = [_stored(Product(product_id)) for product_id in shelf[:31]]
    carts = {count: _stored(filled(shelf[:count])) for count in LINES}
    placed = {count: _stored(order(filled(shelf[:count]))) for count in LINES}
    return {
        "products": sorted(map(units.size, products)),
        "cart": {str(count): units.size(item) for count, item in carts.items()},
        "order": {str(count): units.size(item) for count, item in placed.items()},
    }


def _stored(model: Product | Cart | Order) -> units.Item:
    key = {"userId": {"S": model.user_id}} if isinstance(model, Cart) else {"id": {"S": model.id}}
    item: units.Item = meter.eye().get_item(TableName=model.Meta.table_name, Key=key)["Item"]
    return item


# Carts in the states that are measured


def billed(step: Callable[[], object]) -> meter.Bill:
    with meter.metered() as bill:
        step()
    return bill


def lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def filled(product_ids: list[str]) -> Cart:
    """A new guest's cart that holds one of each."""
    owner_id = goods.owner()
    for product_id in product_ids:
        cart = reservations.reserve(owner_id, product_id, quantity=1)
    return cart


def lapsed(product_ids: list[str]) -> Cart:
    """A cart whose hold is over and was swept away."""
    cart = filled(product_ids)
    with hours_later():
        reservations.expire(cart)
    return cart


def order(cart: Cart) -> Order:
    return checkout.place_order(cart.user_id, token=cart.order_id or "", contact=goods.CONTACT)


@contextmanager
def hours_later() -> Iterator[None]:
    """The clock three hours on: every hold that is there now is over."""
    real = clock.now

    def moved() -> datetime:
        return real() + _LATER

    clock.now = moved
    try:
        yield
    finally:
        clock.now = real

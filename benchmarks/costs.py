"""What each step of a purchase asks of DynamoDB, and what that costs. One part of the report on purchases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.test import Client

from benchmarks import goods, meter, units
from benchmarks.pages import lines
from inventory import catalogue, checkout, clock, orders, reservations
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
    yield "add to cart, a new cart", billed(partial(reservations.reserve, goods.owner(), shelf[0], quantity=1))
    for prepared, state in ((filled, ""), (lapsed, " whose hold is over")):
        for count in (1, 3, 39):
            cart = prepared(shelf[:count])
            bill = billed(partial(reservations.reserve, cart.user_id, shelf[count], quantity=1))
            yield f"add to cart, beside {lines(count)}{state}", bill


def _changing(shelf: list[str]) -> Iterator[Step]:
    cart = filled(shelf[:3])
    yield "change a quantity", billed(partial(reservations.change, cart.user_id, shelf[0], quantity=2))
    yield "remove a line of three", billed(partial(reservations.remove, cart.user_id, shelf[0]))
    yield "extend the hold, 2 lines", billed(partial(reservations.extend, cart.user_id))
    for count in LINES:
        old = lapsed(shelf[:count])
        yield f"reserve again, {lines(count)}", billed(partial(reservations.renew, old.user_id))
    guest, own = filled(shelf[:2]), filled(shelf[2:4])
    yield "log in with a cart, 2 lines each", billed(partial(reservations.join, guest.user_id, own.user_id))


def _ordering(shelf: list[str]) -> Iterator[Step]:
    for count in LINES:
        cart = filled(shelf[:count])
        yield f"checkout, {lines(count)}", billed(partial(order, cart))
    yield "the same checkout again", billed(partial(order, cart))
    for count in LINES:
        placed = order(filled(shelf[:count]))
        yield f"cancel an order, {lines(count)}", billed(partial(orders.cancel, placed, by="customer"))


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
    # Every process reads the catalogue anew every two seconds, whoever buys: that is nobody's purchase.
    visitor = Visitor()
    visitor.sees("/products/")
    catalogue.FRESH_SECONDS = float("inf")
    yield "product page", billed(lambda: visitor.sees(f"/products/{shelf[0]}/"))
    for product_id in shelf[:3]:
        visitor.adds(product_id)
    yield "cart page, 3 lines", billed(lambda: visitor.sees("/cart/"))
    yield "checkout page, 3 lines", billed(lambda: visitor.sees("/checkout/"))
    address = visitor.orders()
    yield "order page, 3 lines", billed(lambda: visitor.sees(address))
    yield "a guest buys 3 products: every page and form", billed(lambda: _purchase(shelf[:3]))


def _purchase(product_ids: list[str]) -> None:
    visitor = Visitor()
    for product_id in product_ids:
        visitor.sees(f"/products/{product_id}/")
        visitor.adds(product_id)
        visitor.sees("/cart/")
    visitor.sees("/checkout/")
    visitor.sees(visitor.orders())


class Visitor:
    """Somebody with a browser. Every page that they see has to be there."""

    def __init__(self) -> None:
        self._browser = Client()

    def sees(self, address: str) -> None:
        self._expect(self._browser.get(address), 200)

    def adds(self, product_id: str) -> None:
        self._expect(self._browser.post("/cart/add/", {"product_id": product_id, "quantity": 1}), 302)

    def orders(self) -> str:
        """Order what is in the cart; gives the order's address. The token is read unseen: it stands on the page."""
        guest_id = self._browser.session["guest_id"]
        item = meter.eye().get_item(TableName=Cart.Meta.table_name, Key={"userId": {"S": guest_id}})["Item"]
        form = {**vars(goods.CONTACT), "checkout_token": item["orderId"]["S"]}
        address: str = self._expect(self._browser.post("/checkout/", form), 302)["Location"]
        return address

    def _expect(self, response: Any, status: int) -> Any:
        if response.status_code != status:
            raise ValueError(f"{response.request['PATH_INFO']} answered {response.status_code}.")
        return response


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

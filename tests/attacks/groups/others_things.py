"""Orders, carts and drafts by their ids, for whoever they do not belong to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from inventory import orders, reservations
from shop import order_keys
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Browser

TITLE = "Other people's things"


def attack(how_many: int) -> Cases:
    product = people.a_product()
    alice, bob = people.a_customer("Alice"), people.a_customer("Bob")
    guest_id, _ = people.a_guest()
    things = {
        "an account's order": people.an_order(alice.id, product),
        "a guest's order": people.an_order(guest_id, product),
    }
    others = {
        "a stranger": Browser(), "another customer": people.browser_of(bob), "another guest": people.a_guest()[1],
    }  # fmt: skip
    own = order_keys.make(people.an_order(bob.id, product).id)
    for what, order in things.items():
        right = order_keys.make(order.id)
        keys = ["", own, order.id, f"{order.id}:", right[:-1], right + "x", right.swapcase(), right.replace(":", "%3A", 1), f"{own}&key={right[:-2]}",
                order_keys.make(order.id.upper()), order_keys.make(f" {order.id}"), f"{order.id}:{own.partition(':')[2]}"]  # fmt: skip
        for who, browser in others.items():
            for number, key in enumerate(keys):
                seen = browser.get(f"/orders/{order.id}/", key=key)
                cancelled = browser.post(f"/orders/{order.id}/cancel/", {"key": key})
                statuses = (seen.status, cancelled.status)
                still = orders.find(order.id)
                hole = "" if statuses == (404, 404) else f"answered {statuses}"
                yield (
                    f"{who} with key {number} opens {what}",
                    hole or ("" if still and still.status == "pending" else "cancelled"),
                )
            listed = browser.get("/orders/").text + browser.get("/account/").text
            yield f"{who} looks for {what} in the lists", "found" if order.number in listed else ""
    yield from _carts(product.id, bob.id, others)
    yield from _panel(things["an account's order"].id, product.id, {**others, "the owner": people.browser_of(alice)})
    draft = people.a_product(status="draft")
    for who, browser in others.items():
        yield f"{who} opens a draft", "" if browser.get(f"/products/{draft.id}/").status == 404 else "seen"
        browser.post("/cart/add/", {"product_id": draft.id, "quantity": "1"})
        yield f"{who} buys a draft", "bought" if draft.id in browser.get("/cart/").text else ""


def _carts(product_id: str, owner_id: str, others: dict[str, Browser]) -> Cases:
    """A cart goes by its owner's session alone: no field of a form names another."""
    reservations.reserve(owner_id, product_id, quantity=2)
    for who in ("a stranger", "another guest"):
        for path in ("/cart/update/", "/cart/remove/", "/cart/extend/", "/cart/reserve/"):
            for name in ("user_id", "userId", "owner_id", "cart_owner", "guest_id", "account_id"):
                others[who].post(path, {"product_id": product_id, "quantity": "5", name: owner_id})
                cart = reservations.find(owner_id)
                yield f"{who} at {path} as {name}", "" if cart and cart.units == 2 else "the cart has changed"


def _panel(order_id: str, product_id: str, browsers: dict[str, Browser]) -> Cases:
    before = people.everything()
    for path, form in {
        f"/admin/orders/{order_id}/status/": {"status": "paid"},
        f"/admin/stock/{product_id}/": {"change": "5", "reason": "received"},
        f"/admin/products/{product_id}/archive/": {"version": "1"},
    }.items():
        for who, browser in browsers.items():
            status = browser.post(path, form).status
            yield (
                f"{who} posts to {path}",
                "" if status in {302, 403} and people.everything() == before else f"answered {status}",
            )


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that finds an order by its id alone."""
    with mock.patch("shop.views.orders._get_or_404", lambda _request, order_id, *, key: orders.find(order_id)):
        yield

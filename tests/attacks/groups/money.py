"""Prices and quantities that the shop never offered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django import forms

from inventory import lines, orders, reservations
from inventory.models import Product
from tests.attacks import people
from tests.attacks.groups import Cases

TITLE = "Money and quantities"

QUANTITIES = (
    "-1", "0", "-0", "-99", "100", "1000", "99999999999999999999", "9" * 5_000, "1.5", "1,5", "1e3", "0x1", "NaN", "Infinity", "-Infinity",
    "null", "[]", "", " ", "1 1", "1\x002", "²", "½", "+ 1", "--1", "1;2", "1 OR 1=1", "{'N': '1'}",
)  # fmt: skip
NAMES = (
    "price",
    "price_cents",
    "total",
    "total_cents",
    "totalAmount",
    "unit_price",
    "discount",
    "voucher",
    "shipping",
    "amount",
    "currency",
    "vat",
)
VALUES = ("0", "0.01", "-100", "1e-9")


def attack(how_many: int) -> Cases:
    product = people.a_product(units=90)
    for quantity in QUANTITIES:
        for path in ("/cart/add/", "/cart/update/"):
            guest_id, browser = people.a_guest()
            reservations.reserve(guest_id, product.id, quantity=1)
            answer = browser.post(path, {"product_id": product.id, "quantity": quantity})
            cart = reservations.find(guest_id)
            units = cart.units if cart else 0
            may_be = {1, 0} if quantity in {"0", "-0"} and path == "/cart/update/" else {1}
            yield (
                f"{quantity[:30]!r} units at {path}",
                "" if units in may_be and answer.status < 500 else f"{units} units",
            )
            reservations.remove(guest_id, product.id)
    for name in NAMES:
        for value in VALUES:
            yield f"{name}={value} all the way to the order", _bought(product, {name: value})


def _bought(product: Product, planted: dict[str, str]) -> str:
    """Buy one with a field too many in every form; gives what is wrong with the order."""
    browser = people.a_guest()[1]
    browser.post("/cart/add/", {"product_id": product.id, "quantity": "1", **planted})
    token = browser.get("/checkout/").hidden("checkout_token")
    contact = {
        "name": "A",
        "email": "a@example.com",
        "street": "S 1",
        "postal_code": "10115",
        "city": "B",
        "country": "DE",
    }
    browser.post("/checkout/", {**contact, "checkout_token": token, **planted})
    order = orders.find(token)
    if order is None:
        return "there is no order"
    return "" if order.total_cents == product.price_cents else f"it costs {order.total_cents} cents"


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that takes any number, and a price from whoever names one."""
    from shop.forms import AddToCartForm

    of_product = lines.of_product
    named: dict[str, int] = {}

    def clean(self: AddToCartForm) -> object:
        named["cents"] = 1 if "price" in self.data else 0
        return self.cleaned_data

    def at_a_price(product: Product, *, quantity: int, price_cents: int) -> object:
        return of_product(product, quantity=quantity, price_cents=named.get("cents") or price_cents)

    limits = forms.IntegerField(required=True)
    with (
        mock.patch.dict(AddToCartForm.base_fields, {"quantity": limits}),
        mock.patch.object(AddToCartForm, "clean", clean),
        mock.patch.object(lines, "of_product", at_a_price),
    ):
        yield

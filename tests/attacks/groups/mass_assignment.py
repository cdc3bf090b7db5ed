"""Every form with a field for everything that is stored, in the hope that it is taken over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django.urls import reverse
from pynamodb.attributes import Attribute

from inventory import accounts, reservations
from inventory.models import tables
from tests.attacks import people
from tests.attacks.fuzzing.addresses import Address, all_addresses
from tests.attacks.groups import Cases
from tests.attacks.web import Browser

TITLE = "Mass assignment"
#: Nothing that is written says this by itself.
PLANTED = "77777777"


def attack(how_many: int) -> Cases:
    product = people.a_product(units=400)
    customer = people.a_customer()
    order = people.an_order(customer.id, product)
    known = {"product_id": product.id, "order_id": order.id, "slug": "imprint", "digest": "any", "note_id": "x"}
    known["account_id"] = customer.id
    stored = sorted(_names())
    for address in all_addresses():
        path = reverse(address.name, kwargs={one: known.get(one, "unknown") for one in address.arguments})
        # Each its own: one of the addresses deletes an account.
        admin = people.an_admin()
        for who, browser in {"a guest": people.a_guest()[1], "an admin": people.browser_of(admin)}.items():
            form = _filled(address, browser, known, admin.id)
            planted = {name: PLANTED for name in stored if name not in address.fields}
            browser.post(path, list((form | planted).items())[:95])
            browser.post(path, list((planted | form).items())[-95:])
            taken = [item for item in people.everything() if PLANTED in item]
            yield f"{who} at {address.name}", f"{taken[0][:300]}" if taken else ""


def _names() -> Iterator[str]:
    """Of all that is stored: its name in Python and in the table."""
    for model in tables():
        for name, attribute in model.get_attributes().items():
            assert isinstance(attribute, Attribute)
            yield from (name, attribute.attr_name)


def _filled(address: Address, browser: Browser, known: dict[str, str], owner_id: str) -> dict[str, str]:
    reservations.remove(owner_id, known["product_id"])
    cart = reservations.reserve(owner_id, known["product_id"], quantity=1)
    right = known | {
        "quantity": "1", "change": "1", "reason": "received", "status": "active", "version": "1", "language": "en",
        "checkout_token": str(cart.order_id), "name": "Name", "email": f"new-{cart.version}-{address.name.replace(':', '-')}@example.com",
        "password": people.PASSWORD, "password_again": people.PASSWORD, "street": "Weg 1", "postal_code": "10115", "city": "Berlin",
        "country": "DE", "price": "1,00", "description": "Gut.", "category": "shoes", "low_stock_at": "1",
        "deed": "disable", "seen": "0", "month": "2026-10",
    }  # fmt: skip
    if address.name == "adminpanel:order-status":
        right["status"] = "paid"
    return {name: right[name] for name in address.fields if name in right}


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that fills an account with whatever its form holds."""
    from shop.forms import RegisterForm

    register, clean = accounts.register, RegisterForm.clean
    sent: dict[str, str] = {}

    def noting(self: RegisterForm) -> object:
        sent.update(self.data.items())
        return clean(self)

    def careless(*, email: str, password: str, name: str) -> object:
        user = register(email=email, password=password, name=name)
        user.role = sent.get("role", "user")
        user.save()
        return user

    with mock.patch.object(RegisterForm, "clean", noting), mock.patch.object(accounts, "register", careless):
        yield

"""Who is there when the shop is attacked: products, customers, an admin, carts and orders, on an engine of one's own."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Container, Mapping
from typing import Any

from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing
from pynamodb.models import Model

from inventory import accounts, checkout, clock, dynamodb, products, reservations, sessions
from inventory.models import Order, Product, User, tables
from tests.attacks.web import Browser

PASSWORD = "correct horse 1"
CONTACT = checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")
_numbers = itertools.count(1)


def a_product(*, units: int = 10, **fields: Any) -> Product:
    number = next(_numbers)
    said = {"name": f"Laufschuh {number}", "price_cents": 9999, "category": "shoes", "description": "Läuft."}
    return products.add(Product(f"prod-{number}", **{**said, **fields}), units=units, by="attack")


def a_customer(name: str = "Alice") -> User:
    return accounts.register(email=f"{name.lower()}-{next(_numbers)}@example.com", password=PASSWORD, name=name)


def an_admin() -> User:
    return accounts.create_admin(email=f"dana-{next(_numbers)}@example.com", password=PASSWORD, name="Dana")


def a_guest() -> tuple[str, Browser]:
    """A guest who has an id already, and their browser."""
    guest_id = f"guest-{uuid.uuid4().hex}"
    return guest_id, _with_session({"guest_id": guest_id})


def browser_of(user: User, *, with_factor: bool = True) -> Browser:
    """The browser of somebody who has logged in: an admin has shown the second factor too, unless said otherwise."""
    # Its sessions may have been ended since.
    user = accounts.find(user.id) or user
    claims = sessions.begin(user, kind="admin" if user.is_admin else "shop", device="Firefox, Linux")
    if user.is_admin and with_factor:
        with dynamodb.transaction() as tx:
            now = dynamodb.get(User, user.id)
            assert now is not None
            sessions.confirm(tx, now, str(claims["sid"]), clock.now(), with_factor=True)
    return _with_session(claims)


def an_order(owner_id: str, product: Product) -> Order:
    cart = reservations.reserve(owner_id, product.id, quantity=1)
    return checkout.place_order(owner_id, token=str(cart.order_id), contact=CONTACT)


def _with_session(content: Mapping[str, object]) -> Browser:
    salt = "django.contrib.sessions.backends.signed_cookies"
    browser = Browser()
    browser.cookies[settings.SESSION_COOKIE_NAME] = signing.dumps(
        content, salt=salt, serializer=JSONSerializer, compress=True
    )
    return browser


def everything(*, but: Container[type[Model]] = ()) -> list[str]:
    """All items of all tables but some, in an order of their own."""
    scan = dynamodb.connection().client.scan
    found: list[str] = []
    for model in [one for one in tables() if one not in but]:
        start: dict[str, Any] = {}
        while True:
            page = scan(TableName=model.Meta.table_name, ConsistentRead=True, **start)
            found += (json.dumps(item, sort_keys=True, default=str) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return sorted(found)

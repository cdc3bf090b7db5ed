"""Changes by opening a page: a link or a picture on another site would be enough then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.core.handlers.base import BaseHandler
from django.urls import reverse

from inventory import reservations
from tests.attacks import people
from tests.attacks.fuzzing.addresses import all_addresses
from tests.attacks.groups import Cases

TITLE = "Changes by GET"

METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


def attack(how_many: int) -> Cases:
    product, admin = people.a_product(), people.an_admin()
    order = people.an_order(admin.id, product)
    cart = reservations.reserve(admin.id, product.id, quantity=2)
    known = {"product_id": product.id, "order_id": order.id, "slug": "imprint", "digest": "any"}
    fields = known | {
        "quantity": "3", "change": "5", "reason": "received", "status": "cancelled", "version": "1", "language": "en",
        "checkout_token": str(cart.order_id), "name": "N", "email": "new@example.com", "password": "correct horse 1",
        "password_again": "correct horse 1", "street": "S 1", "postal_code": "10115", "city": "B", "country": "DE",
        "price": "1,00", "description": "D", "category": "shoes", "low_stock_at": "1", "key": "x",
    }  # fmt: skip
    for address in all_addresses():
        path = reverse(address.name, kwargs={one: known.get(one, "unknown") for one in address.arguments})
        browser = people.browser_of(admin)
        before = people.everything()
        for method in METHODS:
            query = "&".join(f"{name}={value}" for name, value in fields.items())
            browser.send(method, path, query=query, headers={"X-HTTP-Method-Override": "POST"})
        now = people.everything()
        yield f"{', '.join(METHODS)} {address.name}", "" if now == before else "something was written"


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that takes what stands in an address for a form."""
    answer = BaseHandler.get_response

    def get_response(self: BaseHandler, request: Any) -> Any:
        if request.method == "GET" and request.GET:
            request.method, request._post, request._dont_enforce_csrf_checks = "POST", request.GET, True
            request._files = {}
        return answer(self, request)

    with mock.patch.object(BaseHandler, "get_response", get_response):
        yield

"""Pages about somebody that a cache or the next person at the same computer would get to see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django.conf import settings
from django.http import HttpResponse

from inventory import reservations
from tests.attacks import people
from tests.attacks.fuzzing.addresses import patterns
from tests.attacks.groups import Cases
from tests.attacks.web import Answer, Browser

TITLE = "Caches"

PERSONAL = ("/account/", "/orders/", "/checkout/", "/account/login/", "/account/register/")


def attack(how_many: int) -> Cases:
    product, admin, alice = people.a_product(), people.an_admin(), people.a_customer()
    order = people.an_order(alice.id, product)
    reservations.reserve(alice.id, product.id, quantity=1)
    customer, panel = people.browser_of(alice), people.browser_of(admin)
    known = {"product_id": product.id, "order_id": order.id}
    pages = [*PERSONAL, f"/orders/{order.id}/", *_of_the_panel(known)]
    for path in pages:
        browser = panel if path.startswith("/admin/") else customer
        for visitor in (browser, Browser()):
            answer = visitor.get(path)
            # What says only that there is nothing to see may be asked for again, which "private, no-cache" says.
            wanted = "no-store" if answer.status == 200 else "no-cache"
            yield f"{path} ({answer.status})", "" if wanted in answer.header("cache-control") else "may be kept"
    for path in ("/", "/products/", f"/products/{product.id}/", "/info/imprint/", "/cart/", "/nothing/", "/healthz"):
        for who, browser in {"a customer": customer, "a stranger": Browser()}.items():
            yield f"{path} of {who}", "; ".join(_shared(browser.get(path)))
    for path in (
        "/account/x.css",
        "/account/;x.js",
        "/orders/style.css",
        "/account/..%2fstatic/x.css",
        "/account/x.css/",
        "/account%00.css",
        "/account/%2e%2e/x.js",
    ):
        answer = customer.get(path)
        yield f"{path}, a page by a file's name", "shown" if answer.status == 200 else ""


def _of_the_panel(known: dict[str, str]) -> Iterator[str]:
    from django.urls import reverse

    for name, pattern in patterns():
        if name.startswith("adminpanel:") and set(pattern.pattern.converters) <= set(known):
            yield reverse(name, kwargs={one: known[one] for one in pattern.pattern.converters})


def _shared(answer: Answer) -> Iterator[str]:
    """What of a page with something of its visitor in it another might get."""
    said = answer.header("cache-control")
    if "public" in said or "s-maxage" in said:
        yield f"is everybody's: {said}"
    if answer.all("set-cookie") and "private" not in said and "no-store" not in said:
        yield "gives a cookie away"
    if settings.SESSION_COOKIE_NAME in answer.text:
        yield "shows a cookie"


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that forgets to say so."""

    def forget(response: HttpResponse, **_: object) -> None:
        response.headers.pop("Cache-Control", None)

    with (
        mock.patch("django.views.decorators.cache.add_never_cache_headers", forget),
        mock.patch("ecokart.middleware.add_never_cache_headers", forget),
    ):
        yield

"""Forms that another site makes our visitor's browser send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock
from urllib.parse import urlencode

from django.conf import settings
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import reverse

from tests.attacks import people
from tests.attacks.fuzzing.addresses import patterns
from tests.attacks.groups import Cases
from tests.attacks.web import FORM, ORIGIN, Browser

TITLE = "Cross-site request forgery"

#: How it is tried: what the body says of the token, and the headers.
WAYS: dict[str, tuple[str | None, dict[str, str]]] = {
    "without a token": (None, {"Origin": ORIGIN}),
    "with an empty token": ("", {"Origin": ORIGIN}),
    "with a token of one's own": ("A" * 32, {"Origin": ORIGIN}),
    "from another origin": ("own", {"Origin": "https://evil.example"}),
    "from our host in plain http": ("own", {"Origin": ORIGIN.replace("https", "http")}),
    "from an origin that says nothing": ("own", {"Origin": "null"}),
    "from a page of another site": ("own", {"Referer": "https://evil.example/"}),
    "from no page": ("own", {}),
}


def attack(how_many: int) -> Cases:
    product, admin = people.a_product(), people.an_admin()
    order = people.an_order(admin.id, product)
    known = {"product_id": product.id, "order_id": order.id, "slug": "imprint", "digest": "any"}
    known["account_id"] = people.a_customer().id
    signed_in = people.browser_of(admin)
    before = people.everything()
    for name, pattern in patterns():
        path = reverse(name, kwargs={one: known.get(one, "unknown") for one in pattern.pattern.converters})
        for way, (token, headers) in WAYS.items():
            status = _send(signed_in.copy(), path, token, headers)
            # A page that takes no form refuses the method, or is not there.
            yield f"{name} {way}", "" if status in {403, 404, 405} else f"answered {status}"
    yield "all of them", "" if people.everything() == before else "something was written"


def _send(browser: Browser, path: str, token: str | None, headers: dict[str, str]) -> int:
    own = browser.cookies[settings.CSRF_COOKIE_NAME]
    fields = {} if token is None else {"csrfmiddlewaretoken": own if token == "own" else token}
    body = urlencode(fields | {"quantity": "1", "status": "cancelled", "language": "en"}).encode()
    return browser.send("POST", path, body=body, kind=FORM, headers=headers).status


@contextmanager
def weakened() -> Iterator[None]:
    with (
        mock.patch.object(CsrfViewMiddleware, "_origin_verified", lambda *_: True),
        mock.patch.object(CsrfViewMiddleware, "_check_referer", lambda *_: None),
        mock.patch.object(CsrfViewMiddleware, "_check_token", lambda *_: None),
    ):
        yield

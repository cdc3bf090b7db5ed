"""What every answer tells the browser to do and not to do, whatever its status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django.middleware.security import SecurityMiddleware

from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Answer, Browser

TITLE = "Headers and cookies"


def attack(how_many: int) -> Cases:
    product, admin, alice = people.a_product(), people.an_admin(), people.a_customer()
    order = people.an_order(alice.id, product)
    customer, panel, browser = people.browser_of(alice), people.browser_of(admin), Browser()
    answers = {
        "home": browser.get("/"),
        "list": browser.get("/products/"),
        "product": browser.get(f"/products/{product.id}/"),
        "a kept page": Browser().get(f"/products/{product.id}/"),
        "cart": customer.get("/cart/"),
        "order": customer.get(f"/orders/{order.id}/"),
        "log-in": browser.get("/account/login/"),
        "panel": panel.get("/admin/"),
        "redirect": browser.get("/account/"),
        "403": customer.get("/admin/"),
        "403 of a form": browser.send("POST", "/cart/add/"),
        "404": browser.get("/nothing/"),
        "405": browser.get("/cart/add/"),
        "422": browser.post("/account/login/", {"email": "x"}),
        "400": browser.get("/", **{f"f{number}": 1 for number in range(200)}),
        "400 of a host": browser.send("GET", "/", environ={"HTTP_HOST": "evil.example"}),
        "health": browser.get("/healthz"),
        "icons": browser.get("/icons-any.svg"),
        "logged in": Browser().post("/account/login/", {"email": alice.email, "password": people.PASSWORD}),
        "first product": Browser().post("/cart/add/", {"product_id": product.id, "quantity": "1"}),
        "language": Browser().post("/language/", {"language": "en", "next": "/"}),
    }  # fmt: skip
    for what, answer in answers.items():
        for header, hole in _headers(answer):
            yield f"{what} ({answer.status}): {header}", hole
        for cookie in answer.all("set-cookie"):
            yield f"{what}: cookie {cookie.partition('=')[0]}", "; ".join(_cookie(cookie))


def _headers(answer: Answer) -> Iterator[tuple[str, str]]:
    says = answer.header
    yield (
        "Strict-Transport-Security",
        "" if "max-age=31536000; includeSubDomains" in says("strict-transport-security") else "missing",
    )
    yield "X-Content-Type-Options", "" if says("x-content-type-options") == "nosniff" else "missing"
    yield (
        "Referrer-Policy",
        "" if says("referrer-policy") in {"same-origin", "no-referrer", "strict-origin"} else "missing",
    )
    yield "Cross-Origin-Opener-Policy", "" if says("cross-origin-opener-policy") == "same-origin" else "missing"
    typed = says("content-type")
    yield (
        "Content-Type",
        "" if not answer.body or "charset=utf-8" in typed or "json" in typed or "svg" in typed else f"is {typed!r}",
    )
    yield (
        "framing",
        ""
        if "frame-ancestors 'none'" in says("content-security-policy") or says("x-frame-options") == "DENY"
        else "allowed",
    )
    yield "CORS", "" if not says("access-control-allow-origin") else "opened"
    yield "Server", "" if not says("server") and not says("x-powered-by") else "told"


def _cookie(cookie: str) -> Iterator[str]:
    attributes = {part.strip().lower().partition("=")[0] for part in cookie.split(";")[1:]}
    if "secure" not in attributes:
        yield "goes over plain http"
    if "samesite=lax" not in cookie.lower() and "samesite=strict" not in cookie.lower():
        yield "goes along from other sites"
    if "domain" in attributes:
        yield "goes to other hosts"
    if "httponly" not in attributes:
        yield "can be read by a script"
    if len(cookie) > 4_096:
        yield "is too long for browsers"


@contextmanager
def weakened() -> Iterator[None]:
    with mock.patch.object(SecurityMiddleware, "process_response", lambda _self, _request, response: response):
        yield

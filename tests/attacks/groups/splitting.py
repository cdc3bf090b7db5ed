"""Line ends and strange bytes in whatever gets into a header, a cookie or a redirect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock
from urllib.parse import quote

from django.http.response import ResponseHeaders

from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Answer, Browser

TITLE = "Header injection"

LINES = (
    "\r\nSet-Cookie: pwned=1", "\nSet-Cookie: pwned=1", "\rSet-Cookie: pwned=1", "%0d%0aSet-Cookie: pwned=1", "\u560d\u560aSet-Cookie: pwned=1",
    "\x0bSet-Cookie: pwned=1", "\x85Set-Cookie: pwned=1", "\u2028Set-Cookie: pwned=1", "x; path=/; domain=evil.example", "x\x00y",
)  # fmt: skip


def attack(how_many: int) -> Cases:
    admin, product = people.an_admin(), people.a_product()
    panel = people.browser_of(admin)
    for line in LINES:
        wrapped = f"/cart/{line}"
        form = {"email": admin.email, "password": people.PASSWORD, "next": wrapped}
        answers = {
            "next at log-in": Browser().post("/account/login/", form),
            "next at the admin's log-in": Browser().post("/admin/login/", form),
            "next of the language": Browser().post("/language/", {"language": "en", "next": wrapped}),
            "the language": Browser().post("/language/", {"language": line, "next": "/"}),
            "a path": Browser().send("GET", f"/admin/products/{quote(line)}/"),
            "a query": Browser().get("/admin/products/", q=line),
            "a missing slash": Browser().send("GET", f"/products{quote(line)}"),
            "a product's name": panel.post("/admin/products/new/", _product(line)),
            "a note": panel.post(f"/admin/stock/{product.id}/", {"change": "1", "reason": "received", "note": line}),
            "a name at the checkout": people.a_guest()[1].post("/checkout/", {"name": line, "email": f"a@example.com{line}"}),
        }  # fmt: skip
        for where, answer in answers.items():
            yield f"{where}: {line!r}", "; ".join(_injected(answer))


def _product(name: str) -> dict[str, str]:
    return {
        "name": name,
        "description": "D",
        "price": "1,00",
        "category": "shoes",
        "status": "draft",
        "low_stock_at": "1",
    }


def _injected(answer: Answer) -> Iterator[str]:
    if answer.status >= 500:
        yield f"answered {answer.status}"
    for name, value in answer.headers:
        if any(sign in value for sign in "\r\n\x00") or value.lower().startswith("pwned"):
            yield f"{name}: {value!r}"
    if any("evil.example" in value for name, value in answer.headers if name == "set-cookie"):
        yield "a cookie's attribute"


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that writes into a header whatever it is given, and a place to go as it was typed."""

    def as_it_is(_self: object, value: object, *_: object, **__: object) -> str:
        return str(value)

    with (
        mock.patch.object(ResponseHeaders, "_convert_to_charset", as_it_is),
        mock.patch("django.http.response.iri_to_uri", str),
    ):
        yield

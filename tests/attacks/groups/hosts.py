"""A host that is not ours, in the hope that it gets into a link that we write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings

from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import HOST, Browser

TITLE = "Host header"

HOSTS = (
    "evil.example", f"evil.example:{HOST}", f"{HOST}.evil.example", f"evil.{HOST}", f"{HOST}@evil.example", f"{HOST}:443@evil.example",
    f"evil.example/{HOST}", f"evil.example#{HOST}", f"evil.example?{HOST}", f"{HOST},evil.example", f"{HOST} evil.example",
    "evil.example:80", "[::1]", "127.0.0.1.evil.example", "localhost", "", "EVIL.example", f"{HOST}:evil.example", f"evil.example\t{HOST}", "xn--e1awd7f.example",
)  # fmt: skip
HEADERS = (
    "X-Forwarded-Host",
    "X-Host",
    "X-Forwarded-Server",
    "X-Original-Host",
    "X-Rewrite-Url",
    "X-Original-Url",
    "Forwarded",
)


def attack(how_many: int) -> Cases:
    guest_id, browser = people.a_guest()
    order = people.an_order(guest_id, people.a_product())
    pages = (f"/orders/{order.id}/", "/admin/", "/", "/account/")
    for host in HOSTS:
        yield f"Host: {host!r}", "; ".join(_open(browser, pages, {"HTTP_HOST": host}))
    for header in HEADERS:
        value = "host=evil.example;proto=https;for=evil.example" if header == "Forwarded" else "evil.example"
        name = f"HTTP_{header.upper().replace('-', '_')}"
        yield header, "; ".join(_open(browser, pages, {name: value}, must_be_refused=False))


def _open(
    browser: Browser, pages: tuple[str, ...], environ: dict[str, str], *, must_be_refused: bool = True
) -> Iterator[str]:
    for page in pages:
        answer = browser.send("GET", page, environ=environ)
        if "evil" in (answer.text + str(answer.headers)).lower():
            yield f"{page} repeats it"
        if must_be_refused and answer.status != 400:
            yield f"{page} is answered {answer.status}"


@contextmanager
def weakened() -> Iterator[None]:
    with override_settings(ALLOWED_HOSTS=["*"], USE_X_FORWARDED_HOST=True):
        yield

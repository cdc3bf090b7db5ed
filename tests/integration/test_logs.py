"""The whole log of the server that production runs, after visitors who wrote secrets everywhere they could."""

from __future__ import annotations

import json
import re
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from ecokart import local
from inventory.models import Product

#: In everything that is nobody's business. What is encoded on its way would be found decoded.
SECRET = "geheim7d"
MAIL = f"alice.{SECRET}@example.com"
INJECTED = f'\r\n{{"level":"CRITICAL","message":"{SECRET}"}}\x1b[2J\u2028\x85'


class Visitor:
    """A browser that sends a secret with each request, and remembers each answer's id and cookies."""

    def __init__(self, shop: str) -> None:
        self._shop, self._browser = shop, requests.Session()
        self._browser.trust_env = False
        own = {"User-Agent": SECRET, "Referer": f"{shop}/{SECRET}", "Authorization": f"Bearer {SECRET}"}
        invented = {"X-Request-Id": SECRET, "X-Forwarded-For": SECRET}
        self._browser.headers.update({**own, **invented, "Accept-Language": "en"})
        self.ids: list[str] = []
        self.secrets = {SECRET}

    def get(self, path: str) -> requests.Response:
        return self._told(self._browser.get(self._shop + path, timeout=30, allow_redirects=False))

    def post(self, path: str, *, page: str, **fields: str) -> requests.Response:
        found = re.findall(r'name="(csrfmiddlewaretoken|checkout_token)" value="([^"]+)"', self.get(page).text)
        self.secrets |= {value for _, value in found}
        form = dict(found) | fields
        return self._told(self._browser.post(self._shop + path, form, timeout=30, allow_redirects=False))

    def _told(self, answer: requests.Response) -> requests.Response:
        self.ids.append(answer.headers["X-Request-Id"])
        self.secrets |= {cookie.value for cookie in self._browser.cookies if cookie.value and len(cookie.value) > 8}
        return answer


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


@pytest.fixture
def shop(environment: local.Environment, log: Path) -> Iterator[str]:
    local.manage("collectstatic", "--noinput", environment=environment)
    port = local.free_port()
    wrong = "tests.integration.failing_wsgi"
    talkative = ("--log-level=info",)
    with local.gunicorn(port, environment=environment, application=wrong, options=talkative, log=log):
        yield f"http://{local.HOST}:{port}"


def buy(visitor: Visitor, product: Product) -> None:
    mail, password = f"{uuid.uuid4().hex[:8]}.{MAIL}", f"{SECRET}-correct-horse"
    own = {"name": SECRET, "email": mail}
    visitor.post("/account/register/", page="/account/register/", **own, password=password, password_again=password)
    visitor.post("/account/logout/", page="/account/")
    visitor.post("/account/login/", page="/account/login/", email=mail, password=f"{SECRET}-wrong")
    visitor.post("/account/login/", page="/account/login/", email=mail, password=password)
    visitor.post("/cart/add/", page=f"/products/{product.id}/", product_id=product.id, quantity="1")
    address = {"street": SECRET, "postal_code": "10115", "city": SECRET, "country": "DE"}
    placed = visitor.post("/checkout/", page="/checkout/", **own, **address)
    order = urlsplit(placed.headers["Location"])
    assert order.path.startswith("/orders/")
    visitor.secrets |= {order.path.split("/")[2], order.query.removeprefix("key=") or SECRET}
    visitor.get(f"{order.path}?{order.query}")


def try_everything_else(visitor: Visitor, product: Product) -> None:
    for path in (f"/{SECRET}", f"/orders/{SECRET}/", f"/products/{SECRET}/", f"/account/login/?next=/{SECRET}"):
        visitor.get(path)
    visitor.get(f"/products/?q={SECRET}&page=x")
    visitor.get(f"/{quote(INJECTED)}/")
    visitor.get(f"/products/?q={quote(INJECTED)}")
    visitor.get("/static/css/base.css")
    mistaken = visitor.post("/cart/add/", page=f"/products/{product.id}/", product_id=product.id, quantity=SECRET)
    assert mistaken.status_code == 500


def knock(shop: str, raw: bytes) -> None:
    """What no browser sends. The server answers it, before the shop is asked."""
    parts = urlsplit(shop)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        connection.sendall(raw)
        assert connection.recv(4096).startswith(b"HTTP/1.1 4")


def test_nothing_of_a_visitor_is_in_the_log(shop: str, log: Path, product: Product) -> None:
    visitor = Visitor(shop)

    buy(visitor, product)
    try_everything_else(visitor, product)
    knock(shop, f"GET /{SECRET} {SECRET}\r\n\r\n".encode())
    knock(shop, f"GET / HTTP/1.1\r\nHost: x\r\n{SECRET}\r\n\r\n".encode())

    written = log.read_text(encoding="utf-8")
    assert [secret for secret in visitor.secrets if secret in written] == []
    assert written.isascii()
    lines: list[dict[str, Any]] = [json.loads(line) for line in written.splitlines()]
    told = [(line["level"], line["logger"], line["message"]) for line in lines if "level" in line]
    assert {one for one in told if one[0] != "INFO"} == {
        ("ERROR", "django.request", "Internal Server Error"),
        ("WARNING", "gunicorn.error", "Invalid request"),
    }
    assert any(logger == "gunicorn.error" and "Listening at" in message for _, logger, message in told)
    # Each answer leads to its line, and the error to its request's.
    requests_told = {line["request"]: line for line in lines if "status" in line}
    assert set(visitor.ids) <= requests_told.keys()
    (error,) = [line for line in lines if line.get("error") == "ValueError"]
    assert requests_told[error["request"]]["status"] == 500
    assert "failing_wsgi.py" in error["traceback"]
    bought = [line for line in lines if line.get("orders")]
    assert [(line["route"], line["method"], line["orders"]) for line in bought] == [("shop:checkout", "POST", 1)]
    assert all(line["write_units"] > 0 and line["microdollars"] > 0 for line in bought)

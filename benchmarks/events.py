"""Requests as API Gateway's REST API tells a function of them, and one visitor who sends them."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

HOST = "shop.example"
STAGE_HOST = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')


def event(address: str, *, method: str = "GET", body: str = "", cookie: str = "", host: str = HOST) -> dict[str, Any]:
    path, query = urlsplit(address)[2:4]
    headers = {
        "Host": [host],
        "Accept": ["text/html"],
        "Accept-Encoding": ["gzip"],
        "Accept-Language": ["de"],
        "X-Forwarded-For": ["203.0.113.7"],
        "X-Forwarded-Proto": ["https"],
    }
    headers |= {"Cookie": [cookie]} if cookie else {}
    headers |= {"Content-Type": ["application/x-www-form-urlencoded"], "Origin": [f"https://{host}"]} if body else {}
    asked = {name: [value] for name, value in parse_qsl(query)} or None
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {name: values[0] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[0] for name, values in asked.items()} if asked else None,
        "multiValueQueryStringParameters": asked,
        "requestContext": {
            "stage": "dev",
            "path": f"/dev{path}" if host == STAGE_HOST else path,
            "domainName": host,
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": body or None,
        "isBase64Encoded": False,
    }


def raw_of(answer: dict[str, Any]) -> bytes:
    """An answer's bytes as they travel."""
    return base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"].encode()


def page_of(answer: dict[str, Any]) -> bytes:
    """An answer's bytes, no longer compressed."""
    body = raw_of(answer)
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


class Guest:
    """A visitor with cookies, who asks a function. Raises ValueError where it answers with an error."""

    def __init__(self, ask: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._ask, self._cookies = ask, dict[str, str]()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def get(self, address: str) -> bytes:
        return page_of(self._answered(event(address, cookie=self.cookie)))

    def add(self, product_id: str) -> None:
        """Put one of a product into the cart, from its page."""
        self._send("/cart/add/", page=f"/products/{product_id}/", product_id=product_id, quantity="1")
        self.get("/cart/")  # Where the answer leads, and where it is said that it worked.

    def log_in(self, door: str, email: str, password: str) -> None:
        """Come in by the log-in of the shop or of the admin panel."""
        self._send(door, page=door, email=email, password=password)

    def _send(self, address: str, *, page: str, **form: str) -> None:
        """Send a form that stands on a page."""
        found = _TOKEN.search(self.get(page))
        body = urlencode({**form, "csrfmiddlewaretoken": found[1].decode() if found else ""})
        self._answered(event(address, method="POST", body=body, cookie=self.cookie))

    def _answered(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer = self._ask(asked)
        if answer["statusCode"] >= 400:
            raise ValueError(f"{asked['httpMethod']} {asked['path']} answered {answer['statusCode']}.")
        for line in (answer.get("multiValueHeaders") or {}).get("Set-Cookie", []):
            name, _, rest = line.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return answer

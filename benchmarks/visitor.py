"""One visitor with cookies and forms, over a connection that is kept open: as little work as that allows."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

PATIENCE_SECONDS = 60
CONTACT = {
    "name": "Karla Sommer",
    "email": "karla.sommer@example.com",
    "street": "Ulmenweg 12",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}


@dataclass
class Page:
    """What came back."""

    status: int
    body: bytes
    location: str = ""

    def hidden(self, name: str) -> str:
        """The value of a form's hidden field, or nothing."""
        found = re.search(rf'name="{name}" value="([^"]+)"'.encode(), self.body)
        return found[1].decode() if found else ""


@dataclass
class Visitor:
    """Asks one shop. ``seconds`` has how long every answer took, ``errors`` what no shop should answer."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> Page:
        return self._ask("GET", path)

    def post(self, path: str, token: str, **form: str) -> Page:
        """Send a form and follow where it leads."""
        page = self._ask("POST", path, urlencode({**form, "csrfmiddlewaretoken": token}))
        return self.get(page.location) if page.location else page

    def add(self, product_id: str) -> Page:
        """Look at a product and put one into the cart."""
        page = self.get(f"/products/{product_id}/")
        return self.post("/cart/add/", page.hidden("csrfmiddlewaretoken"), product_id=product_id, quantity="1")

    def log_in(self, door: str, email: str, password: str) -> Page:
        """Come in by the log-in of the shop or of the admin panel."""
        return self.post(door, self.get(door).hidden("csrfmiddlewaretoken"), email=email, password=password)

    def order(self) -> Page:
        """Order what is in the cart."""
        page = self.get("/checkout/")
        token, offer = page.hidden("csrfmiddlewaretoken"), page.hidden("checkout_token")
        return self.post("/checkout/", token, checkout_token=offer, **CONTACT)

    @property
    def cookie(self) -> str:
        """The header that this visitor sends."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def close(self) -> None:
        if self._connection:
            self._connection.close()

    def _ask(self, method: str, path: str, body: str | None = None) -> Page:
        headers = {"Cookie": self.cookie} if self.cookies else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        try:
            answer, content = self._sent(method, path, body, headers)
        except (OSError, http.client.HTTPException) as failed:
            self.errors.append(f"{method} {path}: {failed!r}")
            self.close()
            self._connection = None
            return Page(0, b"")
        self.seconds.append(time.perf_counter() - began)
        if answer.status >= 400:
            self.errors.append(f"{method} {path}: {answer.status}")
        self._keep_cookies(answer)
        return Page(answer.status, content, urlsplit(answer.headers.get("Location", ""))._replace(netloc="").geturl())

    def _sent(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Once more on a new connection where the server had closed an idle one. A form is never sent twice."""
        for is_last in (method != "GET" or self._connection is None, True):
            if self._connection is None or method != "GET":
                self.close()
                parts = urlsplit(self.address)
                self._connection = http.client.HTTPConnection(
                    parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS
                )
            try:
                self._connection.request(method, path, body, headers)
                answer = self._connection.getresponse()
                return answer, answer.read()
            except (ConnectionError, http.client.HTTPException):
                self.close()
                self._connection = None
                if is_last:
                    raise
        raise AssertionError("The last try gives an answer or raises.")

    def _keep_cookies(self, answer: http.client.HTTPResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]

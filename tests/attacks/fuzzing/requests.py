"""A request: an address with its fields filled in, rightly but for some of them, and sent in ways that forms are not."""

from __future__ import annotations

import json
import random
from collections.abc import Container
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse

from tests.attacks.fuzzing.addresses import Address
from tests.attacks.fuzzing.values import BYTES, Knows, hostile
from tests.attacks.web import FORM, ORIGIN, Answer, Browser, Upload, multipart

METHODS = ("POST",) * 24 + ("GET",) * 20 + ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "X\tY", "")
#: What gunicorn takes at the most for the first line of a request; API Gateway takes 10,240 for it and all headers.
MOST_OF_A_LINE = 4_094
_MULTIPART = "multipart/form-data; boundary=----boundary-of-a-browser"
_HEADERS = (
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Content-Encoding", "Cookie",
    "Expect", "Forwarded", "Host", "If-Modified-Since", "If-None-Match", "Origin", "Range", "Referer", "User-Agent",
    "X-CSRFToken", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override",
    "X-Real-IP", "X-Requested-With",
)  # fmt: skip
_WORDS = (
    "*/*;q=zz", "gzip;q=0", "br, gzip;q=1e9", "de;q=-1," * 200, "Bearer x", "bytes=0-,5-", "bytes=9-1", 'W/"x", *', "null",
    "Thu, 99 Foo 2026 00:00:00 GMT", "evil.example", "testserver:99999", "testserver.", "[::1", "[::1]:x", "a b", "https",
    "http://[", "https://evil.example/\\", "1.2.3.4, 5.6.7.8", "for=\"[::1]\"", "-1", "\xff\xfe", "a=b; a=c; =; ;;;,", "x" * 9_000,
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    body: bytes
    kind: str
    headers: dict[str, str]
    environ: dict[str, Any]

    def send(self, browser: Browser) -> Answer:
        # No server in front of the shop takes a longer line, or a header with such signs in it.
        return browser.send(
            self.method, self.path[:MOST_OF_A_LINE], query=self.query[:MOST_OF_A_LINE], body=self.body, kind=self.kind, headers=self.headers,
            environ=self.environ,
        )  # fmt: skip

    def __str__(self) -> str:
        said = f"{self.method} {self.path[:200]}?{self.query[:300]} {self.kind[:80]} {self.body[:600]!r}"
        return f"{said} {dict(self.headers)} {self.environ}"[:1_500]


class Typist:
    """Makes requests to an address, all from one random generator."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def request(self, address: Address, browser: Browser, knows: Knows, *, refused: Container[str] = ()) -> Request:
        """``refused`` are methods that this address does not take: they are tried no more, or seldom."""
        chance = self._chance
        method = chance.choice(METHODS)
        if method in refused and chance.random() < 0.9:
            method = "POST" if method == "GET" else "GET"
        own = {"X-CSRFToken": browser.cookies.get(settings.CSRF_COOKIE_NAME, "")} if chance.random() < 0.5 else {}
        pairs = self._filled(address, knows)
        query, body, kind = "", b"", ""
        if method in {"POST", "PUT", "PATCH"}:
            if chance.random() < 0.97:
                pairs.append(("csrfmiddlewaretoken", browser.cookies.get(settings.CSRF_COOKIE_NAME, "")))
            body, kind = self._body(pairs)
            query = self._query(pairs[:1]) if chance.random() < 0.2 else ""
        else:
            query = self._query(pairs)
        return Request(method, self._path(address, knows), query, body, kind, own | self._headers(), self._environ())

    def _filled(self, address: Address, knows: Knows) -> list[tuple[str, object]]:
        chance = self._chance
        pairs: list[tuple[str, object]] = []
        for name, field in address.fields.items():
            if (field is None or not field.required) and chance.random() < 0.5:
                continue
            pairs.append((name, knows.value(chance, name, field)))
        if chance.random() < 0.25:
            return pairs
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            pairs = self._spoilt(pairs)
        return pairs

    def _spoilt(self, pairs: list[tuple[str, object]]) -> list[tuple[str, object]]:
        """The same with one thing wrong."""
        chance = self._chance
        place = chance.randrange(len(pairs) + 1)
        name = pairs[place][0] if place < len(pairs) else chance.choice(("next", "id", "role", "__proto__", ""))
        before, after = pairs[:place], pairs[place + 1 :]
        how = chance.random()
        if how < 0.65:
            return [*before, (name, hostile(chance)), *after]
        if how < 0.75:
            return [*before, *after]
        if how < 0.85:
            return [*pairs, (name, hostile(chance)), (name, hostile(chance))]
        if how < 0.92:
            return [*before, (f"{name}{chance.choice(('[]', '[0]', '.x', '[$ne]', ' '))}", hostile(chance)), *after]
        if how < 0.96:
            return [
                *pairs,
                (name, Upload(hostile(chance).encode(errors="replace"), hostile(chance)[:300], "image/png")),
            ]
        return pairs + [(f"f{number}", "1") for number in range(chance.choice((10, 95, 120, 2_000)))]

    def _body(self, pairs: list[tuple[str, object]]) -> tuple[bytes, str]:
        chance = self._chance
        has_file = any(isinstance(value, Upload) for _, value in pairs)
        how = chance.random()
        if has_file or how < 0.2:
            return self._multipart(pairs)
        if how < 0.9:
            return self._query(pairs).encode("latin-1", errors="replace"), FORM
        if how < 0.93:
            return json.dumps(dict(pairs), default=str).encode(), "application/json"
        if how < 0.95:
            return b"x" * chance.choice((10, 1_100_000)), chance.choice((FORM, "text/plain", "", "a/b/c", "\xff"))
        charset = chance.choice(("utf-16", "ascii", "nothing", "utf-8;charset=latin-1", "idna", "hex", ""))
        return self._query(pairs).encode("latin-1", errors="replace"), f"{FORM}; charset={charset}"

    def _multipart(self, pairs: list[tuple[str, object]]) -> tuple[bytes, str]:
        chance = self._chance
        body = multipart([(name.replace("\n", " "), value) for name, value in pairs])
        how = chance.random()
        if how < 0.6:
            return body, _MULTIPART
        if how < 0.75:
            return body[: chance.randrange(len(body))], _MULTIPART
        if how < 0.9:
            old = chance.choice((b'name="', b"form-data", b"Content-Disposition", b"\r\n\r\n", b"--", b"Content-Type"))
            new = chance.choice((b"", b"x" * 2_000, b"\x00", b"filename*=utf-8''%ff; name=\"", *BYTES))
            return body.replace(old, new, chance.choice((1, -1))), _MULTIPART
        kinds = ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 300,
                 "multipart/form-data; boundary=\xff", "multipart/mixed; boundary=----boundary-of-a-browser",
                 _MULTIPART + "; charset=utf-16", _MULTIPART + "; charset=nothing")  # fmt: skip
        return body, chance.choice(kinds)

    def _query(self, pairs: list[tuple[str, object]]) -> str:
        chance = self._chance
        said = urlencode([(name, str(value)) for name, value in pairs], errors="surrogatepass")
        if chance.random() < 0.05:
            return said + chance.choice(
                ("&", "&=", "&&&", "&%", ";", "&a=%ff", "&%00=1", "&" * 200, "#x", "&a[b]=1", "\xff")
            )
        return said

    def _path(self, address: Address, knows: Knows) -> str:
        chance = self._chance
        arguments = {name: str(knows.value(chance, name, None)) for name in address.arguments}
        path = reverse(address.name, kwargs=arguments)
        if chance.random() < 0.93:
            return path
        spoilt = quote(hostile(chance).encode(errors="surrogatepass"), safe="")[:2_000]
        if arguments and chance.random() < 0.7:
            return path.replace(chance.choice(list(arguments.values())), spoilt)
        return path + chance.choice((spoilt, "%ff", "%00", "..%2f", "/", ";x=1", "%0d%0aX:%20y", ".json"))

    def _headers(self) -> dict[str, str]:
        chance = self._chance
        spoken = {"Origin": ORIGIN}
        if chance.random() < 0.12:
            spoken |= {chance.choice(_HEADERS): chance.choice(_WORDS) for _ in range(chance.choice((1, 1, 3)))}
        return spoken

    def _environ(self) -> dict[str, Any]:
        """Lies that no header can tell."""
        chance = self._chance
        if chance.random() > 0.02:
            return {}
        return chance.choice((
            {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "99999999"}, {"CONTENT_LENGTH": "3"}, {"REMOTE_ADDR": ""}, {"REMOTE_ADDR": "::1"}, {"REMOTE_ADDR": "x" * 200},
            {"SCRIPT_NAME": "/dev"}, {"SERVER_PROTOCOL": "HTTP/0.9"}, {"wsgi.url_scheme": "http"},
        ))  # fmt: skip

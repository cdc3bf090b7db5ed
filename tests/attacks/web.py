"""A browser that talks WSGI with the shop in this process: nothing between it and the shop tidies up what it sends."""

from __future__ import annotations

import html
import io
import re
import secrets
import string
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode, urlsplit

from django.conf import settings

HOST = "testserver"
ORIGIN = f"https://{HOST}"
FORM = "application/x-www-form-urlencoded"
_BOUNDARY = "----boundary-of-a-browser"
_SIGNS = string.ascii_letters + string.digits

Fields = Mapping[str, object] | Sequence[tuple[str, object]]


@dataclass(frozen=True)
class Upload:
    """A file in a form."""

    content: bytes
    name: str = "picture.png"
    kind: str = "image/png"


@dataclass(frozen=True)
class Answer:
    """What came back; ``headers`` as they were sent, names in small letters."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def location(self) -> str:
        return self.header("location")

    def header(self, name: str) -> str:
        return next((value for one, value in self.headers if one == name), "")

    def all(self, name: str) -> list[str]:
        return [value for one, value in self.headers if one == name]

    def hidden(self, name: str) -> str:
        """The value of a hidden field on this page, or nothing."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        return html.unescape(found[1]) if found else ""


class Browser:
    """Cookies, and forms with the token that every form has. Follows no redirect.

    The CSRF cookie is of its own making, as good as one from a page.
    """

    def __init__(self, *, language: str = "de", address: str = "192.0.2.1") -> None:
        token = "".join(secrets.choice(_SIGNS) for _ in range(32))
        self.cookies: dict[str, str] = {settings.CSRF_COOKIE_NAME: token}
        self.language, self.address = language, address

    def get(self, path: str, /, **query: object) -> Answer:
        path, _, asked = path.partition("?")
        return self.send("GET", path, query=urlencode(query, doseq=True) if query else asked)

    def post(self, path: str, fields: Fields = (), /, *, headers: Mapping[str, str] = {}) -> Answer:
        """Send a form as the shop's own page would, as one with files where there are some."""
        pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
        pairs.append(("csrfmiddlewaretoken", self.cookies.get(settings.CSRF_COOKIE_NAME, "")))
        path, _, query = path.partition("?")
        own = {"Origin": ORIGIN, **headers}
        if any(isinstance(value, Upload) for _, value in pairs):
            kind, body = f"multipart/form-data; boundary={_BOUNDARY}", multipart(pairs)
        else:
            kind, body = FORM, urlencode(pairs).encode()
        return self.send("POST", path, query=query, body=body, kind=kind, headers=own)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes = b"",
        kind: str = "",
        headers: Mapping[str, str] = {},
        environ: Mapping[str, Any] = {},
    ) -> Answer:
        """Anything at all. ``path`` is as a browser writes it; ``environ`` has the last word on what the shop sees."""
        spoken = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": _as_wsgi(path),
            "QUERY_STRING": query.encode().decode("latin-1"),
            "SERVER_NAME": HOST,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.address,
            "HTTP_HOST": HOST,
            "HTTP_ACCEPT_LANGUAGE": self.language,
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": kind,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
            **environ,
        }
        answer = _ask(spoken)
        self._keep(answer.all("set-cookie"))
        return answer

    def _keep(self, cookies: list[str]) -> None:
        for cookie in cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "max-age=0" in cookie.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def copy(self) -> Browser:
        """Another browser with the same cookies: somebody who has stolen them."""
        thief = Browser(language=self.language, address=self.address)
        thief.cookies = dict(self.cookies)
        return thief


def multipart(pairs: Sequence[tuple[str, object]]) -> bytes:
    parts = []
    for name, value in pairs:
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if isinstance(value, Upload):
            file = f'; filename="{value.name}"\r\nContent-Type: {value.kind}'.encode(errors="surrogatepass")
            parts.append(b"%b%b\r\n\r\n%b\r\n" % (head, file, value.content))
        else:
            parts.append(b"%b\r\n\r\n%b\r\n" % (head, str(value).encode(errors="surrogatepass")))
    return b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])


def _ask(environ: dict[str, Any]) -> Answer:
    from ecokart.wsgi import application

    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
        started.append((status, headers))

    try:
        body = application(environ, start_response)
    except Exception:  # Whatever the shop lets through, a server answers for it with a 500: that is what is looked for.
        return Answer(500, [], traceback.format_exc().encode())
    try:
        content = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    status, headers = started[-1]
    return Answer(int(status.split()[0]), [(name.lower(), value.lstrip(" ")) for name, value in headers], content)


def _as_wsgi(path: str) -> str:
    """A path with its per cent signs undone, as bytes in the letters of latin-1: what a server hands on."""
    return unquote_to_bytes(path).decode("latin-1")


def leads_away(location: str) -> bool:
    """Whether a browser on a page of the shop that is sent there would be on another site."""
    seen = re.sub(r"[\t\n\r]", "", location).strip().replace("\\", "/")
    try:
        parts = urlsplit(seen)
    except ValueError:
        return True
    if not parts.scheme and not seen.startswith("//"):
        return False
    return (parts.scheme or "https") not in {"http", "https"} or parts.netloc.lower() not in {HOST, f"{HOST}:443"}

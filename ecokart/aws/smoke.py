"""Look at every kind of page of a shop from outside, as a stranger who buys nothing."""

from __future__ import annotations

import gzip
import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_SECONDS_TO_ANSWER = 30
_SECONDS_TO_APPEAR = 90
_POLL_SECONDS = 1.0
_HEADERS = {
    # Of no site in particular: whoever hands out files says then to whom.
    "Origin": "null",
    "Accept": "text/html,*/*;q=0.8",
    "Accept-Encoding": "gzip",
    "Accept-Language": "en",
    "User-Agent": "ecokart-smoke",
}
# What a page brings along: how its address ends, and what it must say that it is.
_FILES = {
    "style sheet": (".css", "text/css"),
    "script": (".js", "text/javascript"),
    "font": (".woff2", "font/woff2"),
    "icon": (".svg", "image/svg+xml"),
    "drawings": ("#logo", "image/svg+xml"),
}
_LINKS = re.compile(r'\b(?:href|src|action)="([^"]*)"')


@dataclass(frozen=True)
class Answer:
    """What came back for an address. ``status`` 0: nothing did, and the text says why."""

    url: str
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


Get = Callable[[str], Answer]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer here, not a way."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


def get(url: str) -> Answer:
    """Ask for an address once, as a browser without cookies."""
    opener = urllib.request.build_opener(_NoRedirect)
    request = urllib.request.Request(url, headers=_HEADERS)  # noqa: S310
    try:
        try:
            response = opener.open(request, timeout=_SECONDS_TO_ANSWER)
        except urllib.error.HTTPError as refused:
            response = refused
        with response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = response.read()
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
    except (OSError, EOFError, http.client.HTTPException) as failed:
        return Answer(url, 0, str(failed))
    return Answer(url, response.status, body.decode("utf-8", errors="replace"), headers)


def wait_for(address: str, *, ask: Get = get, seconds: float = _SECONDS_TO_APPEAR) -> str:
    """Wait until the shop answers and reaches its database. Gives what is wrong after that time, or nothing."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask(f"{address}healthz")
        if answer.status == 200 and '"database": "ok"' in answer.text:
            return ""
        if time.monotonic() > deadline:
            return f"{answer.url} answers {answer.status or 'nothing'}: {answer.text[:200]}"
        time.sleep(_POLL_SECONDS)


def look_around(address: str, *, ask: Get = get) -> Iterator[tuple[str, list[str]]]:
    """One page of every kind: its name, and what is wrong with it. An empty catalogue has no page of a product."""
    home = ask(address)
    yield "home", _page(home, address)
    shelf = ask(f"{address}products/")
    yield "list", _page(shelf, address)
    yield "search", _page(ask(f"{address}products/?q=schuh"), address)
    if product := _first_product(shelf, address):
        yield "product", _page(ask(product), address)
    yield "cart", _page(ask(f"{address}cart/"), address)
    yield "log-in", _page(ask(f"{address}account/login/"), address)
    yield "information", _page(ask(f"{address}info/imprint/"), address)
    yield "not found", _page(ask(f"{address}no-such-page/"), address, status=404)
    yield "staff only", _redirect(ask(f"{address}admin/"), f"{address}admin/login/")
    yield from _files(home, ask)


def _page(answer: Answer, address: str, *, status: int = 200) -> list[str]:
    wrong = []
    if answer.status != status:
        wrong.append(f"{answer.url} answers {answer.status or answer.text} instead of {status}.")
    elif "</html>" not in answer.text:
        wrong.append(f"{answer.url} is no whole page: {answer.text[:80]!r}")
    # A link that forgets the stage leads to another one, or nowhere.
    path = urllib.parse.urlsplit(address).path
    strays = {link for link in _links(answer) if link.startswith("/") and not link.startswith(("//", path))}
    wrong += [f"{answer.url} links to {link}, which is not under {path}." for link in sorted(strays)]
    return wrong


def _redirect(answer: Answer, target: str) -> list[str]:
    there = urllib.parse.urljoin(answer.url, answer.headers.get("location", ""))
    if answer.status == 302 and there.partition("?")[0] == target:
        return []
    return [f"{answer.url} answers {answer.status} and leads to {there} instead of {target}."]


def _files(home: Answer, ask: Get) -> Iterator[tuple[str, list[str]]]:
    for name, (ending, kind) in _FILES.items():
        link = next((one for one in _links(home) if one.endswith(ending)), None)
        if link is None:
            yield name, [f"{home.url} has no link that ends in {ending}."]
        else:
            yield name, _file(ask(urllib.parse.urljoin(home.url, link.partition("#")[0])), kind, of=home)


def _file(answer: Answer, kind: str, *, of: Answer) -> list[str]:
    wrong = []
    if answer.status != 200:
        wrong.append(f"{answer.url} answers {answer.status or answer.text}.")
    if (found := answer.headers.get("content-type", "")).partition(";")[0] != kind:
        wrong.append(f"{answer.url} says that it is {found!r} instead of {kind}.")
    if "immutable" not in answer.headers.get("cache-control", ""):
        wrong.append(f"{answer.url} may not be kept by browsers: {answer.headers.get('cache-control')!r}.")
    # Browsers take fonts and modules from elsewhere only if that is allowed.
    is_elsewhere = _origin(answer.url) != _origin(of.url)
    if is_elsewhere and answer.headers.get("access-control-allow-origin") not in ("*", _origin(of.url)):
        wrong.append(f"{answer.url} may not be used by pages of {_origin(of.url)}.")
    return wrong


def _first_product(shelf: Answer, address: str) -> str | None:
    products = f"{urllib.parse.urlsplit(address).path}products/"
    found = next((link for link in _links(shelf) if re.fullmatch(rf"{re.escape(products)}[\w-]+/", link)), None)
    return urllib.parse.urljoin(shelf.url, found) if found else None


def _links(answer: Answer) -> list[str]:
    return [link.replace("&amp;", "&") for link in _LINKS.findall(answer.text)]


def _origin(url: str) -> str:
    scheme, host, *_ = urllib.parse.urlsplit(url)
    return f"{scheme}://{host}"

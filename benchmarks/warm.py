"""A warm function beside the plain application and gunicorn: what the conversion of events costs each kind of page."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import events, queries, served
from ecokart import local

Ask = Callable[[str], object]
#: The pages that always have the same address. Searches are such as nobody asked before.
FIXED = {
    "home": "/",
    "list": "/products/",
    "product": f"/products/{served.PRODUCT}/",
    "cart": "/cart/",
    "checkout": "/checkout/",
    "orders": "/orders/",
    "login": "/account/login/",
    "register": "/account/register/",
    "info": "/info/terms/",
}
KINDS = (*FIXED, "search")


def measure(*, full: bool) -> dict[str, Any]:
    """For each kind of page, medians of blocks in turns: this process's work and the time until the answer, in ms."""
    blocks, size = (9, 40) if full else (3, 10)
    with tempfile.TemporaryDirectory(prefix="bench-warm-") as name:
        environment = served.filled(Path(name))
        with served.running("shop", environment) as address:
            askers = {"function": _function(), "application": _application(), "gunicorn": _gunicorn(address)}
            return {"kinds": {kind: _compared(askers, kind, blocks, size) for kind in KINDS}, "requests": blocks * size}


def _compared(askers: dict[str, Ask], kind: str, blocks: int, size: int) -> dict[str, dict[str, float]]:
    addresses = _addresses(kind)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in askers}
    for number in range(blocks + 1):
        for name in taken if number % 2 else reversed(taken):
            one = _block(askers[name], list(itertools.islice(addresses, size)))
            if number:
                taken[name].append(one)
    return {
        name: {
            "processor_ms": statistics.median(busy for busy, _ in each),
            "ms": statistics.median(passed for _, passed in each),
        }
        for name, each in taken.items()
    }


def _block(ask: Ask, addresses: list[str]) -> tuple[float, float]:
    """For one request on average: this process's work, threads in the background included, and the time that passed."""
    busy, passed = time.process_time(), time.perf_counter()
    for address in addresses:
        ask(address)
    return (
        1000 * (time.process_time() - busy) / len(addresses),
        1000 * (time.perf_counter() - passed) / len(addresses),
    )


def _addresses(kind: str) -> Iterator[str]:
    """Searches are such as nobody asked before."""
    return itertools.repeat(FIXED[kind]) if kind in FIXED else map(queries.path, queries.distinct(4_000))


def _function() -> Ask:
    """The handler in this process."""
    from django.conf import settings

    settings.ALLOWED_HOSTS, settings.HTTPS = [events.HOST], True
    from ecokart.aws import start

    # What it writes down goes to where writing costs nearly nothing.
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    with contextlib.redirect_stderr(nowhere):
        function = start.function()

    def ask(asked: dict[str, Any]) -> dict[str, Any]:
        with contextlib.redirect_stderr(nowhere):
            answer: dict[str, Any] = function(asked, None)
        return answer

    guest = events.Guest(ask)
    guest.add(served.PRODUCT)
    cookie = guest.cookie
    return lambda address: _fine(ask(events.event(address, cookie=cookie))["statusCode"], address)


def _application() -> Ask:
    """The same process's WSGI application, asked without any gateway."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    guest = events.Guest(lambda asked: _through(application, asked))
    guest.add(served.PRODUCT)
    cookie = guest.cookie

    def ask(address: str) -> None:
        statuses: list[str] = []
        path, query = urlsplit(address)[2:4]
        answer = application(_environ(path, query, cookie), lambda status, _headers: statuses.append(status))
        b"".join(answer)
        answer.close()
        _fine(int(statuses[0].split()[0]), address)

    return ask


def _through(application: Any, asked: dict[str, Any]) -> dict[str, Any]:
    from apig_wsgi import make_lambda_handler

    return make_lambda_handler(application, binary_support=True)(asked, None)


def _environ(path: str, query: str, cookie: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": events.HOST,
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": events.HOST,
        "HTTP_ACCEPT_ENCODING": "gzip",
        "HTTP_ACCEPT_LANGUAGE": "de",
        "HTTP_COOKIE": cookie,
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }


def _gunicorn(address: str) -> Ask:
    """Production's server over a connection that stays open. The work is another process's, so only time counts."""
    import http.client

    from benchmarks.visitor import Visitor

    visitor = Visitor(address)
    visitor.add(served.PRODUCT)
    headers = {"Cookie": visitor.cookie, "Accept-Encoding": "gzip", "Accept-Language": "de"}
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def ask(path: str) -> None:
        try:
            answer = answered(path)
        except http.client.RemoteDisconnected:
            # It had been idle while others were asked.
            connection.close()
            answer = answered(path)
        _fine(answer.status, path)

    def answered(path: str) -> http.client.HTTPResponse:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer

    return ask


def _fine(status: int, address: str) -> None:
    if status != 200:
        raise local.CannotRun(f"{address} answered {status}.")

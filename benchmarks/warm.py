"""A warm function beside the plain application and gunicorn: what the conversion of events costs each kind of page."""

from __future__ import annotations

import contextlib
import gc
import http.client
import io
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import events, queries, served, trade
from benchmarks.visitor import Visitor
from ecokart import local

Ask = Callable[[str], object]
Event = dict[str, Any]
#: The pages of each visitor, and what their addresses end with. ``{order}`` is an order of the ``{customer}``. Searches
#: are such as nobody asked before.
PAGES = {
    "guest": {
        "home": "/",
        "list": "/products/",
        "product": f"/products/{served.PRODUCT}/",
        "cart": "/cart/",
        "checkout": "/checkout/",
        "orders": "/orders/",
        "login": "/account/login/",
        "register": "/account/register/",
        "info": "/info/terms/",
        "search": "",
    },
    "customer": {
        "account": "/account/",
        "addresses": "/account/addresses/",
        "address-new": "/account/addresses/new/",
        "password": "/account/password/",
        "email": "/account/email/",
        "delete": "/account/delete/",
        "own-orders": "/orders/",
        "order": "/orders/{order}/",
    },
    "admin": {
        "dashboard": "/admin/",
        "admin-products": "/admin/products/",
        "admin-product": f"/admin/products/{served.PRODUCT}/",
        "admin-new": "/admin/products/new/",
        "admin-archive": f"/admin/products/{served.PRODUCT}/archive/",
        "admin-stock": "/admin/stock/",
        "admin-stock-one": f"/admin/stock/{served.PRODUCT}/",
        "admin-proof": "/admin/stock/proof/",
        "admin-orders": "/admin/orders/",
        "admin-order": "/admin/orders/{order}/",
        "admin-audit": "/admin/audit/",
        "admin-accounts": "/admin/accounts/",
        "admin-account": "/admin/accounts/{customer}/",
        "admin-export": "/admin/orders/export/",
    },
}
_LOGINS = {"customer": ("/account/login/", local.CUSTOMER), "admin": ("/admin/login/", local.ADMIN)}


class _Sdk:
    """How long this process has worked in the AWS SDK's calls, in seconds of processor time."""

    seconds = 0.0

    @classmethod
    def meter(cls) -> None:
        from botocore.client import BaseClient

        call = BaseClient._make_api_call

        def metered(*args: Any) -> Any:
            began = time.process_time()
            try:
                return call(*args)
            finally:
                cls.seconds += time.process_time() - began

        BaseClient._make_api_call = metered


def measure(*, full: bool) -> dict[str, Any]:
    """For each kind of page, medians of blocks in turns, in ms: this process's work, how much of it was the SDK's, and
    the time until the answer."""
    sizes = {"guest": (9, 40), "customer": (5, 20), "admin": (5, 20)} if full else dict.fromkeys(PAGES, (3, 10))
    with tempfile.TemporaryDirectory(prefix="bench-warm-") as name:
        environment = served.filled(Path(name))
        order = trade.happened(served.PRODUCT)
        with served.running("shop", environment) as address:
            _Sdk.meter()
            doors = {"function": _function(), "application": _application(), "gunicorn": partial(_gunicorn, address)}
            kinds = {}
            for who, pages in PAGES.items():
                askers = {name: door(who) for name, door in doors.items()}
                for kind, page in pages.items():
                    kinds[kind] = _compared(askers, page.format(order=order.id, customer=order.user_id), *sizes[who])
    return {"kinds": kinds, "requests": {who: blocks * size for who, (blocks, size) in sizes.items()}}


def _compared(askers: dict[str, Ask], page: str, blocks: int, size: int) -> dict[str, dict[str, float]]:
    addresses = itertools.repeat(page) if page else map(queries.path, queries.distinct(4_000))
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in askers}
    for number in range(blocks + 1):
        for name in taken if number % 2 else reversed(taken):
            one = _block(askers[name], list(itertools.islice(addresses, size)))
            if number:
                taken[name].append(one)
    return {
        name: {
            "processor_ms": statistics.median(busy for busy, _, _ in each),
            "own_ms": statistics.median(busy - sdk for busy, sdk, _ in each),
            "ms": statistics.median(passed for _, _, passed in each),
        }
        for name, each in taken.items()
    }


def _block(ask: Ask, addresses: list[str]) -> tuple[float, float, float]:
    """For one request on average: this process's work, threads in the background included, the SDK's share of it, and
    the time that passed."""
    busy, sdk, passed = time.process_time(), _Sdk.seconds, time.perf_counter()
    for address in addresses:
        ask(address)
    return (
        1000 * (time.process_time() - busy) / len(addresses),
        1000 * (_Sdk.seconds - sdk) / len(addresses),
        1000 * (time.perf_counter() - passed) / len(addresses),
    )


def _arrived(visitor: events.Guest | Visitor, who: str) -> str:
    """Make somebody one of the visitors: a guest with a cart, or somebody who is logged in. Gives their cookie."""
    if who == "guest":
        visitor.add(served.PRODUCT)
    else:
        door, login = _LOGINS[who]
        visitor.log_in(door, login.email, login.password)
    return visitor.cookie


def _function() -> Callable[[str], Ask]:
    """The handler in this process."""
    from django.conf import settings

    settings.ALLOWED_HOSTS, settings.HTTPS = [events.HOST], True
    # It is asked for at the log-in, which is not measured; a page only looks whether that was done.
    settings.ADMIN_SECOND_FACTOR = False
    from ecokart.aws import start

    # What it writes down goes to where writing costs nearly nothing.
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    with contextlib.redirect_stderr(nowhere):
        function = start.function()
    # As the handler does it.
    gc.collect()
    gc.freeze()

    def ask(asked: Event) -> Event:
        with contextlib.redirect_stderr(nowhere):
            answer: Event = function(asked, None)
        return answer

    def door(who: str) -> Ask:
        cookie = _arrived(events.Guest(ask), who)
        return lambda address: _fine(ask(events.event(address, cookie=cookie))["statusCode"], address)

    return door


def _application() -> Callable[[str], Ask]:
    """The same process's WSGI application, asked without any gateway."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def door(who: str) -> Ask:
        cookie = _arrived(events.Guest(partial(_through, application)), who)
        return partial(_asked, application, cookie)

    return door


def _asked(application: Any, cookie: str, address: str) -> None:
    statuses: list[str] = []
    path, query = urlsplit(address)[2:4]
    answer = application(_environ(path, query, cookie), lambda status, _headers: statuses.append(status))
    b"".join(answer)
    answer.close()
    _fine(int(statuses[0].split()[0]), address)


def _through(application: Any, asked: Event) -> Event:
    from apig_wsgi import make_lambda_handler

    return make_lambda_handler(application, binary_support=True)(asked, None)


def _environ(path: str, query: str, cookie: str) -> Event:
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


def _gunicorn(address: str, who: str) -> Ask:
    """Production's server over a connection that stays open. The work is another process's, so only time counts."""
    headers = {"Cookie": _arrived(Visitor(address), who), "Accept-Encoding": "gzip", "Accept-Language": "de"}
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

"""The shop on Lambda: from a fresh process to its first page, what is packed, memory, and what a warm page costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks import one, trade
from benchmarks.catalogue import Row
from benchmarks.pages import machine, number, table

ENGINE, WARM_ENGINE = "dynoxide", "ministack"
MEGABYTE = 1024 * 1024
NAMES = {
    "home": "home page",
    "list": "catalogue page",
    "search": "search page",
    "product": "product page",
    "cart": "cart",
    "checkout": "checkout",
    "orders": "guest's orders",
    "login": "log-in",
    "register": "registration",
    "info": "terms",
    "account": "account",
    "addresses": "book of addresses",
    "address-new": "new address",
    "password": "new password",
    "email": "new e-mail address",
    "delete": "deleting the account",
    "own-orders": "customer's orders",
    "order": "customer's order",
    "dashboard": "admin: dashboard",
    "admin-products": "admin: products",
    "admin-product": "admin: a product's form",
    "admin-new": "admin: new product",
    "admin-archive": "admin: archiving",
    "admin-stock": "admin: stock",
    "admin-stock-one": "admin: a product's stock",
    "admin-proof": "admin: proof of stock",
    "admin-orders": "admin: orders",
    "admin-order": "admin: an order",
    "admin-audit": "admin: audit log",
    "admin-accounts": "admin: find an account",
    "admin-account": "admin: an account",
    "admin-export": "admin: export of orders",
}
FIRST = {
    "made": "first request after INIT",
    "product": "a first product page",
    "stage": "a first catalogue page at the stage's own address",
}

_TEXT = """# The shop on Lambda

Written by `make bench BENCH=lambda` on {today}, on {machine}; the functions ran on Python {python}. Nothing here
ran on AWS: a process is started as Lambda starts it, under AWS's own client for Python, with a Runtime API on
loopback that hands it events of the REST API and looks at the clock. The database is {engine} on loopback, without
TLS. Ratios hold better than times: everything ran in one run, in turns, and other work may have shared the machine.
MB are 2^20 bytes, as in Lambda's limits.

{count} of {all} figures that have something to reach are NOT reached.

{rows}

## From a fresh process to the first page

Medians of {rounds} processes each, in ms, with 31 products in the database. INIT ends when the function asks for
its first event; the first page is the catalogue's, with 24 cards. "Zappa's default" is the same shop packed by
`zappa package` in an environment with `requirements.txt` and Zappa, with settings that say what must be said and
nothing else, unpacked with the dates that the zip has; its handler is Zappa's. Processes may write no bytecode, as
on Lambda, so what is not valid is compiled anew by each. Lambda gives INIT a whole processor whatever the
function's memory is; a request gets memory/1769 of one.

{starts}

## Where importing takes its time

`python -X importtime` over `import ecokart.aws.handler`, {modules} modules, in ms; timing it makes it slower. What
stands at a module is its own time without what it imports; the handler's own, and what is imported meanwhile,
includes building Django and the first page.

{groups}

{slowest}

## Warm

A guest with a cart, then a customer and an admin who are logged in, in a shop with 31 products, {orders} orders, the
movements and log entries that come of them, and {carts} carts. Medians of blocks in turns, {guest} requests each for
the guest and {admin} for the others, in ms. "Work" is this process's processor time, which is what Lambda's memory
stretches: at 1,769 MB a request has one processor. "Without the SDK" is that without the calls of the AWS SDK, of which
each takes about a millisecond: what is left is the shop, Django, and what becomes of the SDK's answers. The function
and the application are the same process on Python {here}; gunicorn is production's server on the same machine.
Searches are such as nobody asked before.

{warm}
"""


def report(*, full: bool) -> str:
    got = one.measured("starts", ENGINE, full=full)
    warm = one.measured("warm", WARM_ENGINE, full=full)
    rows = [*_start_rows(got), *_size_rows(got), *_warm_rows(warm)]
    return _TEXT.format(
        today=time.strftime("%d %B %Y"),
        machine=machine(),
        python=got["python"],
        here=machine().rpartition(" ")[2],
        engine=ENGINE,
        count=sum(row.is_reached is False for row in rows),
        all=sum(row.is_reached is not None for row in rows),
        rows=table(["what", "to reach", "measured", ""], [row.cells for row in rows]),
        rounds=got["rounds"],
        starts=_starts(got),
        modules=got["imports"]["modules"],
        groups=table(["whose modules", "ms"], [[name, _ms(ms)] for name, ms in got["imports"]["groups"].items()]),
        slowest=table(["module", "ms"], [[f"`{name}`", _ms(ms)] for name, ms in got["imports"]["slowest"]]),
        **warm["requests"],
        orders=trade.ORDERS,
        carts=trade.CARTS,
        warm=_warm(warm),
    )


def _start_rows(got: dict[str, Any]) -> Iterator[Row]:
    ours, empty, zappa = (got["starts"][kind]["total_ms"] for kind in ("ours", "empty", "zappa"))
    yield Row("fresh process to first catalogue page", ours, "", "ms")
    yield Row("beside an empty function", ours / empty, "≤ 10", "×")
    yield Row("beside the same shop in Zappa's default package", ours / zappa, "≤ 0.25", "×")
    yield Row("beside `python -c pass`", ours / got["starts"]["pass"]["total_ms"], "", "×")
    for kind, name in FIRST.items():
        one_of = got["first"][kind]
        wanted = "≤ 2.5" if kind == "made" else ""
        yield Row(f"{name}, beside a warm one", one_of["first_ms"] / one_of["warm_ms"], wanted, "×")


def _size_rows(got: dict[str, Any]) -> Iterator[Row]:
    yield Row("deployment package", got["bytes"]["ours"] / MEGABYTE, "≤ 8", "MB")
    yield Row("memory at the most, first page", got["memory"]["first"] / 1024, "≤ 80", "MB")
    requests = number(got["memory"]["requests"])
    yield Row(f"memory at the most, after {requests} mixed requests", got["memory"]["mixed"] / 1024, "≤ 120", "MB")


def _warm_rows(warm: dict[str, Any]) -> Iterator[Row]:
    for kind, by in warm["kinds"].items():
        yield Row(f"{NAMES[kind]}, warm: our own work", by["function"]["processor_ms"], "≤ 10", "ms")


def _starts(got: dict[str, Any]) -> str:
    names = {"pass": "`python -c pass`", "empty": "an empty function", "ours": "ours", "zappa": "Zappa's default"}
    head = ["", "INIT", "first request", "in all", "warm", "zip MB", "files"]
    rows = []
    for kind, name in names.items():
        took = got["starts"][kind]
        packed = [f"{got['bytes'][kind] / MEGABYTE:.1f}", number(got["files"][kind])] if kind != "pass" else ["", ""]
        rows.append([name, *(_ms(took[key]) for key in ("init_ms", "first_ms", "total_ms", "warm_ms")), *packed])
    first = [
        [
            f"{name} (as our log says)",
            "",
            _ms(got["first"][kind]["first_ms"]),
            "",
            _ms(got["first"][kind]["warm_ms"]),
            "",
            "",
        ]
        for kind, name in FIRST.items()
    ]
    return table(head, [*rows, *first])


def _warm(warm: dict[str, Any]) -> str:
    head = [
        "page",
        "function: without the SDK",
        "function: work",
        "application: work",
        "conversion",
        "function: time",
        "gunicorn: time",
        "added",
    ]
    rows = []
    for kind, by in warm["kinds"].items():
        function, application, gunicorn = (by[name] for name in ("function", "application", "gunicorn"))
        converted = function["processor_ms"] - application["processor_ms"]
        work = [function["own_ms"], function["processor_ms"], application["processor_ms"], converted]
        rows.append([NAMES[kind], *map(_ms, [*work, function["ms"], gunicorn["ms"], function["ms"] - gunicorn["ms"]])])
    return table(head, rows)


def _ms(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"

"""One process that has just started, on an engine that others have filled: what a catalogue of this size costs it.

    python -m benchmarks.cold fill PRODUCTS
    python -m benchmarks.cold bare
    python -m benchmarks.cold shop ACTIVE full|quick

``fill`` makes the tables and the products, as if that had been yesterday: right after an import every copy looks back
over it for eleven minutes. ``bare`` reads what a copy reads, with botocore alone. ``shop`` asks for pages through the
whole stack of middleware, the first of them again and again until it knows all ACTIVE products. Prints JSON.
"""

from __future__ import annotations

import gc
import itertools
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import queries
from ecokart import local

EVERY_SECONDS = 0.1
_AT_MOST_SECONDS = 120
_OLD_AFTER_SECONDS = 3.0
_TOTAL = re.compile(rb'role="status">\s*([\d.,\xc2\xa0\xe2\x80\xaf]+)')


def fill(products: int) -> dict[str, Any]:
    """How long it takes to make so many products."""
    from inventory import clock, tables
    from inventory.demo import seeding

    really_now = clock.now

    def yesterday() -> datetime:
        return really_now() - timedelta(days=1)

    with mock.patch.object(clock, "now", yesterday):
        for _ in itertools.chain(tables.create(), seeding.seed()):
            pass
        began = time.perf_counter()
        for _ in seeding.seed_many(products, seed_number=1):
            pass
    return {"seconds": time.perf_counter() - began}


def bare() -> dict[str, Any]:
    """How long the engine takes to give both indexes, page by page, with nothing done with them."""
    from benchmarks import meter
    from inventory.models import CATALOGUE, Product

    client, began, items = meter.eye(), time.perf_counter(), 0
    for index in ("availability-index", "catalogue-index"):
        question = {
            "TableName": Product.Meta.table_name,
            "IndexName": index,
            "KeyConditionExpression": "catalogue = :all",
            "ExpressionAttributeValues": {":all": {"S": CATALOGUE}},
        }
        answer = client.query(**question)
        while "LastEvaluatedKey" in answer:
            items += len(answer["Items"])
            answer = client.query(**question, ExclusiveStartKey=answer["LastEvaluatedKey"])
        items += len(answer["Items"])
    return {"seconds": time.perf_counter() - began, "items": items}


def shop(active: int, *, full: bool) -> dict[str, Any]:
    """The first full read, then processor time, units and memory of pages."""
    from django.template.loader import get_template

    from benchmarks import meter
    from ecokart import server
    from shop import ready

    ask = _asker("gzip")
    # Neither templates, nor the SDK's clients, nor the rest of Django are what is measured.
    for template in ("shop/product_list.html", "shop/_product_card.html", "404.html"):
        get_template(template)
    with meter.listening("before-call.dynamodb", lambda **_: None):
        pass  # Makes every client.
    ask("/healthz")
    ask("/info/imprint/")
    # As production's processes do.
    server.post_worker_init(None)
    first = _first_read(active)
    memory = _resident_kilobytes()
    blocks, size = (7, 20) if full else (3, 5)
    searches = map(queries.path, queries.distinct(blocks * size * 2))
    # What is known of the stock is older then than pages show.
    time.sleep(_OLD_AFTER_SECONDS)
    with meter.metered() as bill:
        ask("/products/")
    return first | {
        "kilobytes": memory,
        "page_ms": _processor_ms(ask, itertools.repeat("/products/"), blocks, size),
        "search_ms": _processor_ms(ask, searches, blocks, size),
        "read_units": bill.read_units,
        "trips": bill.trips,
        "kilobytes_at_the_end": _resident_kilobytes() - ready.bytes_kept() // 1024,
    }


def total_of(page: bytes) -> int:
    """How many products a catalogue page says that there are; 0 where it says nothing."""
    found = _TOTAL.search(page)
    return int(re.sub(rb"[^0-9]", b"", found[1]) or 0) if found else 0


def _asker(encoding: str) -> Callable[[str], bytes]:
    """What gives a page's bytes, as a browser that takes this encoding gets them."""
    from django.test import Client

    client = Client(headers={"host": local.HOST, "accept-language": "de", "accept-encoding": encoding})

    def ask(path: str) -> bytes:
        page = client.get(path)
        if page.status_code != 200:
            raise local.CannotRun(f"{path} answered {page.status_code}.")
        return bytes(page.content)

    return ask


def _first_read(active: int) -> dict[str, Any]:
    """One visitor asks every tenth of a second until the catalogue is complete. How long, and the slowest answer.

    ``warm_seconds`` is what a page takes then that is made anew, with its stock read anew.
    """
    from inventory import live_stock
    from shop import ready

    ask, answers, began, total = _asker("identity"), list[float](), time.perf_counter(), 0
    while total < active and time.perf_counter() - began < _AT_MOST_SECONDS:
        if answers:
            time.sleep(max(0.0, EVERY_SECONDS - answers[-1]))
        asked = time.perf_counter()
        total = total_of(ask("/products/"))
        answers.append(time.perf_counter() - asked)
    seconds, again = time.perf_counter() - began, time.perf_counter()
    ready.forget()
    live_stock.forget()
    ask("/products/")
    return {
        "complete": total >= active,
        "seconds": seconds,
        "warm_seconds": time.perf_counter() - again,
        "answers": len(answers),
        "slowest_seconds": max(answers),
    }


def _processor_ms(ask: Callable[[str], bytes], paths: Iterable[str], blocks: int, size: int) -> float:
    """Milliseconds of this process's work for a page: the median of blocks. A block is cut off where it takes long."""
    waiting, each = iter(paths), []
    ask(next(waiting))
    for _ in range(blocks):
        began, was_busy, done = time.monotonic(), time.process_time(), 0
        while done < size and time.monotonic() - began < _AT_MOST_SECONDS / blocks:
            ask(next(waiting))
            done += 1
        each.append(1000 * (time.process_time() - was_busy) / done)
    return statistics.median(each)


def _resident_kilobytes() -> int:
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]


def main(arguments: list[str]) -> int:
    import django

    django.setup()
    what, *more = arguments
    deeds: dict[str, Callable[[], dict[str, Any]]] = {
        "fill": lambda: fill(int(more[0])),
        "bare": bare,
        "shop": lambda: shop(int(more[0]), full=more[1] == "full"),
    }
    json.dump(deeds[what](), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

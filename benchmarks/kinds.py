"""What each kind of request takes of the function, as its own log says, and of the processor. One part of the bill."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import costs, events, goods, queries, runtime, starts, zips
from benchmarks.visitor import CONTACT
from ecokart import local
from inventory import live_stock, metering, pictures, reservations
from inventory.replica import tail

STAGE = "production"
LINES = 3
#: Pictures that a first visit looks at: a page of cards, and three products.
SMALL, LARGE = 24, 3
_PICTURES = 6
_KINDS = {
    "shop:home": "home",
    "shop:product-list": "list",
    "shop:product-detail": "product",
    "shop:cart": "cart",
    "shop:cart-add": "cart-add",
    "shop:checkout": "checkout",
    "shop:order-detail": "order",
}
_TASKS = ("release_expired", "send_mails", "prove_stock")
_HIDDEN = re.compile(rb'name="(csrfmiddlewaretoken|checkout_token)" value="([^"]+)"')


def measure(*, full: bool) -> dict[str, Any]:
    visits = 15 if full else 3
    shelf = [product.id for product in goods.stocked(31)]
    function = Function()
    for _ in range(visits + 1):
        # The first one makes what later ones find ready.
        function.play(shelf)
    kinds = {kind: _averages(told[len(told) // (visits + 1) :]) for kind, told in function.told.items()}
    return {
        "kinds": kinds,
        "look": function.look(),
        "tasks": {task: function.task(task) for task in _TASKS},
        "release": _release(shelf[0]),
        "first_view": _first_view(function.page("/products/")),
        **_package(rounds=5 if full else 1),
        "visits": visits,
    }


def _averages(told: list[dict[str, float]]) -> dict[str, float]:
    """Of what was counted the mean, because it differs with what was asked for; of work the median."""
    mean = {name: round(statistics.fmean(one[name] for one in told), 2) for name in told[0]}
    return mean | {"processor_ms": round(statistics.median(one["processor_ms"] for one in told), 2)}


class Function:
    """The function as it is on Lambda, in this process, with what it said of each request by kind."""

    def __init__(self) -> None:
        os.environ |= {"AWS_LAMBDA_FUNCTION_NAME": f"ecokart-{STAGE}", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"}
        from django.conf import settings

        settings.ALLOWED_HOSTS, settings.HTTPS, settings.SITE_URL = [events.HOST], True, f"https://{events.HOST}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        from ecokart.aws import start

        self.told: dict[str, list[dict[str, float]]] = defaultdict(list)
        self._searches = map(queries.path, queries.distinct(4_000))
        with contextlib.redirect_stderr(io.StringIO()):
            self._function = start.function()

    def play(self, shelf: list[str]) -> None:
        """Somebody who looks around, and orders three products."""
        guest = Guest(self)
        for address in ("/", "/products/", next(self._searches)):
            guest.get(address)
        for product_id in shelf[:LINES]:
            guest.add(product_id)
        guest.order()

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        """Where few people are, nobody has asked for this page's stock a second before."""
        live_stock.forget()
        tail.FRESH_SECONDS = float("inf")
        answer, line, busy = self._called(event)
        kind = _KINDS.get(line["route"], "")
        kind = "search" if kind == "list" and event["queryStringParameters"] else kind
        kind = "order-placed" if kind == "checkout" and event["httpMethod"] == "POST" else kind
        self.told[kind].append(_figures(line, busy) | {"bytes": len(events.raw_of(answer))})
        return answer

    def page(self, address: str) -> bytes:
        return events.page_of(self._called(events.event(address))[0])

    def look(self) -> dict[str, float]:
        """What the process asks for by itself, when somebody comes after a pause."""
        tail.FRESH_SECONDS = 0.0
        metering.take_own()
        _, line, _ = self._called(events.event("/products/"))
        return {"calls": line["own_calls"], "read_units": line["own_read_units"]}

    def task(self, name: str) -> dict[str, float]:
        """One call by the clock that finds nothing to do."""
        rule = f"arn:aws:events:eu-central-1:000000000000:rule/ecokart-{STAGE}-{name}"
        event = {"source": "aws.events", "resources": [rule]}
        self._called(event)
        _, line, busy = self._called(event)
        # It may ask in threads of its own.
        for name in ("read_units", "write_units"):
            line[name] += line.get(f"own_{name}", 0.0)
        return _figures(line, busy)

    def _called(self, event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], float]:
        written, began = io.StringIO(), time.process_time()
        with contextlib.redirect_stderr(written):
            answer = self._function(event, None)
        busy = 1000 * (time.process_time() - began)
        lines = [json.loads(line) for line in written.getvalue().splitlines()]
        line = next(one for one in lines if "route" in one or "task" in one)
        return answer, line | {"log_bytes": len(written.getvalue())}, busy


def _figures(line: dict[str, Any], busy: float) -> dict[str, float]:
    told = {name: line[name] for name in ("read_units", "write_units", "log_bytes")}
    return told | {"calls": line["dynamodb_calls"], "processor_ms": round(busy, 2)}


class Guest(events.Guest):
    """Also orders."""

    def __init__(self, function: Function) -> None:
        super().__init__(function.ask)

    def order(self) -> None:
        found = {name.decode(): value.decode() for name, value in _HIDDEN.findall(self.get("/checkout/"))}
        body = urlencode({**CONTACT, **found})
        placed = self._answered(events.event("/checkout/", method="POST", body=body, cookie=self.cookie))
        self.get(placed["multiValueHeaders"]["Location"][0])


def _release(product_id: str) -> dict[str, float]:
    """What a cart costs that was left: the sweep gives back what it holds."""
    reservations.reserve(goods.owner(), product_id, quantity=1)
    with costs.hours_later():
        bill = _billed(reservations.release_expired)
    nothing = _billed(reservations.release_expired)
    return {
        "read_units": bill.read_units - nothing.read_units,
        "write_units": bill.write_units - nothing.write_units,
    }


def _billed(rule: partial[int] | Any) -> metering.Bill:
    with metering.billed() as bill:
        rule()
    return bill


def _first_view(page: bytes) -> dict[str, Any]:
    """Files that somebody fetches who comes for the first time, as they lie in the bucket."""
    names = sorted({name.decode() for name in re.findall(rb'(?:href|src)="/static/([^"]+)"', page)})
    sizes = [len(_as_sent(local.ROOT / "static" / name)) for name in names]
    small, large = _picture_bytes()
    return {"files": len(names) + SMALL + LARGE, "bytes": round(sum(sizes) + SMALL * small + LARGE * large)}


def _as_sent(path: Path) -> bytes:
    body = path.read_bytes()
    return body if path.suffix == ".woff2" else gzip.compress(body, mtime=0)


def _picture_bytes() -> tuple[float, float]:
    """Some of the demo catalogue's pictures in the two sizes, in the format that today's browsers choose."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    def sizes() -> Iterator[list[int]]:
        for path in sorted((local.ROOT / "inventory" / "demo" / "pictures").glob("*.webp"))[:_PICTURES]:
            key = pictures.store(ContentFile(path.read_bytes(), name=path.name))
            yield [default_storage.size(pictures.file_name(key, width, "avif")) for width in pictures.WIDTHS]

    small, large = zip(*sizes(), strict=True)
    return statistics.fmean(small), statistics.fmean(large)


def _package(*, rounds: int) -> dict[str, Any]:
    """The package, and how long a process takes that begins with it."""
    with tempfile.TemporaryDirectory(prefix="bench-bill-") as name:
        folder, version, inits = Path(name), zips.python(), []
        function, archive = zips.ours(folder, version, zips.client(folder / "client", version))
        for _ in range(rounds + 1):
            with runtime.started(function, starts.environment(**starts.OWN), log=folder / "log.txt") as running:
                inits.append(1000 * running.wait_for_init())
        return {"package_bytes": archive.stat().st_size, "init_ms": round(statistics.median(inits[1:]), 1)}

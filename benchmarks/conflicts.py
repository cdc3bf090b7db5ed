"""The simulation's check: real threads, the shop's own rule and a real engine that is made to refuse as AWS does.

No engine at hand ever answers TransactionConflict. So a listener at each of the shop's clients keeps a transaction on
its items for a while and refuses every other one on the same items meanwhile. How long that, a read and a refusal
took is measured as well, and the simulation is then told the same times. One part of the report on hot products.
"""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from benchmarks import goods, meter
from inventory import reservations, stock
from inventory.errors import Busy

BUYERS = (1, 10, 50)
WRITE_SECONDS, READ_SECONDS, REFUSAL_SECONDS = 0.05, 0.005, 0.005


@dataclass
class Crowd:
    """What the listeners saw: which products are being written to, and how long everything took."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    writing: set[str] = field(default_factory=set)
    mine: threading.local = field(default_factory=threading.local)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"write": [], "read": [], "refusal": []})


def measure(*, full: bool) -> list[dict[str, Any]]:
    # Fifty buyers share sixteen connections here; a shop's process has no more threads than connections.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    runs = 5 if full else 1
    return [_sale(buyers, runs) for buyers in BUYERS]


def _sale(buyers: int, runs: int) -> dict[str, Any]:
    """Everybody reserves one of the same product at once, some times over."""
    crowd, waits, busy, lasted = Crowd(), list[float](), 0, []
    for _ in range(runs):
        (product,) = goods.stocked(1, called=f"hot-{goods.owner()}")
        start = threading.Barrier(buyers)
        with _like_aws(crowd), ThreadPoolExecutor(buyers) as pool:
            outcomes = list(pool.map(_buy, [product.id] * buyers, [start] * buyers))
        got = [wait for wait in outcomes if wait is not None]
        waits, busy = waits + got, busy + len(outcomes) - len(got)
        lasted.append(max(got))
        _check(product.id, len(got))
    tries = len(crowd.seconds["write"]) + len(crowd.seconds["refusal"])
    return {
        "buyers": buyers,
        "runs": runs,
        "served": len(waits),
        "busy": busy,
        "tries_each": tries / len(waits),
        "waits": sorted(waits),
        "per_second": len(waits) / sum(lasted),
        "seconds": {what: statistics.mean(took) if took else 0.0 for what, took in crowd.seconds.items()},
    }


def _buy(product_id: str, start: threading.Barrier) -> float | None:
    owner_id = goods.owner()
    start.wait(30)
    clicked_at = time.monotonic()
    try:
        reservations.reserve(owner_id, product_id, quantity=1)
    except Busy:
        return None
    return time.monotonic() - clicked_at


def _check(product_id: str, sold: int) -> None:
    (now,) = stock.products([product_id])
    if now.reserved != sold:
        raise ValueError(f"{sold} were told that they got one, and {now.reserved} are reserved.")


@contextmanager
def _like_aws(crowd: Crowd) -> Iterator[None]:
    listeners: list[tuple[str, Callable[..., object]]] = [
        ("before-parameter-build.dynamodb.BatchGetItem", lambda **_: _read_begins(crowd)),
        ("after-call.dynamodb.BatchGetItem", lambda **_: _read_ends(crowd)),
        ("before-parameter-build.dynamodb.TransactWriteItems", lambda params, **_: _write_asked(crowd, params)),
        ("before-call.dynamodb.TransactWriteItems", lambda **_: _write_begins(crowd)),
        ("after-call.dynamodb.TransactWriteItems", lambda **_: _write_ends(crowd)),
    ]
    with ExitStack() as stack:
        for event, listener in listeners:
            stack.enter_context(meter.listening(event, listener))
        yield


def _read_begins(crowd: Crowd) -> None:
    crowd.mine.since = time.monotonic()


def _read_ends(crowd: Crowd) -> None:
    time.sleep(READ_SECONDS)
    _took(crowd, "read")


def _write_asked(crowd: Crowd, params: dict[str, Any]) -> None:
    updates = [action["Update"] for action in params["TransactItems"] if "Update" in action]
    crowd.mine.wants = {update["Key"]["id"]["S"] for update in updates}


def _write_begins(crowd: Crowd) -> tuple[SimpleNamespace, dict[str, Any]] | None:
    crowd.mine.since = time.monotonic()
    with crowd.lock:
        crowd.mine.refused = bool(crowd.mine.wants & crowd.writing)
        if not crowd.mine.refused:
            crowd.writing |= crowd.mine.wants
            return None
    time.sleep(REFUSAL_SECONDS)
    answer: dict[str, Any] = {"Error": {"Code": "TransactionCanceledException", "Message": "made up"}}
    answer |= {"CancellationReasons": [{"Code": "TransactionConflict"}], "ResponseMetadata": {"RetryAttempts": 0}}
    return SimpleNamespace(status_code=400), answer


def _write_ends(crowd: Crowd) -> None:
    if crowd.mine.refused:
        _took(crowd, "refusal")
        return
    time.sleep(WRITE_SECONDS)
    with crowd.lock:
        crowd.writing -= crowd.mine.wants
    _took(crowd, "write")


def _took(crowd: Crowd, what: str) -> None:
    crowd.seconds[what].append(time.monotonic() - crowd.mine.since)

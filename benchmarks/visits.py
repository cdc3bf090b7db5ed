"""The first version's load test: a hundred users with sessions and forms, most of whom look, some of whom buy.

    python -m benchmarks.visits ADDRESS USERS REQUESTS

plays the users, in a process of their own, and prints what they saw as JSON.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import queries, served
from benchmarks.visitor import Visitor
from ecokart import local

USERS = 100
PRODUCTS = [f"prod-{number:03}" for number in range(1, 32)]
_SHARES = {"browse": 80, "cart": 15, "checkout": 5}
_PLENTY = 100_000
_AT_MOST_SECONDS = 900


def measure(*, full: bool) -> dict[str, Any]:
    """The shop and the floor, in turns, asked by the same users; and whether all stock is right afterwards."""
    rounds, requests = (2, 5_000) if full else (1, 500)
    from inventory import stock

    with tempfile.TemporaryDirectory(prefix="bench-visits-") as name:
        environment, bodies = served.filled(Path(name) / "shop"), Path(name) / "bodies"
        for product_id in PRODUCTS:
            stock.adjust(product_id, by=_PLENTY, reason="received", note="", who="bench")
        with served.running("shop", environment) as shop:
            served.capture(shop, bodies)
            with served.running("floor", environment, FLOOR_BODIES=str(bodies)) as floor:
                _played(shop, USERS)
                turns = [(name, _played(address, requests)) for _ in range(rounds)
                         for name, address in (("shop", shop), ("floor", floor))]  # fmt: skip
        command = [sys.executable, "manage.py", "prove_stock"]
        proof = subprocess.run(command, cwd=local.ROOT, stdout=subprocess.DEVNULL, timeout=_AT_MOST_SECONDS)
    both = {name: [seen for other, seen in turns if other == name] for name in ("shop", "floor")}
    return {"users": USERS, "proof": proof.returncode, **{name: _summed_up(seen) for name, seen in both.items()}}


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _summed_up(turns: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = [one for turn in turns for one in turn["seconds"]]
    return {
        "requests": len(seconds),
        "errors": [error for turn in turns for error in turn["errors"]],
        "orders": sum(turn["orders"] for turn in turns),
        "average_ms": 1000 * sum(seconds) / len(seconds),
        "p95_ms": 1000 * percentile(seconds, 95),
        "p99_ms": 1000 * percentile(seconds, 99),
        "per_second": len(seconds) / sum(turn["took"] for turn in turns),
    }


def _played(address: str, requests: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.visits", address, str(USERS), str(requests)]
    done = subprocess.run(command, cwd=local.ROOT, stdout=subprocess.PIPE, check=True, timeout=_AT_MOST_SECONDS)
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


class _Crowd:
    """Users who all go on until so many requests were made."""

    def __init__(self, address: str, users: int, requests: int) -> None:
        self._address, self._users, self._left = address, users, requests
        self._lock = threading.Lock()
        self._searches = [queries.path(query) for query in queries.distinct(1_000)]

    def play(self) -> dict[str, Any]:
        began = time.perf_counter()
        with ThreadPoolExecutor(self._users) as pool:
            visitors = list(pool.map(self._play_one, range(self._users)))
        return {
            "took": time.perf_counter() - began,
            "seconds": [round(one, 6) for visitor, _ in visitors for one in visitor.seconds],
            "errors": [error for visitor, _ in visitors for error in visitor.errors],
            "orders": sum(orders for _, orders in visitors),
        }

    def _play_one(self, number: int) -> tuple[Visitor, int]:
        choice, visitor, orders, before = random.Random(number), Visitor(self._address), 0, 0
        while self._is_to_go_on(len(visitor.seconds) + len(visitor.errors) - before):
            before = len(visitor.seconds) + len(visitor.errors)
            deed = choice.choices(list(_SHARES), list(_SHARES.values()))[0]
            if deed == "browse":
                visitor.get(self._page(choice))
            else:
                visitor.add(choice.choice(PRODUCTS))
            if deed == "checkout":
                orders += b"checkout_token" not in visitor.order().body
        visitor.close()
        return visitor, orders

    def _is_to_go_on(self, done: int) -> bool:
        with self._lock:
            self._left -= done
            return self._left > 0

    def _page(self, choice: random.Random) -> str:
        product = f"/products/{choice.choice(PRODUCTS)}/"
        return choice.choice(["/", "/products/", "/products/", product, product, choice.choice(self._searches)])


if __name__ == "__main__":
    json.dump(_Crowd(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).play(), sys.stdout)

"""The catalogue at 31 to 100,000 products: an engine for each size; on each, in turns, processes that just started."""

from __future__ import annotations

import functools
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ecokart import local
from tests import engines

ENGINE = "dynoxide"
DEMO = 31
_AT_MOST_SECONDS = 900
# A process takes three megabytes more or less by chance, which is much for each of a thousand products: these few that
# start at once are started more often.
ROUNDS, ROUNDS_OF_FEW, FEW = 3, 7, 1_000


def measure(*, full: bool) -> list[dict[str, Any]]:
    """For each size: how long filling took, the medians of the rounds, and the least memory of any."""
    sizes = (DEMO, 1_000, 10_000, 100_000) if full else (DEMO, 1_000)
    with tempfile.TemporaryDirectory(prefix="bench-sizes-") as name, ExitStack() as stack:
        shops = {}
        for size in sizes:
            running = engines.running(ENGINE, directory=Path(name) / str(size))
            # Nobody reads a line for each request here, and they would bury the results.
            more = {"DJANGO_SETTINGS_MODULE": "tests.settings", "LOG_JSON": "0"}
            shops[size] = stack.enter_context(running) | more
        filled = {size: _fill(size, environment) for size, environment in shops.items()}
        rows: dict[int, list[dict[str, Any]]] = {size: [] for size in sizes}
        for number in range(ROUNDS_OF_FEW if full else 1):
            for size, environment in shops.items():
                if number < ROUNDS or size <= FEW:
                    rows[size].append(_round(environment, size, full=full))
    return [{"products": size, "fill_seconds": filled[size], **_summed_up(rows[size])} for size in sizes]


@functools.cache
def active(size: int) -> int:
    """How many of a filled shop's products are on its shelves."""
    from inventory import clock
    from inventory.demo import composing

    composed = (composing.product(1, number, pictures={}, at=clock.now()) for number in range(size - DEMO))
    return DEMO + sum(product.is_active for product in composed)


def _fill(size: int, environment: local.Environment) -> float:
    return float(_cold(environment, "fill", str(size))["seconds"])


def _round(environment: local.Environment, size: int, *, full: bool) -> dict[str, Any]:
    seen = _cold(environment, "shop", str(active(size)), "full" if full else "quick")
    return {"bare_seconds": _cold(environment, "bare")["seconds"], **seen}


def _cold(environment: local.Environment, *arguments: str) -> dict[str, Any]:
    """What a process that just started says."""
    command = [sys.executable, "-m", "benchmarks.cold", *arguments]
    done = subprocess.run(
        command,
        cwd=local.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_AT_MOST_SECONDS,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _summed_up(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    return medians | {"least_kilobytes": min(one["kilobytes_at_the_end"] for one in rounds)}

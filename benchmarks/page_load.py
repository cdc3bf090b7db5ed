"""Requests per second and latency of the catalogue's pages at a hundred connections, beside the floor and plain pages.

Every server runs all the time and only one is asked at a time, in turns, the order changing from round to round.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import load, queries, served
from benchmarks.visitor import Visitor

QUERIES = 10_000
# Which pages are asked of which servers, and as what browsers take.
CONTESTS = (
    ("list", "identity", ("shop", "floor", "plain")),
    ("list", "gzip", ("shop", "floor", "plain")),
    ("product", "gzip", ("shop", "floor")),
    ("home", "gzip", ("shop", "floor")),
    ("search", "gzip", ("shop", "floor")),
)
ADDRESSES = {"list": "/products/", "product": f"/products/{served.PRODUCT}/", "home": "/"}
Rounds = dict[str, list[load.Load]]


def measure(*, full: bool) -> dict[str, Any]:
    rounds, seconds = (5, 4) if full else (1, 2)
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as name, ExitStack() as stack:
        directory = Path(name)
        environment, bodies = served.filled(directory / "shop"), directory / "bodies"
        shop = stack.enter_context(served.running("shop", environment))
        visitor = served.capture(shop, bodies)
        addresses = {"shop": shop, "plain": stack.enter_context(served.running("plain", environment))}
        addresses["floor"] = stack.enter_context(served.running("floor", environment, FLOOR_BODIES=str(bodies)))
        taken = _contested(addresses, visitor.cookie, directory, rounds, seconds)
        calls_file = directory / "calls"
        counting = stack.enter_context(served.running("counting", environment, CALLS_FILE=str(calls_file)))
        return {
            "contests": [_summed_up(page, encoding, taken[page, encoding]) for page, encoding, _ in CONTESTS],
            "calls": _calls(counting, calls_file, visitor.cookies, directory, full=full),
            "same_bytes": _same_bytes(addresses["floor"], visitor.cookies, bodies),
            "connections": load.CONNECTIONS,
            "seconds": rounds * seconds,
        }


def _contested(
    addresses: dict[str, str], cookie: str, directory: Path, rounds: int, seconds: int
) -> dict[tuple[str, str], Rounds]:
    """All rounds. The first one warms up and does not count."""
    paths = _paths(directory, rounds)
    taken: dict[tuple[str, str], Rounds] = {(page, encoding): {} for page, encoding, _ in CONTESTS}
    for number in range(rounds + 1):
        for page, encoding, servers in CONTESTS:
            for server in servers if number % 2 else reversed(servers):
                one = load.run(
                    addresses[server],
                    paths[page, number],
                    cookie=cookie,
                    encoding=encoding,
                    seconds=seconds if number else 1,
                )
                if number:
                    taken[page, encoding].setdefault(server, []).append(one)
    return taken


def _paths(directory: Path, rounds: int) -> dict[tuple[str, int], Path]:
    """A file with what is asked for, for each page and round: searches have 10,000 of their own in every round."""
    paths = {}
    texts = queries.distinct(QUERIES * (rounds + 1))
    for number in range(rounds + 1):
        searches = texts[QUERIES * number : QUERIES * (number + 1)]
        for page, lines in {**{page: [path] for page, path in ADDRESSES.items()}, "search": searches}.items():
            file = directory / f"paths-{page}-{number}"
            asked = map(queries.path, lines) if page == "search" else lines
            file.write_text("\n".join(asked) + "\n", encoding="ascii")
            paths[page, number] = file
    return paths


def _summed_up(page: str, encoding: str, taken: Rounds) -> dict[str, Any]:
    """The medians of a contest, and the medians of what the shop had against each other in the same round."""
    others = [server for server in taken if server != "shop"]
    pairs = {other: list(zip(taken["shop"], taken[other], strict=True)) for other in others}
    return {
        "page": page,
        "encoding": encoding,
        "median": {server: _median(runs) for server, runs in taken.items()},
        "ratio": {
            name: statistics.median(a.per_second / b.per_second for a, b in pair) for name, pair in pairs.items()
        },
        "p99_ratio": {name: statistics.median(a.p99_ms / b.p99_ms for a, b in pair) for name, pair in pairs.items()},
        "errors": sum(one.errors + one.refusals for runs in taken.values() for one in runs),
    }


def _median(runs: list[load.Load]) -> dict[str, float]:
    each = [asdict(one) for one in runs]
    return {
        name: statistics.median(one[name] for one in each) for name in ("per_second", "bytes_each", "p50_ms", "p99_ms")
    }


def _same_bytes(address: str, cookies: dict[str, str], bodies: Path) -> bool:
    """Whether the floor says what the shop said."""
    visitor = Visitor(address, dict(cookies))
    asked = {**ADDRESSES, "search": served.SEARCH}
    same = [visitor.get(path).body == bodies.joinpath(kind).read_bytes() for kind, path in asked.items()]
    visitor.close()
    return all(same)


def _calls(address: str, file: Path, cookies: dict[str, str], directory: Path, *, full: bool) -> dict[str, float]:
    """Calls to the database for each catalogue page: of one visitor who turns pages, and under load."""
    visitor = Visitor(address, dict(cookies))
    pages = ["/products/", "/products/?page=2"]
    for path in pages * 4:
        visitor.get(path)
    counts = {}
    for name, count, pause in (("quick", 100 if full else 20, 0.0), ("slow", 20 if full else 4, 1.0)):
        before = file.stat().st_size
        for number in range(count):
            visitor.get(pages[number % 2])
            time.sleep(pause)
        counts[name] = _calls_a_page(file, before)
    visitor.close()
    before = file.stat().st_size
    load.run(address, directory / "paths-list-0", cookie=visitor.cookie, encoding="gzip", seconds=10 if full else 2)
    return counts | {"load": _calls_a_page(file, before)}


def _calls_a_page(file: Path, since: int) -> float:
    written = file.read_bytes()[since:]
    return written.count(b"c") / max(1, written.count(b"p"))

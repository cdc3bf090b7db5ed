"""How fast the catalogue is: beside ready-made bytes, at 31 to 100,000 products, and under the first version's test."""

from __future__ import annotations

import operator
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import one, sizes
from benchmarks.pages import machine, number, table

ENGINE = "ministack"
OLD_MS = {"average_ms": 85, "p95_ms": 120, "p99_ms": 250}
NAMES = {"list": "catalogue page", "product": "product page", "home": "home page", "search": "search page"}
WANTED_OF_FLOOR = {"list": 0.8, "search": 0.3}
_SIGNS = {"≤": operator.le, "≥": operator.ge, "=": operator.eq}

_TEXT = """# The catalogue

Written by `make bench` on {today}, on {machine}. What is compared ran in one run and took turns; ratios are
medians of the rounds' ratios. Where other work runs on the same machine, the times are too long and ratios still hold.

{count} of {all} figures that have something to reach are NOT reached.

{rows}

## Pages at {connections} connections

The shop as production runs it (gunicorn, two processes of four threads); the floor, which is the same server, settings
and middleware around a view that returns the shop's bytes ready-made ({same}); and the shop with its
pages rendered plainly by their templates. The same visitor with a cart asks all of them, through `wrk`, for {seconds} s
each in all, the demo catalogue on ministack; server, engine and `wrk` share the cores. What is not answered when the
time is up is in no p99. Searches are 10,000 different queries, no two alike, and others in each round.

{loads}

## By size

One process that has just started, on {engine}, asked through the whole stack of middleware; processor time is that
process's. The catalogue was filled the day before. "First full read" is the time until a page knows all products, with
a visitor who asks every 0.1 s meanwhile; "over the bare engine" is that without what a page takes then that is made
anew, and without what bare botocore needs to read both indexes. Memory is the process's after its garbage is
collected: right after the first full read, with the room that the largest answers were taken apart in, and after
hundreds of pages, which use that room. The pages that are kept then are not in it; they have a limit of their own. A
product takes what it takes for good, so after pages, and in the round in which the process took least: by chance it
takes three megabytes more or less. At the most is the larger of both medians. Read units and calls are those of a
page's own thread, three seconds after the one before; what looks for news in the background counts in the calls under
load.

{sizes}

## The first version's load test

{users} users with sessions and forms, browse 80 % / cart 15 % / checkout 5 %. The users are Python and share the two
cores with server and engine, and never pause: where the floor itself takes longer than the first version said, it is
the machine that is slow. After it, `manage.py prove_stock` ended with {proof} (0: all stock is right).

{visits}
"""


@dataclass(frozen=True)
class Row:
    """A figure, and what it has to be: a sign and a number, or nothing where it is only told."""

    what: str
    got: float | None
    wanted: str = ""
    unit: str = ""

    @property
    def is_reached(self) -> bool | None:
        """None where nothing is to be reached. What could not be measured is not reached."""
        if not self.wanted:
            return None
        sign, limit = self.wanted.split()
        return self.got is not None and bool(_SIGNS[sign](self.got, float(limit.replace(",", ""))))

    @property
    def cells(self) -> list[str]:
        said = {None: "", True: "reached", False: "**NOT reached**"}[self.is_reached]
        wanted = f"{self.wanted} {self.unit}".strip() if self.wanted else "measured"
        return [self.what, wanted, "–" if self.got is None else f"{_short(self.got)} {self.unit}".strip(), said]


def report(*, full: bool) -> str:
    load = one.measured("page_load", ENGINE, full=full)
    by_size = one.measured("sizes", sizes.ENGINE, full=full)
    seen = one.measured("visits", ENGINE, full=full)
    rows = [*_load_rows(load), *_size_rows(by_size), *_visit_rows(seen)]
    return _TEXT.format(
        today=time.strftime("%d %B %Y"),
        machine=machine(),
        count=sum(row.is_reached is False for row in rows),
        all=sum(row.is_reached is not None for row in rows),
        rows=table(["what", "to reach", "measured", ""], [row.cells for row in rows]),
        connections=load["connections"],
        seconds=load["seconds"],
        same="byte for byte the same" if load["same_bytes"] else "**NOT the same bytes**",
        loads=_loads(load["contests"]),
        engine=sizes.ENGINE,
        sizes=_sizes(by_size),
        users=seen["users"],
        proof=seen["proof"],
        visits=_visits(seen),
    )


def _load_rows(load: dict[str, Any]) -> Iterator[Row]:
    for contest in load["contests"]:
        page, name = contest["page"], _name(contest)
        least = WANTED_OF_FLOOR.get(page)
        yield Row(f"{name}: of the floor's requests a second", contest["ratio"]["floor"], f"≥ {least}" if least else "")
        is_list = page == "list"
        yield Row(f"{name}: p99 beside the floor's", contest["p99_ratio"]["floor"], "≤ 1.5" if is_list else "", "×")
        if is_list:
            yield Row(f"{name}: requests a second beside plain pages", contest["ratio"]["plain"], "≥ 8", "×")
        yield Row(f"{name}: errors, all servers", contest["errors"], "= 0")
    yield Row("DynamoDB calls for a catalogue page, a visitor turning pages", load["calls"]["quick"], "≤ 1")
    yield Row("the same with a second between pages", load["calls"]["slow"])
    yield Row("the same under load", load["calls"]["load"], "≤ 0.05")


def _size_rows(by_size: list[dict[str, Any]]) -> Iterator[Row]:
    small = by_size[0]
    for got in by_size[1:]:
        name = f"{number(got['products'])} products"
        yield Row(f"{name}: processor time for a catalogue page", got["page_ms"] / small["page_ms"], "≤ 1.2", "×")
        yield Row(f"{name}: for a search page", got["search_ms"] / small["search_ms"], "≤ 3", "×")
        yield Row(f"{name}: read units for a page, more than at 31", got["read_units"] - small["read_units"], "≤ 0")
        each = _grown(got, small, "least_kilobytes") / (got["products"] - small["products"])
        yield Row(f"{name}: memory for each product, after pages", each, "≤ 2", "KB")
    over = 1000 * _over(small) if small["complete"] else None
    yield Row("31 products: first full read, over the bare engine", over, "≤ 30", "ms")
    large = by_size[-1]
    name = f"{number(large['products'])} products"
    yield Row(f"{name}: first full read", large["seconds"] if large["complete"] else None, "≤ 15", "s")
    yield Row(f"{name}: over the bare engine", _over(large) if large["complete"] else None, "", "s")
    kilobytes = max(_grown(large, small, when) for when in ("kilobytes", "kilobytes_at_the_end"))
    yield Row(f"{name}: memory more than at 31, at the most", kilobytes / 1024, "≤ 200", "MB")
    yield Row(f"{name}: slowest page meanwhile", 1000 * large["slowest_seconds"], "≤ 1,000", "ms")


def _visit_rows(seen: dict[str, Any]) -> Iterator[Row]:
    yield Row("load test: errors", len(seen["shop"]["errors"]), "= 0")
    for name, old in OLD_MS.items():
        what = name.removesuffix("_ms")
        yield Row(f"load test: {what}; the first version said {old} ms", seen["shop"][name], "", "ms")
        yield Row(f"load test: {what} beside the floor's", seen["shop"][name] / seen["floor"][name], "", "×")
    yield Row("load test: wrong stock afterwards (exit status of prove_stock)", seen["proof"], "= 0")


def _loads(contests: Iterable[dict[str, Any]]) -> str:
    rows = [
        [_name(contest), server, *(_short(got[key]) for key in ("per_second", "p50_ms", "p99_ms", "bytes_each"))]
        for contest in contests
        for server, got in contest["median"].items()
    ]
    return table(["page", "server", "requests a second", "median ms", "p99 ms", "bytes"], rows)


def _sizes(by_size: Iterable[dict[str, Any]]) -> str:
    head = ["products", "filled in s", "page ms", "search ms", "read units", "calls", "first read s", "bare s"]
    head += ["slowest page s", "memory after reading MB", "after pages MB"]
    keys = ("fill_seconds", "page_ms", "search_ms", "read_units", "trips", "seconds", "bare_seconds", "slowest_seconds")
    rows = [
        [
            number(got["products"]),
            *(_short(got[key]) for key in keys),
            *(_short(got[key] / 1024) for key in ("kilobytes", "kilobytes_at_the_end")),
        ]
        for got in by_size
    ]
    return table(head, rows)


def _visits(seen: dict[str, Any]) -> str:
    head = ["", "requests", "errors", "orders", "average ms", "p95 ms", "p99 ms", "a second"]
    rows: list[list[object]] = [["the first version said", "10,000", 0, "", *OLD_MS.values(), ""]]
    for name in ("shop", "floor"):
        got = seen[name]
        figures = [_short(got[key]) for key in (*OLD_MS, "per_second")]
        rows.append([name, number(got["requests"]), len(got["errors"]), got["orders"], *figures])
    kinds = sorted(set(seen["shop"]["errors"]))[:5]
    return "\n\n".join([table(head, rows), *(f"An error: `{error}`" for error in kinds)])


def _over(got: dict[str, Any]) -> float:
    """Seconds of a first full read that are neither the engine's nor a page's."""
    return float(got["seconds"] - got["warm_seconds"] - got["bare_seconds"])


def _grown(got: dict[str, Any], small: dict[str, Any], when: str) -> float:
    """Kilobytes more than the smallest catalogue takes."""
    return float(got[when] - small[when])


def _name(contest: dict[str, Any]) -> str:
    return NAMES[contest["page"]] + (", compressed" if contest["encoding"] == "gzip" else ", not compressed")


def _short(value: float) -> str:
    """Three digits that count."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"

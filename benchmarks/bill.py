"""What a month costs: the first version's scenario, from what each kind of request takes and the price table."""

from __future__ import annotations

import json
import time
from typing import Any

from benchmarks import one
from benchmarks.pages import machine, number, table
from ecokart.aws import bill
from ecokart.aws.bill import Scenario

ENGINE = "dynoxide"

_TEXT = """# What a month costs

Written by `make bench BENCH=bill` on {today}, on {machine}; `manage.py cost` prints the same tables for
other numbers. Nothing here ran on AWS. Units are what {engine} names, which names what Amazon's rules say
([purchase](purchase.md)); work is the processor time of the function in one process on this machine. Prices are those
of `ecokart/aws/prices.py`, which says as of when and from where.

## The first version's scenario

{scenario}

{services}

{lines}

## While nobody visits

{idle}

## What each kind of request takes

Medians of work, means of the rest, over {visits} visits. A visit finds pages ready and nobody's numbers of the stock
fresh. Beside that each request of a shop with few visitors looks for news of the catalogue: {look}.

{kinds}

The package has {megabytes:.2f} MB (2^20 bytes) and takes {init:.0f} ms to begin; a first visit fetches {files} files
with {view:.0f} KB from the bucket.
"""


def report(*, full: bool) -> str:
    figures = one.measured("kinds", ENGINE, full=full) | {"measured": time.strftime("%d %B %Y")}
    if full:
        bill.MEASURED.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return page(figures, Scenario())


def page(figures: dict[str, Any], scenario: Scenario) -> str:
    return _TEXT.format(
        today=figures["measured"],
        machine=machine(),
        engine=ENGINE,
        scenario=bill.described(scenario),
        services=table(*bill.services(scenario, figures)),
        lines=table(*bill.lines(scenario, figures)),
        idle=table(*bill.idle(figures)),
        visits=figures["visits"],
        look=f"{number(figures['look']['calls'])} calls, {number(figures['look']['read_units'])} read units",
        kinds=_kinds(figures, scenario),
        megabytes=figures["package_bytes"] / 2**20,
        init=figures["init_ms"],
        files=figures["first_view"]["files"],
        view=figures["first_view"]["bytes"] / 1000,
    )


def _kinds(figures: dict[str, Any], scenario: Scenario) -> str:
    asked = scenario.asked()
    head = ["request", "of 1,000", "calls", "read units", "write units", "work, ms", "bytes", "log, bytes"]
    return table(
        head,
        [
            [
                kind,
                f"{1000 * asked[kind] / sum(asked.values()):.1f}",
                *(f"{told[name]:.1f}" for name in ("calls", "read_units", "write_units", "processor_ms")),
                *(f"{told[name]:,.0f}" for name in ("bytes", "log_bytes")),
            ]
            for kind, told in figures["kinds"].items()
        ],
    )

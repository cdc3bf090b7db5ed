"""What a purchase costs and how fast it is: round trips, units, money, and speed beside bare botocore."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks import one
from benchmarks.pages import lines, machine, number, table
from ecokart.aws import prices
from tests import engines

WANTED_RATIO = 0.7

_TEXT = """# Cost and speed of a purchase

Written by `make bench` on {today}, on {machine}. Where other work runs on the same machine,
operations per second are too few, and ratios, taken in turns in one run, still hold.

## Round trips and units

Each step was taken once, on both engines, on the demo catalogue's products (31, some of them twice). "By the rules"
is computed from the items before and after every write by Amazon's price list (`benchmarks/units.py`); beside it stands
what each engine says of itself with `ReturnConsumedCapacity=INDEXES`. **Bold**: the engine differs from the rules.
Pages leave out the catalogue, which each process reads anew every two seconds, whoever looks.

{costs}

{differences}

## Sizes

{sizes}

A product's every reservation writes its whole item. All of these stay within 1 KB, one unit; a product with longer
texts costs a write twice as much, and halves what it can bear ([hot products](../docs/hot-products.md)).

## In money

{money}

At ${write} for a million write units and ${read} for a million read units, on demand in Frankfurt, by the price table
`ecokart/aws/prices.py`. Storage and what refused tries cost are left out.

## Speed beside bare botocore

The same requests, word for word, sent by a botocore client alone with ready-made dictionaries: no program can do with
less (`benchmarks/bare.py`). Blocks of the shop and of botocore take turns in one run, on the same engine; the ratio is
that of the medians, with the middle half of the rounds' ratios beside it. Wanted: at least {wanted}. "Processor" is how
long our own process worked for one operation: the engine's work is not in it, nor is waiting.

{speeds}

{verdict}
"""


def report(*, full: bool) -> str:
    bills = {engine: one.measured("costs", engine, full=full) for engine in engines.NAMES}
    speeds = {engine: one.measured("speed", engine, full=full) for engine in engines.NAMES}
    (steps, sizes), *_ = [(measured["steps"], measured["sizes"]) for measured in bills.values()]
    return _TEXT.format(
        today=time.strftime("%d %B %Y"),
        machine=machine(),
        costs=_costs({engine: measured["steps"] for engine, measured in bills.items()}),
        differences="\n".join(_differences({engine: measured["steps"] for engine, measured in bills.items()})),
        sizes=_sizes(sizes),
        money=_money(steps),
        write=prices.WRITE_UNIT.dollars,
        read=prices.READ_UNIT.dollars,
        wanted=WANTED_RATIO,
        speeds=_speeds(speeds),
        verdict=_verdict(speeds),
    )


Steps = dict[str, list[dict[str, Any]]]


def _costs(steps: Steps) -> str:
    head = ["step", "round trips", "write units by the rules", "read units by the rules"]
    head += [f"{engine} says (write, read)" for engine in steps]
    return table(head, [_row(same) for same in zip(*steps.values(), strict=True)])


def _row(same: tuple[dict[str, Any], ...]) -> list[str]:
    """One step on every engine. The first one's items are those that the rules are applied to."""
    first = same[0]
    said = [
        f"{_beside(step['said_write_units'], step['write_units'])}, "
        f"{_beside(step['said_read_units'], step['read_units'])}"
        for step in same
    ]
    return [first["name"], first["trips"], number(first["write_units"]), number(first["read_units"]), *said]


def _beside(said: float, right: float) -> str:
    return number(said) if said == right else f"**{number(said)}**"


def _differences(steps: Steps) -> Iterator[str]:
    for engine, bills in steps.items():
        wrong = [bill for bill in bills if bill["said_write_units"] != bill["write_units"]]
        yield f"- {engine}: write units as by the rules in {len(bills) - len(wrong)} of {len(bills)} steps, " + (
            f"read units in {sum(bill['said_read_units'] == bill['read_units'] for bill in bills)}. "
            f"{sum(bill['silent'] for bill in bills)} answers of {sum(bill['trips'] for bill in bills)} said nothing "
            "of their cost."
        )


def _sizes(sizes: dict[str, Any]) -> str:
    products = sizes["products"]
    rows = [["product of the demo catalogue", f"{products[0]} to {products[-1]}"]]
    rows += [[f"cart, {lines(int(count))}", size] for count, size in sizes["cart"].items()]
    rows += [[f"order, {lines(int(count))}", size] for count, size in sizes["order"].items()]
    return table(["item", "bytes"], rows)


def _money(steps: list[dict[str, Any]]) -> str:
    named = {step["name"]: step for step in steps}
    *_, purchase = named
    wanted = ["add to cart, a new cart", "checkout, 1 line", "checkout, 3 lines", "checkout, 40 lines", purchase]
    return table(
        ["a thousand times", "write units", "read units", "US dollars"],
        [
            [name, number(1000 * named[name]["write_units"]), number(1000 * named[name]["read_units"]), dollars(one)]
            for name in wanted
            if (one := named[name])
        ],
    )


def dollars(step: dict[str, Any]) -> str:
    """What a step costs a thousand times."""
    return f"{1000 * (prices.WRITE_UNIT.of(step['write_units']) + prices.READ_UNIT.of(step['read_units'])):.4f}"


def _speeds(speeds: dict[str, list[dict[str, Any]]]) -> str:
    head = ["engine, rule, threads", "shop/s", "botocore/s", "ratio", "middle half", "processor: shop", "botocore"]
    return table(
        head,
        [
            [
                f"{engine}, {row['name']}, {row['threads']}",
                f"{row['per_second']['shop']:.0f}",
                f"{row['per_second']['bare']:.0f}",
                f"{row['ratio']:.2f}",
                "{:.2f} to {:.2f}".format(*row["quartiles"]),
                f"{row['busy_ms']['shop']:.1f} ms",
                f"{row['busy_ms']['bare']:.1f} ms",
            ]
            for engine, rows in speeds.items()
            for row in rows
        ],
    )


def _verdict(speeds: dict[str, list[dict[str, Any]]]) -> str:
    short = [
        f"{row['name']} on {engine} with {row['threads']} threads ({row['ratio']:.2f})"
        for engine, rows in speeds.items()
        for row in rows
        if row["ratio"] < WANTED_RATIO
    ]
    return f"Below {WANTED_RATIO}: {'; '.join(short)}." if short else f"Nothing is below {WANTED_RATIO}."

"""What one popular product bears: simulated by DynamoDB's rule, and checked with real threads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from benchmarks import one
from benchmarks.pages import machine, table
from benchmarks.simulation import Policy, Sale, Times, all_at_once, sell, steadily
from inventory import dynamodb

BUYERS = (10, 100, 1000)
WRITE_MS = (5, 10, 25)
SECONDS = 20
TRIES_PER_SECOND = 500

TODAY = Policy("full jitter", 0.02, dynamodb._LONGEST_PAUSE_SECONDS, dynamodb.RETRY_TIMES, dynamodb.RETRY_SECONDS)
POLICIES = (
    Policy("full jitter", 0.02, 0.4, 30),
    Policy("full jitter", 0.02, 0.4, 12),
    Policy("full jitter", 0.02, 0.2, 30),
    Policy("full jitter", 0.02, 0.2, 12),
    Policy("full jitter", 0.02, 0.8, 30),
    Policy("full jitter", 0.05, 0.4, 30),
    Policy("equal jitter", 0.02, 0.4, 30),
    Policy("decorrelated jitter", 0.02, 0.4, 30),
    Policy("no jitter", 0.02, 0.4, 30),
)

_TEXT = """# One popular product

Written by `make bench` on {today}, on {machine}. What it means stands in
[docs/hot-products.md](../docs/hot-products.md).

Simulated, not measured on AWS: of two transactions on one item one is cancelled, and its buyer pauses and starts again
from the read, for at most 3 s. **Assumptions**: how long a transaction keeps others off its item (each table says it),
a read of 5 ms, a refusal after half a transaction; each drawn between half and one and a half times as long. Each
figure is the mean of {runs} sales with seeds of their own. Today's policy is: {policy}.

## Everybody at once

Buyers who all click within a tenth of a second, today's policy.

{bursts}

## The retry policy

{policies}

The same at a partition that gives 500 tries a second (1,000 write units, two for each try), were refused tries charged
like others:

{limited}

## A steady stream

Buyers who come by themselves for {seconds} s, a transaction of 10 ms (at most 100 a second), today's policy.

{streams}

## Shards

1,000 buyers at once, a transaction of 10 ms; every try goes to any of the shards.

{shards}

## The check

The shop's own `reservations.reserve` by real threads on dynoxide, behind a listener that refuses as AWS does
(`benchmarks/conflicts.py`), and the simulation with the times that were measured meanwhile.

{check}
"""


def report(*, full: bool) -> str:
    runs = 20 if full else 3
    return _TEXT.format(
        today=time.strftime("%d %B %Y"),
        machine=machine(),
        runs=runs,
        seconds=SECONDS,
        bursts=_bursts(runs),
        policy=TODAY.name,
        policies=_policies(runs, [(100, times(10)), (100, times(25)), (1000, times(10))]),
        limited=_policies(runs, [(1000, times(10, tries_per_second=TRIES_PER_SECOND))]),
        streams=_streams(runs),
        shards=_shards(runs),
        check=_check(one.measured("conflicts", "dynoxide", full=full)),
    )


def times(write_ms: float, *, tries_per_second: float = float("inf")) -> Times:
    return Times(write_ms / 1000, refusal=write_ms / 2000, tries_per_second=tries_per_second)


_HEAD = ["buyers served a second", "served", "told “busy”", "tries for each served", "median wait", "p99", "longest"]


def _figures(sales: list[Sale]) -> list[str]:
    def mean(of: Callable[[Sale], float]) -> float:
        return statistics.mean(map(of, sales))

    return [
        f"{mean(lambda sale: sale.per_second):.0f}",
        f"{mean(lambda sale: sale.served / sale.buyers):.1%}",
        f"{mean(lambda sale: sale.busy / sale.buyers):.1%}",
        f"{mean(lambda sale: sale.tries_each):.1f}",
        f"{mean(lambda sale: sale.median_wait):.2f} s",
        f"{mean(lambda sale: sale.wait(0.99)):.2f} s",
        f"{max(sale.wait(1) for sale in sales):.2f} s",
    ]


def _burst(buyers: int, time_of: Times, policy: Policy, runs: int, *, shards: int = 1) -> list[Sale]:
    return [
        sell(all_at_once(buyers, seed=seed), time_of, policy, seed=seed, shards=shards) for seed in range(1, runs + 1)
    ]


def _bursts(runs: int) -> str:
    rows = [
        [f"{buyers:,} buyers, {write} ms", f"{1000 / write:.0f}", *_figures(_burst(buyers, times(write), TODAY, runs))]
        for write in WRITE_MS
        for buyers in BUYERS
    ]
    return table(["at once, a transaction takes", "at most a second", *_HEAD], rows)


def _policies(runs: int, crowds: Iterable[tuple[int, Times]]) -> str:
    rows = [
        [
            f"{buyers:,} buyers, {time_of.write * 1000:.0f} ms: {policy.name}",
            *_figures(_burst(buyers, time_of, policy, runs)),
        ]
        for buyers, time_of in crowds
        for policy in dict.fromkeys((TODAY, *POLICIES))
    ]
    return table(["policy", *_HEAD], rows)


def _streams(runs: int) -> str:
    def rows() -> Iterator[list[str]]:
        for rate in (10, 25, 50, 75, 100, 150):
            sales = [
                sell(steadily(rate, seconds=SECONDS, seed=seed), times(10), TODAY, seed=seed)
                for seed in range(1, runs + 1)
            ]
            yield [f"{rate} buyers a second", *_figures(sales)]

    return table(["stream", *_HEAD], rows())


def _shards(runs: int) -> str:
    counts = (1, 2, 4, 8, 16)
    return table(
        ["shards", *_HEAD],
        [[str(count), *_figures(_burst(1000, times(10), TODAY, runs, shards=count))] for count in counts],
    )


def _check(measured: list[dict[str, Any]]) -> str:
    head = ["buyers at once", "served", "tries for each served", "median wait", "longest wait", "served a second"]
    return table(head, [row for found in measured for row in _side_by_side(found)])


def _side_by_side(found: dict[str, Any]) -> Iterator[list[str]]:
    buyers, took = found["buyers"], found["seconds"]
    waits, served = found["waits"], found["served"] / found["runs"] / buyers
    yield [
        f"{buyers}, real threads", f"{served:.0%}", f"{found['tries_each']:.1f}",
        f"{statistics.median(waits):.2f} s", f"{waits[-1]:.2f} s", f"{found['per_second']:.1f}",
    ]  # fmt: skip
    same = Times(took["write"], read=took["read"], refusal=took["refusal"])
    sales = [sell([0.0] * buyers, same, TODAY, seed=seed) for seed in range(1, 101)]
    yield [
        f"{buyers}, simulated", f"{statistics.mean(sale.served for sale in sales) / buyers:.0%}",
        f"{statistics.mean(sale.tries_each for sale in sales):.1f}",
        f"{statistics.mean(sale.median_wait for sale in sales):.2f} s",
        f"{statistics.mean(sale.wait(1) for sale in sales):.2f} s",
        f"{statistics.mean(sale.per_second for sale in sales):.1f}",
    ]  # fmt: skip

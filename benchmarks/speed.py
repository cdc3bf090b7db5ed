"""Operations per second of the shop's rules and of bare botocore, in turns. One part of the report on purchases."""

from __future__ import annotations

import gc
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import bare, costs, goods
from inventory import reservations
from inventory.models import Cart

THREADS = (1, 8)
Job = Callable[[], object]


@dataclass(frozen=True)
class Contest:
    """One rule against the same requests. Both give a number of jobs, made ready before the clock runs."""

    name: str
    block: int
    shop: Callable[[int], list[Job]]
    bare: Callable[[int], list[Job]]


def measure(*, full: bool) -> list[dict[str, Any]]:
    rounds, share = (9, 1.0) if full else (3, 0.2)
    shelf = [product.id for product in goods.stocked()]
    return [
        _contested(contest, threads, rounds, max(8, int(contest.block * share)))
        for contest in _contests(shelf)
        for threads in THREADS
    ]


def _contests(shelf: list[str]) -> Iterator[Contest]:
    client = bare.client()
    yield Contest("reserve", 200, partial(_reserve, shelf), partial(_reserve_bare, shelf, client))
    for count, block in ((1, 100), (3, 60), (40, 8)):
        lines, name = shelf[:count], f"checkout, {costs.lines(count)}"
        yield Contest(name, block, partial(_checkout, lines), partial(_checkout_bare, lines, client))


def _contested(contest: Contest, threads: int, rounds: int, block: int) -> dict[str, Any]:
    """Blocks in turns, the order changing from round to round. The first round warms up and does not count."""
    speeds: dict[str, list[float]] = {"shop": [], "bare": []}
    sides = [("shop", contest.shop), ("bare", contest.bare)]
    with ThreadPoolExecutor(threads) as pool:
        for number in range(rounds + 1):
            for side, jobs in sides if number % 2 else reversed(sides):
                speed = _speed(pool, jobs(block))
                if number:
                    speeds[side].append(speed)
    shop, bare_one = (statistics.median(speeds[side]) for side in ("shop", "bare"))
    pairs = [one / other for one, other in zip(speeds["shop"], speeds["bare"], strict=True)]
    return {
        "name": contest.name,
        "threads": threads,
        "operations": block * rounds,
        "shop": shop,
        "bare": bare_one,
        "ratio": shop / bare_one,
        "least": min(pairs),
        "most": max(pairs),
    }


def _speed(pool: ThreadPoolExecutor, jobs: Sequence[Job]) -> float:
    gc.collect()
    began = time.perf_counter()
    for _ in pool.map(lambda job: job(), jobs):
        pass
    return len(jobs) / (time.perf_counter() - began)


def _reserve(shelf: list[str], count: int) -> list[Job]:
    return [
        partial(reservations.reserve, goods.owner(), shelf[number % len(shelf)], quantity=1) for number in range(count)
    ]


def _reserve_bare(shelf: list[str], client: Any, count: int) -> list[Job]:
    first, carts = goods.owner(), []
    requests = bare.heard(lambda: carts.append(reservations.reserve(first, shelf[0], quantity=1)))
    (cart,) = carts
    return [
        partial(
            bare.send,
            client,
            bare.instead(
                requests,
                {
                    first: goods.owner(),
                    str(cart.order_id): str(uuid.uuid4()),
                    shelf[0]: shelf[number % len(shelf)],
                },
            ),
        )
        for number in range(count)
    ]


def _checkout(lines: list[str], count: int) -> list[Job]:
    return [partial(costs.order, costs.filled(lines)) for _ in range(count)]


def _checkout_bare(lines: list[str], client: Any, count: int) -> list[Job]:
    first = costs.filled(lines)
    requests = bare.heard(lambda: costs.order(first))
    return [
        partial(bare.send, client, bare.instead(requests, _names(first, costs.filled(lines)))) for _ in range(count)
    ]


def _names(first: Cart, other: Cart) -> bare.Names:
    return {first.user_id: other.user_id, str(first.order_id): str(other.order_id)}

"""Operations per second of the shop's rules and of bare botocore, in turns. One part of the report on purchases."""

from __future__ import annotations

import gc
import itertools
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import bare, costs, goods, pages
from inventory import lines, reservations
from inventory.models import Cart, Product

THREADS = (1, 8)
Job = Callable[[], object]


@dataclass(frozen=True)
class Contest:
    """One rule against the same requests. Both give a number of jobs, made ready before the clock runs."""

    name: str
    block: int
    shop: Callable[[int], list[Job]]
    bare: Callable[[int], list[Job]]


@dataclass(frozen=True)
class Taken:
    """How long a block took by the clock, and how long our own process worked for it, whoever else was working."""

    seconds: float
    busy_seconds: float


def measure(*, full: bool) -> list[dict[str, Any]]:
    rounds = 12 if full else 3
    shelf = goods.stocked()
    return [_contested(contest, threads, rounds) for contest in _contests(shelf) for threads in THREADS]


def _contests(shelf: list[Product]) -> Iterator[Contest]:
    client = bare.client()
    yield Contest("reserve", 40, partial(_reserve, shelf), partial(_reserve_bare, shelf, client))
    for count, block in ((1, 32), (3, 24), (40, 8)):
        some, name = shelf[:count], f"checkout, {pages.lines(count)}"
        yield Contest(name, block, partial(_checkout, some), partial(_checkout_bare, some, client))


def _contested(contest: Contest, threads: int, rounds: int) -> dict[str, Any]:
    """Short blocks in turns, the order changing from round to round. The first round warms up and does not count."""
    taken: dict[str, list[Taken]] = {"shop": [], "bare": []}
    sides = [("shop", contest.shop), ("bare", contest.bare)]
    with ThreadPoolExecutor(threads) as pool:
        for number in range(rounds + 1):
            for side, jobs in sides if number % 2 else reversed(sides):
                block = _timed(pool, jobs(contest.block))
                if number:
                    taken[side].append(block)
    seconds = {side: statistics.median(block.seconds for block in blocks) for side, blocks in taken.items()}
    busy = {side: statistics.median(block.busy_seconds for block in blocks) for side, blocks in taken.items()}
    return {
        "name": contest.name,
        "threads": threads,
        "operations": contest.block * rounds,
        "per_second": {side: contest.block / one for side, one in seconds.items()},
        "busy_ms": {side: 1000 * one / contest.block for side, one in busy.items()},
        "ratio": seconds["bare"] / seconds["shop"],
        "quartiles": _quartiles(taken),
    }


def _quartiles(taken: dict[str, list[Taken]]) -> list[float]:
    """Between which ratios the middle half of the rounds lies."""
    ratios = [other.seconds / one.seconds for one, other in zip(taken["shop"], taken["bare"], strict=True)]
    first, _, third = statistics.quantiles(ratios, n=4)
    return [first, third]


def _timed(pool: ThreadPoolExecutor, jobs: Sequence[Job]) -> Taken:
    gc.collect()
    began, was_busy = time.perf_counter(), time.process_time()
    for _ in pool.map(lambda job: job(), jobs):
        pass
    return Taken(time.perf_counter() - began, time.process_time() - was_busy)


def _reserve(shelf: list[Product], count: int) -> list[Job]:
    return [
        partial(reservations.reserve, goods.owner(), shelf[number % len(shelf)].id, quantity=1)
        for number in range(count)
    ]


def _reserve_bare(shelf: list[Product], client: Any, count: int) -> list[Job]:
    first, taken = goods.owner(), []
    requests = bare.heard(lambda: taken.append(reservations.reserve(first, shelf[0].id, quantity=1)))
    (cart,) = taken
    return [
        _sent(client, requests, first, cart.order_id, goods.owner(), str(uuid.uuid4()), {shelf[0].id: product.id})
        for product, _ in zip(itertools.cycle(shelf), range(count), strict=False)
    ]


def _checkout(products: list[Product], count: int) -> list[Job]:
    return [partial(costs.order, _held(products)) for _ in range(count)]


def _checkout_bare(products: list[Product], client: Any, count: int) -> list[Job]:
    first = _held(products)
    requests = bare.heard(lambda: costs.order(first))
    carts = [_held(products) for _ in range(count)]
    return [_sent(client, requests, first.user_id, first.order_id, cart.user_id, cart.order_id) for cart in carts]


def _sent(
    client: Any,
    requests: Sequence[bare.Request],
    owner: str,
    offer: str | None,
    other_owner: str,
    other_offer: str | None,
    more: bare.Names | None = None,
) -> Job:
    names = {owner: other_owner, str(offer): str(other_offer)}
    return partial(bare.send, client, bare.instead(requests, names | (more or {})))


def _held(products: list[Product]) -> Cart:
    """A new guest's cart that holds one of each. Written at once and then reserved: line by line takes too long."""
    owner_id = goods.owner()
    wanted = [lines.of_product(one, quantity=1, price_cents=one.price_cents) for one in products]
    Cart(owner_id, lines=wanted, version=1, order_id=str(uuid.uuid4())).save()
    cart, _ = reservations.renew(owner_id)
    return cart

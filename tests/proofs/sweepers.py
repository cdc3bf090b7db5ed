"""Carts whose time is up, four sweepers whose clocks disagree, customers in between: each cart is released once.

Sweepers and most customers only hear how many they released; what really happened ``swept`` reads from the tables.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.conf import settings

from ecokart import local
from inventory import baskets, clock, products, reservations
from inventory.errors import InventoryError
from inventory.models import Cart, Product
from tests.proofs import Result, World
from tests.proofs.sweeps import swept
from tests.proofs.sweeps.swept import Plan, Shopping, Tables, Visit, Visited

TITLE = "expired carts, 4 sweepers whose clocks differ by up to 20 minutes, customers in between"
WANTED = "10,000 carts, each released exactly once"
ENGINE = "dynoxide"

CLOCKS_MINUTES = (-10, -3, 4, 10)
FILLERS = 8
SHOPPERS = 4
SPARE_UNITS = 10_000
PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 600


def prove(world: World) -> Result:
    return _run(world, "careful", carts=10_000 if world.full else 200)


def control(world: World) -> Result:
    """The same sweepers, but what they write does not depend on the cart being as they read it."""
    return _run(world, "careless", carts=1_000 if world.full else 100)


def _run(world: World, kind: str, *, carts: int) -> Result:
    dice = random.Random(world.seed)
    plans = _plans(dice, carts=carts)
    _fill_shelves(plans)
    _fill_carts(plans, world)
    before = Tables.read()
    with _sweepers(world, kind) as sweepers:
        shopping = _shop(plans, dice, world)
        reports = [_hear(sweeper) for sweeper in sweepers]
    counts, seconds = [report["released"] for report in reports], max(report["seconds"] for report in reports)
    wrong = list(swept.wrong(plans, before, Tables.read(), shopping, by_sweepers=sum(counts)))
    ran = (
        f"{len(plans):,} carts in {seconds:.0f} s ({len(plans) / seconds:.0f} a second): {counts} by the sweepers,"
        f" {shopping.released} by customers, of whom {len(shopping.who('renew'))} renewed and"
        f" {len(shopping.who('buy'))} bought; the longest wait {max(one.seconds for one in shopping.visits):.1f} s"
    )
    return Result(ran, [f"{sentence} (seed {world.seed})" for sentence in wrong])


# Before: shelves and carts


def _plans(dice: random.Random, *, carts: int) -> list[Plan]:
    """Half of them ended so long ago that all clocks agree; of the others some say yes and some no."""
    shelf = [f"prod-{number:03}" for number in range(max(6, carts // 100))]
    plans = []
    for number in range(carts):
        kinds = dice.choices((1, 2, 3), (7, 2, 1))[0]
        units = {product_id: dice.randint(1, 3) for product_id in dice.sample(shelf, kinds)}
        ends = dice.uniform(-40, -10) if number % 2 else dice.uniform(-10, 10)
        wish = dice.choices(("", "look", "renew"), (90, 5, 5))[0]
        if wish == "renew" and all(map(_is_scarce, units)):
            wish = "look"  # A renewed cart shall not end up empty.
        plans.append(Plan(f"cart-{number:05}", units, ends, wish))
    return plans


def _is_scarce(product_id: str) -> bool:
    """Whether all its units are in the carts."""
    return int(product_id[-3:]) % 2 == 0


def _fill_shelves(plans: list[Plan]) -> None:
    for product_id, units in sorted(swept.units(plans).items()):
        spare = 0 if _is_scarce(product_id) else SPARE_UNITS
        product = Product(product_id, name=product_id, price_cents=9999, category="shoes")
        products.add(product, units=units + spare, by="proof")


def _fill_carts(plans: list[Plan], world: World) -> None:
    """By the shop's own rule, two hours before their time is up."""
    first = datetime.now(UTC) - timedelta(minutes=settings.RESERVATION_MINUTES)
    here = threading.local()

    def now() -> datetime:
        moment: datetime = here.now
        return moment

    def fill(plan: Plan) -> None:
        here.now = first + timedelta(minutes=plan.ends_in_minutes)
        for product_id, quantity in plan.units.items():
            reservations.reserve(plan.owner_id, product_id, quantity=quantity)

    with mock.patch.object(clock, "now", now), ThreadPoolExecutor(FILLERS) as pool:
        for done, _ in enumerate(pool.map(fill, plans), start=1):
            world.progress(done, 2 * len(plans))


# Meanwhile: sweepers and customers


@contextmanager
def _sweepers(world: World, kind: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have begun to sweep, all at the same moment."""
    started = [_sweeper(world, minutes, kind) for minutes in CLOCKS_MINUTES]
    try:
        for sweeper in started:
            _hear(sweeper)
        for sweeper in started:
            print(file=sweeper.stdin, flush=True)
        yield started
    finally:
        for sweeper in started:
            sweeper.kill()
            sweeper.communicate()


def _sweeper(world: World, minutes: int, kind: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.proofs.sweeps.sweeper", str(minutes), kind]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=local.ROOT, env=world.environment, stdin=pipe, stdout=pipe, text=True)


def _hear(sweeper: subprocess.Popen[str]) -> dict[str, Any]:
    line = sweeper.stdout.readline() if sweeper.stdout else ""
    if not line:
        raise RuntimeError(f"A sweeper ended with exit code {sweeper.wait(PATIENCE_SECONDS)}")
    said: dict[str, Any] = json.loads(line)
    return said


def _shop(plans: list[Plan], dice: random.Random, world: World) -> Shopping:
    """Customers come four at a time to a shop that is being swept."""
    really_expire, released = reservations.expire, []

    def expire(cart: Cart) -> bool:
        done = really_expire(cart)
        released.append(done)
        return done

    visits, visited = _visits(plans, dice), []
    with mock.patch.object(reservations, "expire", expire), ThreadPoolExecutor(SHOPPERS) as pool:
        for outcome in pool.map(_visit, visits):
            visited.append(outcome)
            world.progress(len(plans) + len(visited) * len(plans) // len(visits), 2 * len(plans))
    return Shopping(visited, sum(released))


def _visits(plans: list[Plan], dice: random.Random) -> list[Visit]:
    """Those with a wish for their cart, and as many again who want something that only the carts have."""
    comers = [(plan.wish, plan.owner_id, "") for plan in plans if plan.wish]
    scarce = sorted(filter(_is_scarce, swept.units(plans)))
    comers += [("buy", f"buyer-{number:05}", dice.choice(scarce)) for number in range(len(comers))]
    dice.shuffle(comers)
    return [Visit(*comer, pause_seconds=dice.uniform(0, PAUSE_SECONDS)) for comer in comers]


def _visit(visit: Visit) -> Visited:
    wishes: dict[str, Callable[[], object]] = {
        "look": lambda: baskets.look(visit.owner_id),
        "renew": lambda: reservations.renew(visit.owner_id),
        "buy": lambda: reservations.reserve(visit.owner_id, visit.product_id, quantity=1),
    }
    time.sleep(visit.pause_seconds)
    began, refusal = time.perf_counter(), ""
    try:
        wishes[visit.wish]()
    except InventoryError as refused:
        refusal = f"{type(refused).__name__}: {refused}"
    return Visited(visit, refusal, time.perf_counter() - began)

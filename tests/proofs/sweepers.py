"""Carts whose time is up, four sweepers whose clocks disagree, customers in between: each cart is released once.

What happened is read from the tables: a release adds one to its cart's version, and one to the moves of each product
in it. A customer who looks may release, one who renews adds one more, one who buys moves one product once.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

from ecokart import local
from tests.proofs import Result, World, promises

if TYPE_CHECKING:
    from inventory.models import Cart, Product

TITLE = "expired carts, 4 sweepers whose clocks differ by up to 20 minutes, customers in between"
WANTED = "10,000 carts, each released exactly once"
ENGINE = "dynoxide"

CLOCKS_MINUTES = (-10, -3, 4, 10)
FILLERS = 8
SHOPPERS = 4
SPARE_UNITS = 10_000
PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 600
#: How long somebody may wait for a page while everything is being swept.
LONGEST_WAIT_SECONDS = 15
SHOWN = 5


@dataclass(frozen=True)
class Plan:
    """A cart to be: its units by product, the end of its hold from the start on, and what its customer will want."""

    owner_id: str
    units: dict[str, int]
    ends_in_minutes: float
    wish: str


@dataclass(frozen=True)
class Visit:
    """Somebody who comes while the sweepers sweep: to look, to renew, or to buy one of a product."""

    wish: str
    owner_id: str
    product_id: str
    pause_seconds: float


@dataclass(frozen=True)
class Visited:
    """How it went: ``refusal`` is empty where the wish came true."""

    visit: Visit
    refusal: str
    seconds: float


@dataclass(frozen=True)
class Shopping:
    """All visits, and how many carts were released on their way."""

    visits: list[Visited]
    released: int

    def who(self, wish: str, *, refused: bool = False) -> list[Visit]:
        return [one.visit for one in self.visits if one.visit.wish == wish and bool(one.refusal) == refused]


@dataclass(frozen=True)
class Tables:
    """Carts and products at one moment, by their ids."""

    carts: dict[str, Cart]
    products: dict[str, Product]

    @classmethod
    def read(cls) -> Tables:
        from inventory.models import Cart, Product

        return cls(
            {cart.user_id: cart for cart in Cart.scan(consistent_read=True)},
            {product.id: product for product in Product.scan(consistent_read=True)},
        )


def prove(world: World) -> Result:
    return _run(world, "careful")


def control(world: World) -> Result:
    """The same sweepers, but what they write does not depend on the cart being as they read it."""
    return _run(world, "careless")


def _run(world: World, kind: str) -> Result:
    dice = random.Random(world.seed)
    plans = _plans(dice, carts=10_000 if world.full else 200)
    _fill_shelves(plans)
    _fill_carts(plans, world)
    before = Tables.read()
    with _sweepers(world, kind) as sweepers:
        shopping = _shop(plans, dice, world)
        reports = [_hear(sweeper) for sweeper in sweepers]
    counts, seconds = [report["released"] for report in reports], max(report["seconds"] for report in reports)
    wrong = list(_wrong(plans, before, Tables.read(), shopping, by_sweepers=sum(counts)))
    ran = (
        f"{len(plans):,} carts in {seconds:.0f} s ({len(plans) / seconds:.0f} a second): {counts} by the sweepers,"
        f" {shopping.released} by customers, of whom {len(shopping.who('renew'))} renewed and"
        f" {len(shopping.who('buy'))} bought; the longest wait {max(one.seconds for one in shopping.visits):.1f} s"
    )
    return Result(ran, [f"{sentence} (seed {world.seed})" for sentence in wrong])


# Before: shelves and carts


def _plans(dice: random.Random, *, carts: int) -> list[Plan]:
    """Half of them ended so long ago that all clocks agree; of the others some say yes and some no."""
    products = [f"prod-{number:03}" for number in range(max(6, carts // 100))]
    plans = []
    for number in range(carts):
        kinds = dice.choices((1, 2, 3), (7, 2, 1))[0]
        units = {product_id: dice.randint(1, 3) for product_id in dice.sample(products, kinds)}
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
    from inventory import products
    from inventory.models import Product

    for product_id, units in sorted(_units(plans).items()):
        spare = 0 if _is_scarce(product_id) else SPARE_UNITS
        product = Product(product_id, name=product_id, price_cents=9999, category="shoes")
        products.add(product, units=units + spare, by="proof")


def _units(plans: Iterable[Plan]) -> Counter[str]:
    total: Counter[str] = Counter()
    for plan in plans:
        total.update(plan.units)
    return total


def _fill_carts(plans: list[Plan], world: World) -> None:
    """By the shop's own rule, two hours before their time is up."""
    from django.conf import settings

    from inventory import clock, reservations

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
    command = [sys.executable, "-m", "tests.proofs.sweeper", str(minutes), kind]
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
    from inventory import reservations

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
    scarce = sorted(filter(_is_scarce, _units(plans)))
    comers += [("buy", f"buyer-{number:05}", dice.choice(scarce)) for number in range(len(comers))]
    dice.shuffle(comers)
    return [Visit(*comer, pause_seconds=dice.uniform(0, PAUSE_SECONDS)) for comer in comers]


def _visit(visit: Visit) -> Visited:
    from inventory import baskets, reservations
    from inventory.errors import InventoryError

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


# After: what the tables say


def _wrong(plans: list[Plan], before: Tables, after: Tables, shopping: Shopping, *, by_sweepers: int) -> Iterator[str]:
    releases = _releases(before, after, shopping)
    yield from _few(_wrong_carts(before, after, releases, shopping))
    yield from _few(_wrong_moves(before, after, releases, shopping))
    yield from _few(promises.broken(sorted(after.products)))
    yield from _few(_wrong_refusals(plans, shopping))
    counted = by_sweepers + shopping.released
    if counted != sum(releases.values()):
        yield f"Sweepers and customers counted {counted} releases, the tables {sum(releases.values())}"


def _few(sentences: Iterable[str]) -> list[str]:
    """The first of many that say the same."""
    found = list(sentences)
    return [*found[:SHOWN], *([f"… and {len(found) - SHOWN} more like this"] if len(found) > SHOWN else [])]


def _releases(before: Tables, after: Tables, shopping: Shopping) -> dict[str, int]:
    """How often each cart was released: by how much its version went up, but for what its customer did."""
    renewed = {visit.owner_id for visit in shopping.who("renew")}
    return {
        owner_id: after.carts[owner_id].version - cart.version - (owner_id in renewed)
        for owner_id, cart in before.carts.items()
        if owner_id in after.carts
    }


def _wrong_carts(before: Tables, after: Tables, releases: dict[str, int], shopping: Shopping) -> Iterator[str]:
    renewed = {visit.owner_id for visit in shopping.who("renew")}
    for owner_id, cart in before.carts.items():
        now = after.carts.get(owner_id)
        # Whoever renews in time keeps their units; everybody else's come back.
        allowed = {0, 1} if owner_id in renewed else {1}
        if now is None or not now.lines:
            yield f"The cart {owner_id} lost its lines"
        elif releases[owner_id] not in allowed:
            yield f"The cart {owner_id} was released {releases[owner_id]} times"
        elif now.is_held != (owner_id in renewed):
            yield f"The cart {owner_id} {'holds' if now.is_held else 'does not hold'} units"
        elif owner_id not in renewed and [line.as_dict() for line in now.lines] != [
            line.as_dict() for line in cart.lines
        ]:
            yield f"The cart {owner_id} has other lines than before"


def _wrong_moves(before: Tables, after: Tables, releases: dict[str, int], shopping: Shopping) -> Iterator[str]:
    """A product moves once with each cart that is released, reserved anew, or bought into; never else."""
    renewed = {visit.owner_id for visit in shopping.who("renew")}
    moves = Counter(visit.product_id for visit in shopping.who("buy"))
    for owner_id, times in releases.items():
        for tables in (before, after) if owner_id in renewed else (before,):
            moves.update({line.product_id: times for line in tables.carts[owner_id].lines})
    for product_id, product in before.products.items():
        moved = after.products[product_id].moves - product.moves
        if moved != moves[product_id]:
            yield f"{product_id} moved {moved} times where there were {moves[product_id]} reasons"


def _wrong_refusals(plans: list[Plan], shopping: Shopping) -> Iterator[str]:
    """Nobody may be refused what lies in carts whose time was up by the right clock before anybody came."""
    renewed = {visit.owner_id for visit in shopping.who("renew")}
    free = _units(plan for plan in plans if plan.ends_in_minutes < 0 and plan.owner_id not in renewed)
    free.subtract(_units(plan for plan in plans if plan.owner_id in renewed))
    free.subtract(visit.product_id for visit in shopping.who("buy"))
    for one in shopping.visits:
        left = free[one.visit.product_id]
        if one.refusal and (one.visit.wish != "buy" or left > 0):
            yield f"{one.visit.owner_id} wanted to {one.visit.wish} ({left} units left) and was told: {one.refusal}"
        elif one.seconds > LONGEST_WAIT_SECONDS:
            yield f"{one.visit.owner_id} waited {one.seconds:.1f} s to {one.visit.wish}"

"""Processes of the shop are killed: while customers order, at every question to the database, in the midst of a sweep.

Killed means SIGKILL: nothing is cleaned up, no answer is sent, whatever was under way ends between two instructions.
"""

from __future__ import annotations

import random
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest import mock

from ecokart import local
from inventory import clock, products, reservations
from inventory.models import Cart, Product
from tests.proofs import Result, World, promises
from tests.proofs.kills import call_sites, killed_flows, killed_load
from tests.proofs.web.customers import shop

TITLE = "workers killed with SIGKILL during checkouts, and once at every call site"
WANTED = "200 kills: 0 acknowledged orders lost, 0 half-done, numbers add up"
ENGINE = "dynoxide"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.settings"}

# Loaded before the workers are forked, or to replace one would take longer than to kill it. And gunicorn reports each.
OPTIONS = ("--preload", "--log-level=critical")
SCARCE_UNITS = 20
PLENTY = 100_000
#: Where sweeps are killed: at each question for the first three carts.
FATES = [f"{number} {side}" for number in range(1, 8) for side in call_sites.SIDES]
#: Where each write goes by itself: between the products of the first cart and the cart.
_TORN_FATES = [f"{number} after" for number in (5, 6)]
SHOWN = 20


def prove(world: World) -> Result:
    flows = killed_flows.ALL if world.full else killed_flows.QUICK
    ran, wrong = _kill_workers(world, "tests.proofs.kills.mortal", flows=flows, kills=200 if world.full else 10)
    swept, more = _kill_sweeps(world, carts=60 if world.full else 10, fates=FATES if world.full else FATES[-2:])
    return _result(f"{ran}; {swept}", [*wrong, *more], world)


def control(world: World) -> Result:
    """A shop that writes the same, under the same conditions, but not all at once. Both parts have to notice."""
    ran, wrong = _kill_workers(world, "tests.proofs.kills.torn", flows=killed_flows.QUICK, kills=10)
    swept, more = _kill_sweeps(world, carts=10, fates=_TORN_FATES, program="tests.proofs.kills.torn")
    return _result(f"{ran}; {swept}", [*wrong, *more] if wrong and more else [], world)


def _result(ran: str, wrong: list[str], world: World) -> Result:
    more = [f"… and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return Result(ran, [f"{sentence} (seed {world.seed})" for sentence in wrong[:SHOWN]] + more)


# Workers


def _kill_workers(
    world: World, application: str, *, flows: tuple[killed_flows.Flow, ...], kills: int
) -> tuple[str, list[str]]:
    """Under load and at every call site; gives what was done and what went wrong."""
    shelf, sites, done = _shelf(), call_sites.Report(), len(flows) * 10
    with shop(world, application, settings=SETTINGS["DJANGO_SETTINGS_MODULE"], options=OPTIONS) as open_shop:
        customers = killed_load.order_while_killed(
            open_shop,
            shelf,
            kills=kills,
            dice=random.Random(world.seed),
            progress=lambda number: world.progress(number, kills + done),
        )
        for number, flow in enumerate(flows, start=1):
            call_sites.kill_everywhere(open_shop, flow, sites)
            world.progress(kills + number * 10, kills + done)
    wrong = [*killed_load.wrong_orders(customers), *sites.wrong, *promises.broken([*shelf, *sites.product_ids])]
    if not any(customer.order_id for customer in customers):
        wrong.append("Nobody ordered anything")
    broken = sum(customer.unanswered_checkouts for customer in customers)
    unheard = sum(customer.placed_unheard for customer in customers)
    orders = sum(bool(customer.order_id) for customer in customers)
    return (
        f"{kills} kills under load: {orders} orders by {len(customers)} customers, {broken} checkouts without an"
        f" answer, {unheard} of them carried out; {sites.kills} kills at the call sites of {len(flows)} flows",
        wrong,
    )


def _shelf() -> list[str]:
    """A few products, one of which will be sold out."""
    stock = {f"load-{number}": PLENTY if number else SCARCE_UNITS for number in range(6)}
    return [products.add(_product(product_id), units=units, by="proof").id for product_id, units in stock.items()]


def _product(product_id: str) -> Product:
    return Product(product_id, name=product_id, price_cents=9999, category="shoes")


# Sweeps


def _kill_sweeps(
    world: World, *, carts: int, fates: list[str], program: str = "tests.proofs.kills.mortal"
) -> tuple[str, list[str]]:
    """Kill the command again and again, then let it end in peace."""
    shelf = [products.add(_product(f"swept-{number}"), units=carts, by="proof").id for number in range(3)]
    before = _lapsed_carts(carts, shelf, random.Random(world.seed))
    ends = {fate: _sweep(world, fate, program) for fate in fates}
    released = sum(not cart.is_held for cart in _read(before).values())
    local.manage("release_expired", environment=world.environment)
    wrong = [
        f"The sweep to be killed at {fate} ended with {end}" for fate, end in ends.items() if end != -signal.SIGKILL
    ]
    wrong += [*_wrong_sweep(before, _read(before)), *promises.broken(shelf)]
    return f"{len(fates)} sweeps killed with {released} of {carts} carts released, then one to the end", wrong


def _sweep(world: World, fate: str, program: str) -> int:
    """Let a sweep meet its fate; gives its exit code."""
    command = [sys.executable, "-m", program, fate, "release_expired"]
    with local.child(command, environment=world.environment | SETTINGS, quiet=True) as process:
        return process.wait(timeout=60)


def _lapsed_carts(count: int, product_ids: list[str], dice: random.Random) -> dict[str, Cart]:
    """By the shop's own rule, three hours ago."""
    owners = {f"lapsed-{number}": dice.sample(product_ids, dice.randint(1, 3)) for number in range(count)}

    def fill(owner_id: str) -> None:
        for product_id in owners[owner_id]:
            reservations.reserve(owner_id, product_id, quantity=1)

    three_hours_ago = datetime.now(UTC) - timedelta(hours=3)
    with mock.patch.object(clock, "now", return_value=three_hours_ago), ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, owners))
    return _read(owners)


def _read(owners: Iterable[str]) -> dict[str, Cart]:
    return {owner_id: Cart.get(owner_id, consistent_read=True) for owner_id in owners}


def _wrong_sweep(before: dict[str, Cart], after: dict[str, Cart]) -> Iterator[str]:
    """Each cart was written once more, and each product moved once for each cart with it, there and back."""
    moves: Counter[str] = Counter()
    for owner_id, cart in before.items():
        now = after[owner_id]
        moves.update({line.product_id: 2 for line in cart.lines})
        if now.is_held or now.version != cart.version + 1 or now.units != cart.units:
            yield f"{owner_id}: version {cart.version} became {now.version}, held: {now.is_held}, units {now.units}"
    for product_id, wanted in moves.items():
        moved = Product.get(product_id, consistent_read=True).moves
        if moved != wanted:
            yield f"{product_id} moved {moved} times instead of {wanted}"

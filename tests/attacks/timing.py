"""How long a log-in is refused: an address that has an account must not take longer, nor less long, than one that has none.

What is measured is whole requests to the shop in this process, known and unknown in a random order. bcrypt's cost is 10, for
both, so that there is time for thousands (64 ms instead of 260): what else differs shows four times as much.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from unittest import mock

from inventory import accounts
from tests.attacks import people
from tests.attacks.web import Browser
from tests.hashers import QuickBCryptSHA256PasswordHasher
from tests.proofs import Result, World
from tests.quick_sdk import quick_sdk

TITLE = "Log-in timing, known against unknown address"
WANTED = "2,000 tries at each door: area under the curve 0.45 to 0.55"
ENGINE = "dynoxide"

FULL, QUICK = 2_000, 80
COST, QUICK_COST = 10, 7
DOORS = ("/account/login/", "/admin/login/")


@quick_sdk()
def prove(world: World) -> Result:
    return _run(world, FULL, COST) if world.full else _run(world, QUICK, QUICK_COST)


@quick_sdk()
def control(world: World) -> Result:
    """A shop that hashes nothing where there is nobody."""
    with mock.patch.object(accounts, "check_password", _only_somebodys(accounts.check_password)):
        return _run(world, QUICK, QUICK_COST)


def _run(world: World, tries: int, cost: int) -> Result:
    chance = random.Random(world.seed)
    ran, wrong = [], []
    for number, door in enumerate(DOORS):
        world.progress(number, len(DOORS))
        with mock.patch.object(QuickBCryptSHA256PasswordHasher, "rounds", cost):
            accounts._hash_of_nobody.cache_clear()
            area = area_under_curve(*_measured(chance, door, tries))
        ran.append(f"{door} {area:.3f}")
        if abs(area - 0.5) > bound(tries):
            wrong.append(f"{door}: the area under the curve is {area:.3f}, {tries:,} tries, seed {world.seed}")
    return Result(f"{tries:,} tries at each door: {', '.join(ran)}", wrong)


def _measured(chance: random.Random, door: str, tries: int) -> tuple[list[float], list[float]]:
    """Seconds that each log-in took: of addresses that have an account, and of such that have none."""
    known = [people.a_customer().email for _ in range(20)]
    unknown = [email.replace("alice", "nobod") for email in known]
    seconds: tuple[list[float], list[float]] = ([], [])
    order = [0, 1] * (tries // 2)
    chance.shuffle(order)
    for kind in [0, 1] * 10 + order:
        email = chance.choice((known, unknown)[kind])
        browser = Browser()
        began = time.perf_counter()
        browser.post(door, {"email": email, "password": "wrong horse 2"})
        seconds[kind].append(time.perf_counter() - began)
    # The first of each warm up what there is to warm up.
    return seconds[0][10:], seconds[1][10:]


def area_under_curve(some: list[float], others: list[float]) -> float:
    """How often one of the first took longer than one of the others: 0.5 where nobody can tell them apart."""
    ranked = sorted([(value, 0) for value in some] + [(value, 1) for value in others])
    ranks = sum(rank for rank, (_, kind) in enumerate(ranked, 1) if kind == 0)
    return (ranks - len(some) * (len(some) + 1) / 2) / (len(some) * len(others))


def bound(tries: int) -> float:
    """0.05, or for few tries four standard deviations of what chance does to them."""
    each = tries / 2
    return max(0.05, 4 * math.sqrt((tries + 1) / (12 * each * each)))


def _only_somebodys(check: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda password, stored: stored != accounts._hash_of_nobody() and check(password, stored)

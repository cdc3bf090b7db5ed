"""How long a log-in is refused: an address that has an account must not take longer, nor less long, than one that has none,
however its password is stored.

What is measured is whole requests to the shop in this process, of all kinds of addresses in a random order. bcrypt's cost is
9, so that there is time for thousands (32 ms instead of 260): what else differs shows eight times as much. The first
version's hashes are of a cost that is lower by two, as they are in the shop (10 and 12).
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import bcrypt

from inventory import accounts
from inventory.models import User
from tests.attacks import people
from tests.attacks.web import Browser
from tests.hashers import QuickBCryptSHA256PasswordHasher
from tests.proofs import Result, World
from tests.quick_sdk import quick_sdk

TITLE = "Log-in timing, known against unknown address"
WANTED = "2,000 tries at each door, also with the first version's hashes: area under the curve 0.45 to 0.55"
ENGINE = "dynoxide"

FULL, QUICK = 2_000, 80
COST, QUICK_COST = 9, 8
DOORS = ("/account/login/", "/admin/login/")
UNKNOWN, TODAYS, SEEDS = "unknown address", "account", "account of the first version"


@quick_sdk()
def prove(world: World) -> Result:
    return _run(world, FULL, COST) if world.full else _run(world, QUICK, QUICK_COST)


@quick_sdk()
def control(world: World) -> Result:
    """A shop that hashes nothing where there is nobody, and one that has nothing to add to an old hash: both are found."""
    found = []
    for weakened in (_nothing_for_nobody, _nothing_beside_an_old_hash):
        with weakened():
            found.append(_run(world, QUICK, QUICK_COST))
    return Result("; ".join(one.ran for one in found), found[0].wrong if found[1].wrong else [])


def _run(world: World, tries: int, cost: int) -> Result:
    chance = random.Random(world.seed)
    ran, wrong = [], []
    for number, door in enumerate(DOORS):
        world.progress(number, len(DOORS))
        with mock.patch.object(QuickBCryptSHA256PasswordHasher, "rounds", cost):
            accounts._hash_of_nobody.cache_clear()
            seconds = _measured(chance, door, tries // 2)
        areas = {kind: area_under_curve(seconds[kind], seconds[UNKNOWN]) for kind in (TODAYS, SEEDS)}
        ran.append(f"{door} {areas[TODAYS]:.3f}, with the first version's hash {areas[SEEDS]:.3f}")
        wrong += [
            f"{door}: the area under the curve is {area:.3f} for an {kind}, {tries:,} tries, seed {world.seed}"
            for kind, area in areas.items()
            if abs(area - 0.5) > bound(tries)
        ]
    accounts._hash_of_nobody.cache_clear()
    return Result(f"{tries:,} tries for each: {'; '.join(ran)}", wrong)


def _measured(chance: random.Random, door: str, each: int) -> dict[str, list[float]]:
    """Seconds that log-ins took, so many of each kind of address."""
    customers = [people.a_customer() for _ in range(40)]
    for old in customers[20:]:
        _store_as_the_first_version_did(old)
    emails = {
        UNKNOWN: [one.email.replace("alice", "nobod") for one in customers[:20]],
        TODAYS: [one.email for one in customers[:20]],
        SEEDS: [one.email for one in customers[20:]],
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in emails}
    order = list(emails) * each
    chance.shuffle(order)
    for kind in [*list(emails) * 10, *order]:
        browser = Browser()
        began = time.perf_counter()
        browser.post(door, {"email": chance.choice(emails[kind]), "password": "wrong horse 2"})
        seconds[kind].append(time.perf_counter() - began)
    # The first of each warm up what there is to warm up.
    return {kind: took[10:] for kind, took in seconds.items()}


def _store_as_the_first_version_did(user: User) -> None:
    salt = bcrypt.gensalt(QuickBCryptSHA256PasswordHasher.rounds - 2, prefix=b"2a")
    User(user.id).update([User.password.set(bcrypt.hashpw(people.PASSWORD.encode(), salt).decode())])


def area_under_curve(some: list[float], others: list[float]) -> float:
    """How often one of the first took longer than one of the others: 0.5 where nobody can tell them apart."""
    ranked = sorted([(value, 0) for value in some] + [(value, 1) for value in others])
    ranks = sum(rank for rank, (_, kind) in enumerate(ranked, 1) if kind == 0)
    return (ranks - len(some) * (len(some) + 1) / 2) / (len(some) * len(others))


def bound(tries: int) -> float:
    """0.05, or for few tries four standard deviations of what chance does to them."""
    each = tries / 2
    return max(0.05, 4 * math.sqrt((tries + 1) / (12 * each * each)))


@contextmanager
def _nothing_for_nobody() -> Iterator[None]:
    check = accounts.check_password

    def of_somebody(password: str, stored: str) -> bool:
        return stored != accounts._hash_of_nobody() and check(password, stored)

    with mock.patch.object(accounts, "check_password", of_somebody):
        yield


@contextmanager
def _nothing_beside_an_old_hash() -> Iterator[None]:
    def fits(password: str, stored: str) -> bool:
        return bcrypt.checkpw(password.encode(), stored.encode())

    with mock.patch.object(accounts, "_fits_plain_bcrypt", fits):
        yield

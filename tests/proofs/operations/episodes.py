"""Episodes: a small shop, many hands, many faults, and at the end every number is looked at."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from unittest import mock

from django.test import override_settings

from inventory import clock, reservations
from inventory.errors import InventoryError
from tests import faults
from tests.proofs.operations import closing, shopkeeper, shoppers
from tests.proofs.operations.books import Try
from tests.proofs.operations.floor import Shop, Wrong
from tests.proofs.operations.plans import THREADS, Step, openings
from tests.proofs.operations.schedule import AllAtOnce, TakingTurns

#: The most of one product in a cart: so few that customers do run into it.
MOST = 6


@dataclass(frozen=True)
class Outcome:
    """How an episode went: what is wrong (empty: nothing), what it met, and what was done in which order."""

    wrong: str
    tally: Counter[str]
    story: list[tuple[Step, Try]]


def play(name: str, seed: str, steps: Sequence[Step], *, at_once: bool = False) -> Outcome:
    """Carry the steps out in a new shop whose ids begin with ``name``; at once, or taking turns (always the same)."""
    schedule = AllAtOnce() if at_once else TakingTurns()
    with faults.installed(), override_settings(LINE_MAX_QUANTITY=MOST):
        shop = Shop(name, openings(seed), schedule)
        with mock.patch.object(clock, "now", shop.time.now):
            shop.open()
            failures = schedule.run([partial(_play, shop, steps, thread) for thread in range(THREADS)])
            with override_settings(LINE_MAX_QUANTITY=10_000):
                failures = failures or _failures(partial(closing.check, shop))
            closing.sweep_up(shop)
    shop.tally["operations"] = sum(step.kind != "wait" for step in steps)
    shop.tally["orders"] = sum(len(one.statuses) for one in shop.customers)
    return Outcome(_in_words(failures[0]) if failures else "", shop.tally, shop.story)


def _play(shop: Shop, steps: Sequence[Step], thread: int) -> None:
    for step in steps:
        if step.thread == thread and not shop.schedule.failed:
            shop.schedule.spend(max(0.0, step.at - shop.schedule.seconds()))
            perform(shop, step)


def perform(shop: Shop, step: Step) -> None:
    """One step. Raises Wrong when what comes of it is none of the things that may come of it."""
    if step.kind == "wait":
        shop.time.wait(minutes=step.quantity)
    elif step.kind == "sweep":
        shop.attempt(step, Try("sweep", ""), reservations.release_expired)
    elif step.kind == "restock":
        shopkeeper.restock(shop, step)
    elif step.kind == "edit":
        shopkeeper.edit(shop, step)
    elif step.kind == "cancel":
        shoppers.cancel(shop, step)
    else:
        shoppers.go_shopping(shop, step)


def _failures(check: Callable[[], None]) -> list[BaseException]:
    try:
        check()
    except (Wrong, InventoryError) as wrong:
        return [wrong]
    return []


def _in_words(failure: BaseException) -> str:
    if isinstance(failure, Wrong):
        return str(failure)
    return "".join(traceback.format_exception(failure))

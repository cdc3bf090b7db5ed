"""The shop during one episode: its clocks, its shelf, and the way in which every step is carried out."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from pynamodb.exceptions import PynamoDBException

from inventory import clock, dynamodb, products
from inventory.errors import Busy, InventoryError, Unsure
from inventory.models import Product
from tests import faults
from tests.proofs.operations import books
from tests.proofs.operations.books import GUEST, USER, Try
from tests.proofs.operations.plans import CUSTOMERS_EACH, THREADS, Step
from tests.proofs.operations.schedule import Schedule
from tests.proofs.operations.shelf import DONE, REFUSED, Shelf
from tests.proofs.operations.sights import Customer

EPOCH = datetime(2026, 1, 5, 8, tzinfo=UTC)
#: A time-out of seconds would leave its thread alone at the end, where nobody is in its way any more.
_PAUSE_COUNTS_SECONDS = 0.15
_NO_ANSWER = (PynamoDBException, BotoCoreError, ClientError, dynamodb.Contention, dynamodb.OutcomeUnknown)


class Wrong(Exception):
    """The shop has broken a promise."""


class Time:
    """The shop's clocks in an episode: they go on with the schedule, and by leaps when a step waits."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._waited = timedelta(0)
        self._ticks = itertools.count(1)
        self._lock = threading.Lock()
        self.here = threading.local()
        self.latest = EPOCH

    def now(self) -> datetime:
        """This moment on the clock of the server that this thread uses. No two moments are the same."""
        seconds = self._schedule.seconds() + faults.elapsed_seconds()
        with self._lock:
            moment = EPOCH + self._waited + timedelta(seconds=seconds, microseconds=next(self._ticks))
            self.latest = max(self.latest, moment)
        return moment + timedelta(minutes=getattr(self.here, "skew", 0.0))

    def wait(self, *, minutes: float) -> None:
        with self._lock:
            self._waited += timedelta(minutes=minutes)


class Shop:
    """The shop during one episode: who is in it, what was done, and what is known of every number since."""

    def __init__(self, name: str, shelf: list[tuple[int, int]], schedule: Schedule) -> None:
        self.name = name
        self.schedule = schedule
        self.time = Time(schedule)
        self.rules = books.Rules(timedelta(minutes=settings.RESERVATION_MINUTES), settings.LINE_MAX_QUANTITY)
        self.customers = [
            Customer(number, {GUEST: f"guest-{name}-{number:02}", USER: f"user-{name}-{number:02}"})
            for number in range(THREADS * CUSTOMERS_EACH)
        ]
        opening = {f"{name}-product-{number}": units_and_price for number, units_and_price in enumerate(shelf)}
        self.shelf = Shelf(opening, len(self.customers))
        self.products = list(opening)
        self.saves: dict[str, list[Try]] = {product: [] for product in opening}
        self.tally: Counter[str] = Counter()
        self.story: list[tuple[Step, Try]] = []
        self._moments = itertools.count(1)

    def open(self) -> None:
        for product, (units, price) in self.shelf.opening.items():
            products.add(Product(product, name=product, price_cents=price), units=units, by="dana")

    def moment(self) -> int:
        """A number that is larger than any before it."""
        return next(self._moments)

    def attempt(self, step: Step, tried: Try, rule: Callable[[], Any]) -> Try:
        """Let a rule run into the step's faults."""
        passed = 0.0

        def decide(call: faults.Call) -> faults.Fault | None:
            nonlocal passed
            pause, passed = faults.elapsed_seconds() - passed, faults.elapsed_seconds()
            pace = step.paces[call.number % len(step.paces)]
            self.schedule.spend(pace + min(pause, _PAUSE_COUNTS_SECONDS))
            return step.plan.get(call.number)

        self.time.here.skew = step.skew
        tried.began = self.moment()
        with faults.injected(decide, seed=f"{step.number} {step.chance}") as heard:
            tried.start = clock.now()
            try:
                tried.value, tried.outcome = rule(), DONE
            except Unsure:
                pass
            except InventoryError as refusal:
                tried.outcome, tried.refusal = REFUSED, refusal
            except faults.Killed:
                self.tally["killed"] += 1
            except _NO_ANSWER as failed:
                if not dynamodb.is_unavailable(failed):
                    raise
            tried.end = clock.now()
        tried.ended, tried.latest = self.moment(), self.time.latest
        self.time.here.skew = 0.0
        self.tally["faults"] += len(heard.plan)
        self.tally[tried.outcome] += 1
        self.tally[f"{tried.kind} {type(tried.refusal).__name__ if tried.refusal else tried.outcome}"] += 1
        self.story.append((step, tried))
        return tried

    def at_once(self, step: Step, act: Callable[[Step, str], Try]) -> list[Try]:
        """What a step does, and what its second tab does at the same moment. ``act`` is told by whom, too."""
        if step.second is None:
            return [act(step, "alice")]
        second = step.second
        return list(self.schedule.together(lambda: act(step, "alice"), lambda: act(second, "dana")))

    def product(self, step: Step) -> str:
        return self.products[step.product]


def expect_busy(tried: Try) -> None:
    """Whoever is refused for no other reason must have been told that the shop is busy."""
    if not isinstance(tried.refusal, Busy):
        raise Wrong(f"A refusal without a reason: {tried}")


def span(tries: list[Try]) -> tuple[int, int, str]:
    """When some operations were on their way, and what they were."""
    began, ended = min(tried.began for tried in tries), max(tried.ended for tried in tries)
    return began, ended, "; ".join(map(str, tries))

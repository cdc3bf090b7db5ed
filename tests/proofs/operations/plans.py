"""What happens in an episode: steps of many customers and of the shopkeeper, with the faults that they meet.

A plan is made from a seed and says everything that is left to chance, so an episode can be repeated, and repeated with
a part of its steps. Each step has its own faults and its own pace; what another step does has no part in them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests import faults
from tests.proofs.operations import shorten

THREADS = 8
PRODUCTS = 4
CUSTOMERS_EACH = 2

#: How often each kind of step is taken, of a hundred. ``wait`` only lets time pass and does not count as an operation.
KINDS = {
    "reserve": 28, "change": 8, "remove": 3, "extend": 4, "renew": 5, "join": 4, "look": 4, "checkout": 22,
    "cancel": 5, "sweep": 4, "restock": 8, "edit": 6, "wait": 1,
}  # fmt: skip
#: What a second tab may do at the same moment, and how often there is one.
SECOND = {
    "checkout": ["checkout"] * 4 + ["reserve", "remove", "extend", "join", "change"],
    "reserve": ["reserve", "remove", "renew", "join", "look"],
    "change": ["change", "checkout", "extend"],
    "remove": ["remove", "renew", "join"],
    "extend": ["extend", "renew"],
    "renew": ["renew", "reserve", "remove"],
    "join": ["join", "join", "reserve"],
    "cancel": ["cancel"],
}
_SECOND_RATE = 0.18
#: A checkout is sent twice more often than anything else.
_DOUBLE_CHECKOUT_RATE = 0.4

#: Errors of the servers' clocks, in minutes: under ten.
SKEWS = (-9.5, -6.0, -1.0, 0.0, 0.0, 2.0, 7.0, 9.5)
WAITS = (15, 40, 70, 70, 115, 130)
_GAP_SECONDS = 0.08
_PACES = 6


@dataclass(frozen=True)
class Step:
    """One operation: by which thread, when (seconds), for whom, on a server whose clock is ``skew`` minutes wrong.

    Who finds the cart on this ``side`` empty looks into the other one, or puts something in.
    """

    number: int
    thread: int
    at: float
    kind: str
    customer: int
    side: str
    product: int
    quantity: int
    skew: float
    #: Between 0 and 1, for what depends on how things stand by then: which of the customer's orders, which old page.
    chance: float
    paces: tuple[float, ...]
    plan: faults.Plan = field(default_factory=faults.Plan)
    second: Step | None = None

    def __str__(self) -> str:
        what = {
            "reserve": f"reserve {self.quantity} of product {self.product}",
            "change": f"change product {self.product} to {self.quantity}",
            "remove": f"remove product {self.product}",
            "restock": f"restock product {self.product} by {self.quantity}",
            "edit": f"edit product {self.product}",
            "wait": f"wait {self.quantity} minutes",
        }.get(self.kind, self.kind)
        who = "" if self.kind in ("sweep", "restock", "edit", "wait") else f", customer {self.customer} as {self.side}"
        line = f"step {self.number}, thread {self.thread}, {self.at:.2f} s{who}: {what}"
        line += f"; clock {self.skew:+} min" if self.skew else ""
        line += f"; faults {self.plan}" if self.plan else ""
        return f"{line}\n    at the same moment: {self.second}" if self.second else line


def episode(seed: str, *, operations: int, fault_rate: float) -> list[Step]:
    """The steps of an episode with so many operations; each call meets a fault with a probability of ``fault_rate``."""
    chance = random.Random(seed)
    steps: list[Step] = []
    counted = 0
    while counted < operations:
        steps.append(_step(chance, len(steps), operations=operations, fault_rate=fault_rate))
        counted += steps[-1].kind != "wait"
    return steps


def openings(seed: str) -> list[tuple[int, int]]:
    """Units and price in cents of each product at the start of an episode."""
    chance = random.Random(f"{seed} openings")
    return [(chance.randint(3, 14), chance.randint(10, 99) * 100) for _ in range(PRODUCTS)]


def _step(chance: random.Random, number: int, *, operations: int, fault_rate: float) -> Step:
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    thread = number % THREADS
    step = Step(
        number=number,
        thread=thread,
        at=(number // THREADS + chance.random()) * _GAP_SECONDS,
        kind=kind,
        customer=thread * CUSTOMERS_EACH + chance.randrange(CUSTOMERS_EACH),
        side="guest" if chance.random() < 0.3 else "user",
        product=chance.randrange(PRODUCTS),
        quantity=_quantity(chance, kind),
        skew=chance.choice(SKEWS),
        chance=chance.random(),
        paces=_paces(chance),
        plan=_faults(chance, fault_rate),
    )
    rate = _DOUBLE_CHECKOUT_RATE if kind == "checkout" else _SECOND_RATE
    if kind in SECOND and chance.random() < rate:
        return replace(step, second=_second(chance, step, fault_rate))
    return step


def _second(chance: random.Random, first: Step, fault_rate: float) -> Step:
    kind = chance.choice(SECOND[first.kind])
    return replace(
        first,
        kind=kind,
        quantity=_quantity(chance, kind),
        skew=chance.choice(SKEWS),
        paces=_paces(chance),
        plan=_faults(chance, fault_rate),
    )


def _quantity(chance: random.Random, kind: str) -> int:
    if kind == "wait":
        return chance.choice(WAITS)
    if kind == "restock":
        return chance.choice([-3, -1, 2, 3, 4, 6])
    if kind == "change":
        return chance.choice([0, 1, 1, 2, 2, 3, 4, 7])
    return chance.choice([1, 1, 1, 2, 2, 3])


def _paces(chance: random.Random) -> tuple[float, ...]:
    """How many seconds each call takes: most are quick, some are overtaken by many others."""
    return tuple(chance.expovariate(100) * chance.choice([1, 1, 1, 8]) for _ in range(_PACES))


def _faults(chance: random.Random, rate: float) -> faults.Plan:
    plan = faults.Plan()
    # Now and then the database is away for a whole operation.
    rate = 0.9 if chance.random() < 0.01 else rate
    for number in range(1, 13):
        if chance.random() < rate:
            plan[number] = chance.choice(faults.FAULTS)
    return plan


def with_fewest_faults(steps: list[Step], *, fails: Callable[[list[Step]], bool]) -> list[Step]:
    """The same steps with as few second tabs, faults and wrong clocks as it takes to fail."""
    for place in range(len(steps)):

        def still(simpler: Step, place: int = place) -> bool:
            nonlocal steps
            tried = [*steps[:place], simpler, *steps[place + 1 :]]
            failed = fails(tried)
            steps = tried if failed else steps
            return failed

        def still_beside(simpler: Step, first: Step = steps[place]) -> bool:
            return still(replace(first, second=simpler))

        second = steps[place].second
        if second and not still(replace(steps[place], second=None)):
            _leave_faults_out(second, still=still_beside)
        _leave_faults_out(steps[place], still=still)
        if steps[place].skew:
            still(replace(steps[place], skew=0.0))
    return steps


def _leave_faults_out(step: Step, *, still: Callable[[Step], bool]) -> None:
    if step.plan and not still(replace(step, plan=faults.Plan())):
        shorten.shortest(list(step.plan.items()), fails=lambda some: still(replace(step, plan=faults.Plan(some))))

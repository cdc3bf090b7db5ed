"""Lets Hypothesis tell stories of the shop in a process of its own. Told by ``state_machine``.

    python -m tests.proofs.machine.stories RUNS SEED [PROTECTION]

With the name of a protection the shop lacks it. Prints one JSON object a line: ``{"runs": 7}`` while it runs, then how
often each kind of step was taken and changed something, and what was wrong, if anything.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import django
import hypothesis
from django.test import override_settings
from hypothesis import HealthCheck, Phase
from hypothesis.internal.conjecture import engine
from hypothesis.reporting import with_reporter
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from inventory import checkout, dynamodb, lines
from inventory.models import Cart, Line, Order, Product
from tests import engines
from tests.proofs import quick_garbage
from tests.proofs.machine.glance import without_sdk
from tests.proofs.machine.model import CART_MAX, LINE_MAX

STEPS = 50
ENGINE = "dynoxide"
#: Runs that one engine sees: each transaction makes the next one slower.
_RUNS_OF_AN_ENGINE = 50
_SAY_EVERY_SECONDS = 0.2
# A failing story is made shorter for so long. What remains then is short enough to be read.
_SHORTEN_SECONDS = 60.0
_SHORTEN_SECONDS_OF_A_CONTROL = 2.0
_MOST_TURNS, _NEXT_SEED = 20, 1_000_003


def tell(*, runs: int, seed: int, lacking: str) -> None:
    """So many runs of fifty steps, or fewer if one goes wrong. A run that Hypothesis breaks off does not count."""
    from tests.proofs.machine.rules import Machine

    tally, wrong = _Tally(), ""
    with (
        tempfile.TemporaryDirectory(prefix="stories-") as directory,
        _hurried_world(Machine.now, lacking=lacking) as writes,
        engines.renewed(ENGINE, directory=Path(directory)) as renew,
    ):

        def begin() -> None:
            if tally.begun % _RUNS_OF_AN_ENGINE == 0:
                renew()
            tally.begin()

        Machine.begun, Machine.taken, Machine.writes = staticmethod(begin), staticmethod(tally.note), writes
        for turn in range(_MOST_TURNS):
            if tally.runs < runs and not wrong:
                wrong = _told_wrong(Machine, runs=runs - tally.runs, seed=seed + turn * _NEXT_SEED)
    _say({"runs": tally.runs, "taken": tally.taken, "changed": tally.changed} | ({"wrong": wrong} if wrong else {}))


def _told_wrong(machine: type[RuleBasedStateMachine], *, runs: int, seed: int) -> str:
    """Let Hypothesis tell so many stories; gives the shortest in which shop and model differ, or nothing."""
    settings = hypothesis.settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        # A story takes a fifth of a second, because each step asks a database: slow is no failure here.
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example),
    )
    try:
        with with_reporter(_say_nothing):
            run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=settings)
    except AssertionError as differs:
        return "\n".join([f"Hypothesis' seed {seed}", str(differs), *getattr(differs, "__notes__", [])])
    return ""


@contextmanager
def _hurried_world(now: Callable[[], datetime], *, lacking: str) -> Iterator[list[str]]:
    """A shop with small carts and a clock that can be moved, where nothing takes longer than it must.

    Gives what the shop has asked to be written.
    """
    shorten = _SHORTEN_SECONDS_OF_A_CONTROL if lacking else _SHORTEN_SECONDS
    with (
        UNSAFE[lacking]() if lacking else nullcontext(),
        override_settings(LINE_MAX_QUANTITY=LINE_MAX, CART_MAX_LINES=CART_MAX),
        mock.patch("inventory.clock.now", now),
        # Nobody else is there whom a rule would have to let go first.
        mock.patch("inventory.dynamodb.time.sleep", _do_not_wait),
        mock.patch.object(engine, "MAX_SHRINKING_SECONDS", shorten),
        # Five of six runs would be the one before with a part repeated. Each is to be a story of its own.
        mock.patch.object(engine.ConjectureRunner, "generate_mutations_from"),
        without_sdk() as writes,
    ):
        yield writes


class _Tally:
    """What was done, in whole runs. Says so while it is done, but not so often that saying it takes time."""

    def __init__(self) -> None:
        self.runs, self.begun, self._next = 0, 0, 0.0
        self._steps: list[tuple[str, bool]] = []
        self.taken, self.changed = Counter[str](), Counter[str]()

    def begin(self) -> None:
        self.begun += 1
        self._steps = []
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SAY_EVERY_SECONDS
            _say({"runs": self.runs})

    def note(self, kind: str, has_changed: bool) -> None:
        self._steps.append((kind, has_changed))
        if len(self._steps) == STEPS:
            self.runs += 1
            self.taken.update(kind for kind, _ in self._steps)
            self.changed.update(kind for kind, has_changed in self._steps if has_changed)


def _say_nothing(_text: object) -> None:
    pass


def _do_not_wait(_seconds: float) -> None:
    pass


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


# Shops that lack one protection each: what the control must find wrong.


def _without_conditions() -> AbstractContextManager[Any]:
    update = dynamodb.transaction.update

    def unconditional(self: dynamodb.transaction, item: Any, actions: Any, **_: Any) -> None:
        update(self, item, actions, condition=type(item).id.exists(), otherwise=dynamodb.contended)

    return mock.patch.object(dynamodb.transaction, "update", unconditional)


def _without_end_of_holds() -> AbstractContextManager[Any]:
    def is_live(self: Cart, _at: datetime) -> bool:
        return self.is_held

    return mock.patch.object(Cart, "is_live", is_live)


def _without_kept_prices() -> AbstractContextManager[Any]:
    def price_now(line: Line, product: Product | None, *, live: bool) -> int:
        return product.price_cents if product else line.price_cents

    return mock.patch.object(lines, "price_now", price_now)


def _without_tokens() -> AbstractContextManager[Any]:
    place_order = checkout.place_order

    def place_any(owner_id: str, *, token: str, contact: checkout.Contact) -> Order:
        cart = dynamodb.get(Cart, owner_id)
        token = cart.order_id or token if cart and cart.lines else token
        return place_order(owner_id, token=token, contact=contact)

    return mock.patch.object(checkout, "place_order", place_any)


def _without_states() -> AbstractContextManager[Any]:
    return mock.patch.object(Order, "next_steps", property(lambda self: list(Order.STATUSES)))


UNSAFE: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "conditions": _without_conditions,
    "end of holds": _without_end_of_holds,
    "kept prices": _without_kept_prices,
    "tokens": _without_tokens,
    "states": _without_states,
}


def main(runs: str, seed: str, lacking: str = "") -> None:
    django.setup()
    quick_garbage()
    tell(runs=int(runs), seed=int(seed), lacking=lacking)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Lets Hypothesis tell stories of the shop in a process of its own. Told by ``state_machine``.

    python -m tests.proofs.stories RUNS SEED [PROTECTION]

With the name of a protection the shop lacks it. Prints one JSON object a line: ``{"runs": 7}`` while it runs, then how
often each kind of step was taken and changed something, and what was wrong, if anything.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import datetime
from typing import Any
from unittest import mock

import django
import hypothesis
from django.test import override_settings
from hypothesis import HealthCheck, Phase
from hypothesis.internal.conjecture import engine
from hypothesis.reporting import with_reporter
from hypothesis.stateful import run_state_machine_as_test

from inventory import checkout, dynamodb, lines
from inventory.models import Cart, Line, Order, Product
from tests.proofs.glance import without_sdk
from tests.proofs.model import CART_MAX, LINE_MAX

STEPS = 50
_SAY_EVERY_SECONDS = 0.2
# A failing story is made shorter for so long. What remains then is short enough to be read.
_SHORTEN_SECONDS = 60.0
_SHORTEN_SECONDS_OF_A_CONTROL = 1.0


def tell(*, runs: int, seed: int, lacking: str) -> None:
    from tests.proofs.machine import Machine

    count, taken, changed = _Count(), Counter[str](), Counter[str]()

    def note(kind: str, has_changed: bool) -> None:
        if kind != "last sweep":
            taken[kind] += 1
            changed[kind] += has_changed

    Machine.begun, Machine.taken = staticmethod(count), staticmethod(note)
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
    shorten = _SHORTEN_SECONDS_OF_A_CONTROL if lacking else _SHORTEN_SECONDS
    program: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(UNSAFE[lacking]() if lacking else nullcontext())
        stack.enter_context(override_settings(LINE_MAX_QUANTITY=LINE_MAX, CART_MAX_LINES=CART_MAX))
        stack.enter_context(mock.patch("inventory.clock.now", Machine.now))
        # Nobody else is there whom a rule would have to let go first.
        stack.enter_context(mock.patch("inventory.dynamodb.time.sleep", _do_not_wait))
        stack.enter_context(without_sdk())
        stack.enter_context(mock.patch.object(engine, "MAX_SHRINKING_SECONDS", shorten))
        stack.enter_context(with_reporter(program.append))
        try:
            run_state_machine_as_test(hypothesis.seed(seed)(Machine), settings=settings)
        except AssertionError as differs:
            notes = getattr(differs, "__notes__", [])
            _say({"wrong": "\n".join([f"seed {seed}", str(differs), *program, *notes])})
    _say({"runs": count.done, "taken": taken, "changed": changed})


class _Count:
    """Says how many runs have begun, but not so often that saying it takes time."""

    def __init__(self) -> None:
        self.done, self._next = 0, 0.0

    def __call__(self) -> None:
        self.done += 1
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SAY_EVERY_SECONDS
            _say({"runs": self.done})


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
    from inventory import tables

    django.setup()
    for _ in tables.create():
        pass
    tell(runs=int(runs), seed=int(seed), lacking=lacking)


if __name__ == "__main__":
    main(*sys.argv[1:])

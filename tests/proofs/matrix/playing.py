"""Flows under plans of faults: played as a person would, many at a time, and judged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType

from inventory import checkout, dynamodb, reservations
from inventory.errors import InventoryError
from tests import faults
from tests.faults import Call, Fault, Kind, Plan
from tests.proofs.matrix import judge
from tests.proofs.matrix import stage as stages
from tests.proofs.matrix.flows import Flow
from tests.proofs.matrix.judge import Press, Right
from tests.proofs.matrix.stage import CONTACT, Clock, Stage, State
from tests.proofs.promises import Books

#: A person tries that often. Two faults spoil two of them.
PRESSES = 3
#: Each transaction makes the next one a little slower.
RUNS_OF_AN_ENGINE = 300
_PAST_EVERY_HOLD = timedelta(hours=3)


@dataclass
class Run:
    """A flow under a plan, from the empty stage to the end of the story."""

    flow: Flow
    plan: Plan
    right: Right
    stage: Stage
    presses: list[Press] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What to type to see it again."""
        return f'{self.flow.name} "{self.plan}"'

    @property
    def calls(self) -> list[Call]:
        """Over all presses, numbered on: the numbers that a plan names."""
        return [call for press in self.presses for call in press.calls]

    @property
    def hits(self) -> int:
        return sum(len(press.hits) for press in self.presses)

    @property
    def state(self) -> State:
        return self.presses[-1].left if self.presses else self.right.before

    @property
    def is_over(self) -> bool:
        return bool(self.presses) and self.state == self.right.after


class Player:
    """Plays runs. ``clock`` is the shop's meanwhile; ``renew`` gives it an empty engine, now and then."""

    def __init__(self, renew: Callable[[], None] | None = None) -> None:
        self.clock = Clock()
        self._renew, self._until_renewed = renew, RUNS_OF_AN_ENGINE
        self._numbers = itertools.count(1)

    def learn(self, flow: Flow) -> Right:
        """What the flow comes to without faults, and where it may stop on the way."""
        with self.clock.running(), faults.installed():
            (before, _, _), (after, said, calls) = self._seen(flow, None), self._seen(flow, flow.act)
            between = tuple(self._seen(flow, step)[0] for step in flow.steps)
        return Right(said=said, before=before, after=after, between=between, calls=calls)

    def play(self, flow: Flow, right: Right, plans: Iterable[Plan], *, to_the_end: bool) -> list[Run]:
        """Runs of one flow, side by side in the same tables, each in a world of its own.

        ``to_the_end``: until hours later, when every hold is over and the customers come back. All runs of a flow that
        are right end in the same state, so that not each of them needs to show what comes after it.
        """
        runs = [Run(flow, plan, right, Stage(next(self._numbers), self.clock)) for plan in plans]
        self._until_renewed -= len(runs)
        if self._renew is not None and self._until_renewed < 0:
            self._renew()
            self._until_renewed = RUNS_OF_AN_ENGINE
        books = Books({}, [], [], [])
        with self.clock.running(), faults.installed():
            self._prepare([run.stage for run in runs], flow)
            for _ in range(PRESSES):
                if waiting := [run for run in runs if not run.is_over]:
                    books = self._press(waiting)
            for run in runs:
                if right.said != flow.says:
                    run.wrong.append(f"without faults it says {right.said}, not {flow.says}")
                if not run.is_over:
                    run.wrong.append(f"not done in {PRESSES} tries: {judge.difference(run.state, right.after)}")
            stages.sweep_away(self._hours_later(runs) if to_the_end else books)
        return runs

    def _seen(self, flow: Flow, act: Callable[[Stage], object] | None) -> tuple[State, str, list[Call]]:
        stage = Stage(next(self._numbers), self.clock)
        self._prepare([stage], flow)
        press = press_once(act, stage, Plan(), passed=0) if act else Press("", [], [])
        books = Books.read(stage.product_ids)
        stages.sweep_away(books)
        return judge.state(flow, stage, books), press.said, press.calls

    def _prepare(self, some: list[Stage], flow: Flow) -> None:
        for stage in some:
            flow.prepare(stage)
        stages.write(some)

    def _press(self, runs: list[Run]) -> Books:
        """Everybody tries (again). Then we look what came of it."""
        for run in runs:
            before = run.state
            press = press_once(run.flow.act, run.stage, run.plan, passed=len(run.calls))
            press.found = before
            run.presses.append(press)
        books = _read(runs)
        worlds = stages.split(books)
        for run in runs:
            press = run.presses[-1]
            press.left = judge.state(run.flow, run.stage, worlds[run.stage.name])
            run.wrong += judge.press(run.flow, run.right, press, worlds[run.stage.name])
            run.wrong += judge.promises(run.stage, books)
        return books

    def _hours_later(self, runs: list[Run]) -> Books:
        """Nothing is stuck: one sweep frees every unit, and who comes back can reserve again and order."""
        self.clock.moved = _PAST_EVERY_HOLD
        try:
            reservations.release_expired()
            books = _read(runs)
            worlds = stages.split(books)
            for run in runs:
                run.wrong += judge.promises(run.stage, books) + judge.nothing_held(run.stage, books)
                run.wrong += _come_back(worlds[run.stage.name])
            books = _read(runs)
            for run in runs:
                run.wrong += judge.promises(run.stage, books) + judge.nothing_held(run.stage, books)
        finally:
            self.clock.moved = timedelta()
        return books


def press_once(act: Callable[[Stage], object], stage: Stage, plan: Plan, *, passed: int) -> Press:
    """Do it once, under what is left of a plan of which ``passed`` calls are over."""
    ending = _Ending()
    with faults.injected(lambda call: plan.get(passed + call.number), seed=str(plan)) as heard, ending:
        ending.result = act(stage)
    calls = {call.number: Call(passed + call.number, call.operation) for call in heard.calls}
    hits = [(calls[call.number], kind) for call, kind in heard.hits]
    return Press(ending.said, list(calls.values()), hits, seconds=ending.seconds, result=ending.result)


class _Ending:
    """How a rule ended, whatever came out of it."""

    said = judge.DONE
    seconds = 0.0
    result: object = None

    def __enter__(self) -> _Ending:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            return False
        self.seconds = faults.elapsed_seconds()
        if isinstance(error, faults.Killed):
            self.said = judge.KILLED
        elif isinstance(error, InventoryError):
            self.said = type(error).__name__
        elif error is not None:
            self.said = judge.UNAVAILABLE if dynamodb.is_unavailable(error) else f"{error!r}"
        return True


def _read(runs: list[Run]) -> Books:
    return Books.read([product_id for run in runs for product_id in run.stage.product_ids])


def _come_back(books: Books) -> list[str]:
    """The customers of a stage reserve again what is in their carts, and order it."""
    for cart in [cart for cart in books.carts if cart.lines]:
        try:
            renewed, _ = reservations.renew(cart.user_id)
            if renewed.lines:
                checkout.place_order(cart.user_id, token=renewed.order_id or "", contact=CONTACT)
        except InventoryError as refusal:
            return [f"stuck: {cart.user_id} comes back and is told {type(refusal).__name__}"]
    return []


def singles(right: Right) -> Iterator[Plan]:
    """No fault, then every fault at every call that the flow makes."""
    yield Plan()
    for call in right.calls:
        for fault in variants(call.operation):
            yield Plan({call.number: fault})


def pairs(run: Run) -> Iterator[Plan]:
    """One more fault at every call that came after a run's own, in calls that exist only because of it too."""
    for call in run.calls:
        if run.plan and call.number > max(run.plan):
            for fault in variants(call.operation):
                yield Plan({**run.plan, call.number: fault})


def variants(operation: str) -> list[Fault]:
    """The faults that differ at such a call. A read writes nothing, so before and after are the same to it."""
    applying = [fault for fault in faults.FAULTS if fault.kind.applies_to(operation)]
    if operation not in judge.READS:
        return applying
    same = {Kind.ANSWER_LOST, Kind.ANSWER_CUT, Kind.ERROR_AFTER, Kind.KILLED_AFTER}
    return [fault for fault in applying if fault.kind not in same]

"""Every flow under every fault at every call, and under every pair of them.

    python -m tests.proofs.fault_matrix FLOW "PLAN"

plays one run again and tells its story: ``… checkout-one "3:answer-lost! 4:throttled"``.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.proofs import Result, World

if TYPE_CHECKING:
    from tests.faults import Plan
    from tests.proofs.flows import Flow
    from tests.proofs.judge import Right
    from tests.proofs.matrix import Player, Run

TITLE = "Every flow × every call × every fault, and all pairs of faults"
WANTED = "the whole matrix, 0 wrong"
ENGINE = "dynoxide"

_AT_ONCE = 40
#: How many pairs of faults of each flow ``make test`` plays, and one in how many runs goes on until hours later.
_QUICK_PAIRS = 8
_END_EVERY = {"singles": 1, "pairs": 5, "quick": 5}


def prove(world: World) -> Result:
    from tests.proofs import flows, matrix

    logging.disable(logging.WARNING)  # The shop says what it could not reach, which here is thousands of times.
    player = matrix.Player()
    rights = {flow.name: player.learn(flow) for flow in flows.FLOWS.values()}
    sites = sum(len(right.calls) for right in rights.values())
    done, total = 0, sum(len(list(matrix.singles(right))) for right in rights.values())
    tally = _Tally()
    plans: dict[str, list[Plan]] = {}
    for name, right in rights.items():
        flow = flows.FLOWS[name]
        every = _END_EVERY["singles" if world.full else "quick"]
        for run in _played(player, flow, right, matrix.singles(right), end_every=every):
            tally.add(run)
            plans.setdefault(name, []).extend(matrix.pairs(run))
            world.progress(done := done + 1, total)
    if not world.full:
        source = random.Random(world.seed)
        plans = {name: source.sample(all_, min(_QUICK_PAIRS, len(all_))) for name, all_ in plans.items()}
    singles, total = tally.runs, total + sum(map(len, plans.values()))
    for name, of_flow in plans.items():
        for run in _played(player, flows.FLOWS[name], rights[name], of_flow, end_every=_END_EVERY["pairs"]):
            tally.add(run)
            world.progress(done := done + 1, total)
    ran = (
        f"{len(rights)} flows with {sites} calls, {singles - len(rights):,} runs with one fault and "
        f"{tally.runs - singles:,} with two, {tally.hits:,} requests hit"
    )
    return Result(ran, tally.wrong)


def control(world: World) -> Result:
    """Three rules without protection, each of which a single fault must find wrong."""
    from tests.proofs import flows, matrix, unsafe

    logging.disable(logging.WARNING)
    player, found = matrix.Player(), []
    for done, rule in enumerate(unsafe.UNSAFE, start=1):
        tally = _Tally()
        with rule.patch():
            for name in rule.flows:
                right = player.learn(flows.FLOWS[name])
                for run in _played(player, flows.FLOWS[name], right, matrix.singles(right), end_every=1):
                    tally.add(run)
        world.progress(done, len(unsafe.UNSAFE))
        if tally.wrong:
            found.append(f"{rule.name}: {len(tally.wrong)} of {tally.runs} runs, as {tally.wrong[0]}")
    everything = len(found) == len(unsafe.UNSAFE)
    return Result(f"{len(found)} of {len(unsafe.UNSAFE)} unsafe rules found wrong", found if everything else [])


class _Tally:
    """What came of some runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.hits = 0
        self.wrong: list[str] = []

    def add(self, run: Run) -> None:
        self.runs += 1
        self.hits += run.hits
        if run.wrong:
            self.wrong.append(f"{run.title}: {run.wrong[0]}")


def _played(player: Player, flow: Flow, right: Right, plans: Iterable[Plan], *, end_every: int) -> Iterator[Run]:
    size = 1 if flow.alone else _AT_ONCE
    sorted_out: dict[bool, list[Plan]] = {True: [], False: []}
    for number, plan in enumerate(plans):
        sorted_out[number % end_every == 0].append(plan)
    for to_the_end, some in sorted_out.items():
        for first in range(0, len(some), size):
            yield from player.play(flow, right, some[first : first + size], to_the_end=to_the_end)


def tell(name: str, text: str) -> Run:
    """Play one run and print what happened in it."""
    from tests.faults import Plan
    from tests.proofs import flows, judge, matrix

    player = matrix.Player()
    right = player.learn(flows.FLOWS[name])
    (run,) = player.play(flows.FLOWS[name], right, [Plan.parse(text)], to_the_end=True)
    print("At first:", *right.before, sep="\n  ")
    for press in run.presses:
        print("Somebody does it.")
        for call in press.calls:
            met = ", ".join(kind.value for hit, kind in press.hits if hit == call)
            print(f"  call {call.number}, {call.operation}{': ' + met if met else ''}")
        print(f"  → {press.said}. {judge.difference(press.found, press.left)}")
    print("In the end:", *run.state, sep="\n  ")
    print("Wrong:" if run.wrong else "Nothing is wrong.", *run.wrong, sep="\n  ")
    return run


def main(name: str, text: str) -> int:
    from tests import engines
    from tests.proofs.one import open_shop

    with tempfile.TemporaryDirectory() as directory, engines.running(ENGINE, directory=Path(directory)) as environment:
        engines.use(environment)
        open_shop()
        return 1 if tell(name, text).wrong else 0


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    sys.exit(main(*sys.argv[1:]))

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

from tests import engines
from tests.proofs import Result, World
from tests.quick_sdk import quick_sdk

if TYPE_CHECKING:
    from tests.faults import Plan
    from tests.proofs.matrix.flows import Flow
    from tests.proofs.matrix.judge import Right
    from tests.proofs.matrix.playing import Player, Run

TITLE = "Every flow × every call × every fault, and all pairs of faults"
WANTED = "the whole matrix, 0 wrong"
ENGINE = "dynoxide"

_AT_ONCE = 40
#: How many pairs of faults of each flow ``make test`` plays, and one in how many runs goes on until hours later.
_QUICK_PAIRS = 8
_END_EVERY = {"singles": 1, "pairs": 5, "quick": 5}


@quick_sdk()
def prove(world: World) -> Result:
    from tests.proofs.matrix import playing

    logging.disable(logging.WARNING)  # The shop says what it could not reach, which here is thousands of times.
    with engines.renewed(ENGINE, directory=world.directory) as renew:
        return _matrix(world, playing.Player(renew))


def _matrix(world: World, player: Player) -> Result:
    from tests.proofs.matrix import flows, playing

    rights = {flow.name: player.learn(flow) for flow in flows.FLOWS.values()}
    tally = _Tally(world, sum(len(list(playing.singles(right))) for right in rights.values()))
    pairs = {}
    for name, right in rights.items():
        every = _END_EVERY["singles" if world.full else "quick"]
        runs = tally.played(player, flows.FLOWS[name], right, playing.singles(right), end_every=every)
        pairs[name] = _chosen([plan for run in runs for plan in playing.pairs(run)], world)
    singles = tally.runs - len(rights)  # One of each flow is without a fault.
    tally.total += sum(map(len, pairs.values()))
    for name, plans in pairs.items():
        for _ in tally.played(player, flows.FLOWS[name], rights[name], plans, end_every=_END_EVERY["pairs"]):
            pass  # What is wrong is in the tally; thousands of runs need not be kept.
    calls = sum(len(right.calls) for right in rights.values())
    ran = (
        f"{len(rights)} flows with {calls} calls, {singles:,} runs with one fault and "
        f"{sum(map(len, pairs.values())):,} with two, {tally.hits:,} requests hit"
    )
    return Result(ran, tally.wrong)


def _chosen(plans: list[Plan], world: World) -> list[Plan]:
    return plans if world.full else random.Random(world.seed).sample(plans, min(_QUICK_PAIRS, len(plans)))


@quick_sdk()
def control(world: World) -> Result:
    """Rules without protection: each must be found wrong."""
    from tests.proofs.matrix import unsafe

    logging.disable(logging.WARNING)
    found = []
    for done, rule in enumerate(unsafe.UNSAFE, start=1):
        tally = _Tally()
        with rule.patch():
            for name in rule.flows:
                _play_unsafe(tally, name, by_two_faults=rule.by_two_faults)
        world.progress(done, len(unsafe.UNSAFE))
        if tally.wrong:
            found.append(f"{rule.name}: {len(tally.wrong)} of {tally.runs} runs, as {tally.wrong[0]}")
    everything = len(found) == len(unsafe.UNSAFE)
    return Result(f"{len(found)} of {len(unsafe.UNSAFE)} unsafe rules found wrong", found if everything else [])


def _play_unsafe(tally: _Tally, name: str, *, by_two_faults: bool) -> None:
    """A flow under every single fault, or under every second fault after a lost answer."""
    from tests.faults import Fault, Kind
    from tests.proofs.matrix import flows, playing

    player = playing.Player()
    right = player.learn(flows.FLOWS[name])
    plans = list(playing.singles(right))
    if by_two_faults:
        lost = [plan for plan in plans if Fault.always(Kind.ANSWER_CUT) in plan.values()]
        firsts = _Tally().played(player, flows.FLOWS[name], right, lost, end_every=1)
        plans = [plan for run in firsts if not run.wrong for plan in playing.pairs(run)]
    for _ in tally.played(player, flows.FLOWS[name], right, plans, end_every=1):
        pass


class _Tally:
    """Plays runs and counts what came of them. ``total`` is how many there are to be, as far as is known."""

    def __init__(self, world: World | None = None, total: int = 0) -> None:
        self._world = world
        self.total = total
        self.runs = 0
        self.hits = 0
        self.wrong: list[str] = []

    def played(
        self, player: Player, flow: Flow, right: Right, plans: Iterable[Plan], *, end_every: int
    ) -> Iterator[Run]:
        for run in _played(player, flow, right, plans, end_every=end_every):
            self.runs += 1
            self.hits += run.hits
            if run.wrong:
                self.wrong.append(f"{run.title}: {run.wrong[0]}")
            if self._world is not None:
                self._world.progress(self.runs, self.total)
            yield run


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
    from tests.proofs.matrix import flows, judge, playing

    player = playing.Player()
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


def main(*arguments: str) -> int:
    from tests.proofs.one import open_shop

    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2

    with tempfile.TemporaryDirectory() as directory, engines.running(ENGINE, directory=Path(directory)) as environment:
        engines.use(environment)
        open_shop()
        return 1 if tell(*arguments).wrong else 0


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    sys.exit(main(*sys.argv[1:]))

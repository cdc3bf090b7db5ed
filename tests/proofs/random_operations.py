"""Random operations by eight threads under faults: after each the books must balance, at the end every number.

    python -m tests.proofs.random_operations SEED [EPISODE [OPERATIONS]]

plays one episode of a run again and tells its story; without EPISODE a small run. A run is cut into episodes, each a
small shop of its own with little stock, many customers and a plan that follows from the seed. In most of them the
threads take turns (``schedule``), so that a failure repeats and is made shorter; in every fourth they run at once.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests import engines
from tests.proofs import Result, World
from tests.proofs.one import open_shop
from tests.quick_sdk import quick_sdk

if TYPE_CHECKING:
    from tests.proofs.operations.episodes import Outcome
    from tests.proofs.operations.plans import Step

TITLE = "Random operations under faults"
WANTED = "100,000 operations by 8 threads, ≥ 30 faults per 100: 0 oversold, 0 lost, 0 doubled, 0 stuck"
ENGINE = "dynoxide"

FULL, QUICK, CONTROL = 100_000, 5_000, 3_000
EPISODE, CONTROL_EPISODE = 400, 60
#: Each transaction makes the next one of the same engine a little slower.
EPISODES_OF_AN_ENGINE = 10
#: The probability that a call meets a fault. It gives about 40 faults for 100 operations.
FAULT_RATE = 0.12
FAULTS_WANTED = 0.3
AT_ONCE_EVERY = 4
_WRONG_AT_MOST = 3
_TRIES = 150
_numbers = itertools.count()


@quick_sdk()
def prove(world: World) -> Result:
    run, wanted = Run(world.seed, EPISODE, at_once_every=AT_ONCE_EVERY), FULL if world.full else QUICK
    tally: Counter[str] = Counter()
    wrong: list[str] = []
    with engines.renewed(ENGINE, directory=world.directory) as renew:
        for number in range(-(-wanted // EPISODE)):
            if number % EPISODES_OF_AN_ENGINE == 0:
                renew()
            outcome = run.play(number)
            tally += outcome.tally
            world.progress(min(wanted, tally["operations"]), wanted)
            if outcome.wrong:
                wrong.append(run.report(number, outcome))
                if len(wrong) == _WRONG_AT_MOST:
                    break
    if not wrong and tally["faults"] < FAULTS_WANTED * tally["operations"]:
        wrong.append(f"Only {tally['faults']} faults in {tally['operations']} operations: the proof is too mild.")
    return Result(_ran(tally), wrong)


@quick_sdk()
def control(world: World) -> Result:
    """Three shops that each lack a protection. All must be found wrong within a few thousand operations."""
    from tests.proofs.operations import unsafe_shops

    run = Run(world.seed, CONTROL_EPISODE)
    tally: Counter[str] = Counter()
    wrong: list[str] = []
    for done, (name, unsafe) in enumerate(unsafe_shops.ALL.items()):
        world.progress(done, len(unsafe_shops.ALL))
        with unsafe():
            found = _first_wrong(run, tally)
        if not found:
            return Result(f"{tally['operations']:,} operations: nothing wrong found with {name}", [])
        wrong.append(f"{name}: {found}")
    return Result(f"{tally['operations']:,} operations in {len(wrong)} unsafe shops", wrong)


def _first_wrong(run: Run, tally: Counter[str]) -> str:
    for number in range(CONTROL // run.size):
        outcome = run.play(number)
        tally += outcome.tally
        if outcome.wrong:
            return run.report(number, outcome)
    return ""


@dataclass(frozen=True)
class Run:
    """Episodes of so many operations each, all from one seed; in some, if any, the threads really run at once."""

    seed: int
    size: int
    at_once_every: int = 0

    def steps(self, number: int) -> list[Step]:
        from tests.proofs.operations import plans

        return plans.episode(f"{self.seed} {number}", operations=self.size, fault_rate=FAULT_RATE)

    def play(self, number: int, steps: Sequence[Step] | None = None) -> Outcome:
        """One episode, or a part of its steps. Every shop has ids of its own: the tables live on."""
        from tests.proofs.operations import episodes

        name, seed = f"{next(_numbers):06}", f"{self.seed} {number}"
        steps = self.steps(number) if steps is None else steps
        return episodes.play(name, seed, steps, at_once=self._is_at_once(number))

    def report(self, number: int, outcome: Outcome) -> str:
        """What went wrong, how to see it again, and the shortest sequence of steps that still goes wrong."""
        again = f"python -m tests.proofs.random_operations {self.seed} {number} {self.size}"
        if self._is_at_once(number):
            return f"{outcome.wrong}\nSeed {self.seed}, episode {number}, threads at once; to try again: {again}"
        shortest = self.shortened(number, outcome)
        said = f"Seed {self.seed}, episode {number}; to see it again: {again}\nThe shortest sequence:"
        return "\n".join([shortest.wrong, said, *_lines(shortest)])

    def shortened(self, number: int, outcome: Outcome) -> Outcome:
        """An episode that went wrong, with the fewest steps and faults with which it still does."""
        from tests.proofs.operations import plans, shorten

        def fails(some: list[Step]) -> bool:
            nonlocal outcome
            tried = self.play(number, some)
            outcome = tried if tried.wrong else outcome
            return bool(tried.wrong)

        steps = shorten.shortest(self.steps(number), fails=fails, tries=_TRIES)
        plans.with_fewest_faults(steps, fails=fails)
        return outcome

    def _is_at_once(self, number: int) -> bool:
        return self.at_once_every > 0 and number % self.at_once_every == self.at_once_every - 1


def _lines(outcome: Outcome) -> Iterator[str]:
    for step, tried in outcome.story:
        yield f"{tried.began}-{tried.ended} {step}\n    {tried}"


def _ran(tally: Counter[str]) -> str:
    return (
        f"{tally['operations']:,} operations by 8 threads, {tally['faults']:,} faults, {tally['killed']:,} killed,"
        f" {tally['orders']:,} orders, {tally['refused']:,} refusals, {tally['unknown']:,} answers unknown"
    )


def main(seed: int, number: int | None, size: int) -> int:
    """Play an episode again, or a small run, on an engine of its own. Exit status 0 if nothing is wrong."""
    with (
        tempfile.TemporaryDirectory(prefix="proof-random-") as directory,
        engines.running(ENGINE, directory=Path(directory, "engine")) as environment,
    ):
        engines.use(environment)
        open_shop()
        logging.disable(logging.WARNING)
        if number is None:
            result = prove(World(False, seed, environment, Path(directory), lambda done, total: None))
            print(result.ran, *result.wrong, sep="\n")
            return 1 if result.wrong else 0
        run = Run(seed, size, at_once_every=AT_ONCE_EVERY if size == EPISODE else 0)
        with quick_sdk():
            outcome = run.play(number)
            print(*_lines(outcome), sep="\n")
            print(run.report(number, outcome) if outcome.wrong else "Nothing is wrong.")
        return 1 if outcome.wrong else 0


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    asked = [int(word) for word in sys.argv[1:]]
    sys.exit(main(asked[0], asked[1] if asked[1:] else None, asked[2] if asked[2:] else EPISODE))

"""Thousands of stories of fifty steps each, made up by Hypothesis: the shop and a model of it must never differ."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ecokart import local
from tests.proofs import Result, World

TITLE = "Hypothesis state machine against a model of under 80 lines"
WANTED = "5,000 runs of 50 steps in `make prove`, 200 in `make test`"
ENGINE = "dynoxide"

_STEPS = 50
_WORKERS = 2
_RUNS_OF_A_CONTROL = 200
_UNSAFE_WHEN_QUICK = 2
_MOST_SAID = 5_000


@dataclass
class Told:
    """What the workers have said so far."""

    runs: list[int] = field(default_factory=lambda: [0] * _WORKERS)
    taken: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def prove(world: World) -> Result:
    runs = 5_000 if world.full else 200
    told, lock = Told(), threading.Lock()

    def listen(number: int) -> None:
        share = runs // _WORKERS
        for said in _said_by_worker(world, number, runs=share, seed=world.seed * _WORKERS + number, lacking=""):
            with lock:
                _note(told, number, said)
                world.progress(sum(told.runs), runs)

    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(listen, range(_WORKERS)):
            pass
    done = min(runs, sum(told.runs))
    if done < runs and not told.wrong:
        told.wrong.append(f"Only {done:,} of {runs:,} runs were made.")
    return Result(f"{done:,} runs of {_STEPS} steps, {_in_words(told)}", told.wrong)


def control(world: World) -> Result:
    """The shop without one of its protections at a time. Each must be noticed, or nothing is said to be wrong."""
    from tests.proofs.machine.stories import (
        UNSAFE,  # With it comes the shop, which one process has for one set of tables only.
    )

    def found(lacking: str) -> list[str]:
        told = Told()
        for said in _said_by_worker(world, 0, runs=_RUNS_OF_A_CONTROL, seed=world.seed, lacking=lacking):
            _note(told, 0, said)
        return told.wrong

    unsafe = tuple(UNSAFE) if world.full else tuple(UNSAFE)[:_UNSAFE_WHEN_QUICK]
    with ThreadPoolExecutor(_WORKERS) as pool:
        wrong = dict(zip(unsafe, pool.map(found, unsafe), strict=True))
    missed = [lacking for lacking, differences in wrong.items() if not differences]
    if missed:
        return Result(f"not noticed: {', '.join(missed)}", [])
    return Result(
        f"a shop without its {', '.join(wrong)} in turn",
        [f"Without its {lacking}: {differences[0]}" for lacking, differences in wrong.items()],
    )


def _said_by_worker(world: World, number: int, *, runs: int, seed: int, lacking: str) -> Iterator[dict[str, Any]]:
    """Start a worker and give what it says. Its engine is its own, so that it never sweeps another's carts."""
    command = [sys.executable, "-m", "tests.proofs.machine.stories", str(runs), str(seed), lacking]
    log = world.directory / f"{number}-{seed}-{lacking}.txt"
    with (
        log.open("w") as errors,
        subprocess.Popen(command, cwd=local.ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        for line in process.stdout or ():
            yield json.loads(line)
    if process.returncode:
        yield {"wrong": f"seed {seed}: exit code {process.returncode}\n{log.read_text()[-_MOST_SAID:]}"}


def _note(told: Told, number: int, said: dict[str, Any]) -> None:
    if "wrong" in said:
        told.wrong.append(said["wrong"])
    told.runs[number] = said.get("runs", told.runs[number])
    told.taken.update(said.get("taken", {}))
    told.changed.update(said.get("changed", {}))


def _in_words(told: Told) -> str:
    """How many of the steps changed something, in all and for each kind of step."""
    kinds = [f"{kind} {told.changed[kind] / taken:.0%}" for kind, taken in sorted(told.taken.items())]
    share = told.changed.total() / max(1, told.taken.total())
    return f"{told.taken.total():,} steps of which {share:.0%} changed something ({', '.join(kinds)})"

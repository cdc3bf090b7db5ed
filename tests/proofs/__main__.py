"""All proofs at their full size, two at a time, with a table at the end: what ``make prove`` runs.

    python -m tests.proofs [--quick] [--seed N] [NAME …]

Exit status 0 only if every proof holds and every control fails.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

from ecokart import local
from tests.proofs import PACKAGES, Proof

AT_ONCE = 2
_BAR = 24
_LINE_EVERY_SECONDS = 30
#: Letters of its log that are shown of a proof that has ended by an error.
_LAST_WORDS = 5_000


@dataclass(frozen=True)
class Outcome:
    """What a proof's process said in the end. ``ran`` is empty when it said nothing."""

    name: str
    ran: str
    wrong: list[str]
    seconds: float
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)


def _silent(_done: int, _total: int) -> None:
    pass


def start(
    name: str,
    *,
    package: str = "tests.proofs",
    full: bool,
    control: bool,
    seed: int,
    progress: Callable[[int, int], None] = _silent,
) -> Outcome:
    """Run one proof, or its control, in a process of its own, and wait for it.

    What it logs is full of what was done to it on purpose: only where it ends by an error the last of that is shown.
    """
    size, part = ("full" if full else "quick"), ("control" if control else "prove")
    command = [sys.executable, "-m", "tests.proofs.one", package, name, size, part, str(seed)]
    began = time.monotonic()
    said: dict[str, object] = {}
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        with subprocess.Popen(command, cwd=local.ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as process:
            for line in process.stdout or ():
                said = json.loads(line)
                if "done" in said:
                    progress(cast(int, said["done"]), cast(int, said["total"]))
        has_failed = bool(process.returncode) or "ran" not in said
        if has_failed:
            log.seek(0)
            print(log.read()[-_LAST_WORDS:], file=sys.stderr)
    if has_failed:
        return Outcome(name, "", [f"{part} ended with exit code {process.returncode}"], time.monotonic() - began)
    parts = cast("dict[str, tuple[int, int]]", said["parts"])
    return Outcome(name, str(said["ran"]), cast("list[str]", said["wrong"]), time.monotonic() - began, parts)


class _Screen:
    """Where each running proof is: one line that is written over in a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, tuple[int, int]] = {}
        self._next = 0.0

    def at(self, name: str, done: int, total: int) -> None:
        with self._lock:
            self._running[name] = (done, total)
            if sys.stderr.isatty():
                print("\r\033[K" + "   ".join(map(self._bar, self._running)), end="", file=sys.stderr, flush=True)
            elif time.monotonic() >= self._next:
                self._next = time.monotonic() + _LINE_EVERY_SECONDS
                print("   ".join(map(self._bar, self._running)), file=sys.stderr, flush=True)

    def end(self, name: str, sentence: str) -> None:
        with self._lock:
            self._running.pop(name, None)
            print(("\r\033[K" if sys.stderr.isatty() else "") + sentence, file=sys.stderr, flush=True)

    def _bar(self, name: str) -> str:
        done, total = self._running[name]
        full = _BAR * done // max(1, total)
        return f"{name} [{'#' * full}{'.' * (_BAR - full)}] {done:,} of {total:,}"


def prove(name: str, *, package: str, full: bool, seed: int, screen: _Screen) -> tuple[Outcome, Outcome]:
    """One proof and its control, one after the other."""
    outcomes = []
    for control in (True, False):
        what = f"{name} (control)" if control else name
        progress = functools.partial(screen.at, what)
        outcome = start(name, package=package, full=full, control=control, seed=seed, progress=progress)
        found = f"{len(outcome.wrong)} wrong" if outcome.wrong else "nothing wrong"
        screen.end(what, f"{what}: {found}, {outcome.seconds:.0f} s. {outcome.ran}")
        for sentence in [] if control else outcome.wrong:
            screen.end(what, sentence)
        outcomes.append(outcome)
    control_outcome, proof_outcome = outcomes
    return proof_outcome, control_outcome


def failures(proof: Outcome, control: Outcome) -> list[str]:
    """Why this is no proof; empty if it is one."""
    found = list(proof.wrong)
    if not control.ran:
        found += [f"The control did not run: {control.wrong}"]
    elif not control.wrong:
        found += ["The control found nothing wrong, so the proof proves nothing."]
    return found


def table(outcomes: list[tuple[Outcome, Outcome]], package: str) -> str:
    rows = ["| proof | figure to reach | what was run | wrong | its control found | seconds |", "|---" * 6 + "|"]
    for proof, control in outcomes:
        module = cast(Proof, importlib.import_module(f"{package}.{proof.name}"))
        rows.append(
            f"| {module.TITLE} | {module.WANTED} | {proof.ran} | {len(proof.wrong)} |"
            f" {len(control.wrong)} wrong: {control.ran} | {proof.seconds:.0f} |"
        )
    return "\n".join(rows)


def table_of_parts(proof: Outcome, control: Outcome) -> str:
    """What was tried in each part of a proof; the control has to find each part wrong."""
    rows = [f"| {proof.name} | tried | wrong | its control found |", "|---" * 4 + "|"]
    for part, (tried, wrong) in proof.parts.items():
        rows.append(f"| {part} | {tried:,} | {wrong} | {control.parts.get(part, (0, 0))[1]} wrong |")
    return "\n".join(rows)


def main(package: str = "tests.proofs", *, command: str = "make prove", shows: str = "stock is never wrong") -> int:
    names = importlib.import_module(package).PROOFS
    parser = argparse.ArgumentParser(prog=command, description=f"Show that {shows}.")
    parser.add_argument("names", nargs="*", choices=[[], *names], metavar="NAME", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="as small as in make test")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    asked = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = PACKAGES[package]
    began, screen = time.monotonic(), _Screen()
    print(f"Seed {asked.seed}", flush=True)
    one = functools.partial(prove, package=package, full=not asked.quick, seed=asked.seed, screen=screen)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(one, asked.names or names))
    wrong = {proof.name: failures(proof, control) for proof, control in outcomes}
    for proof, control in outcomes:
        if proof.parts:
            print(f"\n{table_of_parts(proof, control)}")
    print(f"\n{table(outcomes, package)}\n")
    for name, sentences in wrong.items():
        for sentence in sentences:
            print(f"{name}: {sentence}")
    print(f"Seed {asked.seed}, {time.monotonic() - began:.0f} seconds.")
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

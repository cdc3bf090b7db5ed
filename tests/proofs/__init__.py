"""That stock is never wrong, shown by trying hard to make it wrong.

Each module is one proof. ``make test`` runs them small, ``make prove`` at their full size. Every proof has a control:
the same harness on a shop that lacks the protection must find it wrong, or the proof would prove nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ecokart.local import Environment


@dataclass(frozen=True)
class World:
    """Where a proof runs: an engine with empty tables to which this process leads, and how much is to be tried.

    ``environment`` starts a shop on the same engine; ``directory`` is the proof's own and empty; ``seed`` makes the run
    the same again; ``progress`` is told how much of how much is done.
    """

    full: bool
    seed: int
    environment: Environment
    directory: Path
    progress: Callable[[int, int], None] = field(repr=False)


@dataclass(frozen=True)
class Result:
    """What a proof did and found. Each entry of ``wrong`` is a sentence, with what it takes to see it again.

    ``parts`` says of a proof that has many: how much was tried in each, and how much of that was found wrong.
    """

    ran: str
    wrong: list[str]
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)


class Proof(Protocol):
    """What each module in ``PROOFS`` has. ``TITLE`` and ``WANTED`` are what the summary's table says."""

    TITLE: str
    WANTED: str
    ENGINE: str

    def prove(self, world: World) -> Result: ...

    def control(self, world: World) -> Result:
        """The same on a shop that lacks a protection. Its ``wrong`` must not be empty."""


def quick_garbage() -> None:
    """Look less often for what nobody needs: a proof makes and drops millions of small objects, and to look at all that
    stays each time would take minutes. Called when everything is imported."""
    gc.freeze()
    gc.set_threshold(50_000)


#: Where proofs are, and the settings that they run with.
PACKAGES = {"tests.proofs": "tests.settings", "tests.attacks": "tests.attacks.settings"}

# In the order in which they begin and of the table: such that two cores come to the end together.
PROOFS: tuple[str, ...] = (
    "state_machine",
    "fault_matrix",
    "flash_sale",
    "random_operations",
    "sabotage",
    "sweepers",
    "double_submit",
    "address_pairs",
    "killed_workers",
)

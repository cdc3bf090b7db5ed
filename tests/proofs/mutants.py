"""The shop's protections, one by one, and what the code looks like without each: read from ``mutants.toml``.

What is missing there, and why: that the movement of a sale or a return is not there yet (its key is random), that a
new account's id is not there yet (so is that), that stock is enough where reserved is (it is never less; that is for
tables that somebody repaired by hand), and that a transaction carries a token (the SDK would make one of its own).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).with_name("mutants.toml")


@dataclass(frozen=True)
class Mutant:
    """``old`` occurs once in the file and becomes ``new``; ``by`` is the test that notices first (``file::test``)."""

    file: str
    lacks: str
    old: str
    new: str
    by: str


def all_mutants() -> tuple[Mutant, ...]:
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(Mutant(file, **row) for file, rows in table.items() for row in rows)


def harmless() -> Iterator[Mutant]:
    """Changes that take nothing away: the suite must let them live, or what it misses is not the protection."""
    yield Mutant(
        "inventory/orders.py",
        "nothing: a comment",
        "# An earlier try has happened after all.",
        "# An earlier attempt has happened after all.",
        "test_orders",
    )
    yield Mutant(
        "inventory/orders.py",
        "nothing: a name for a value",
        'return _take(order.id, Step(status="cancelled", at=clock.now(), by=by, note=note))',
        'step = Step(status="cancelled", at=clock.now(), by=by, note=note)\n    return _take(order.id, step)',
        "test_orders",
    )

"""That docs/asvs.md forgets no requirement and names no test that is not there; ``tests/attacks/asvs.py`` looks."""

from __future__ import annotations

import re

import pytest

from ecokart import local
from inventory.models import tables
from tests.attacks.asvs import LEVELS, PAGE, STATES, exists, flaws, rows

#: As they are called in the docs.
TABLES = ("products", "users", "carts", "orders", "movements", "notes", "mails", "audit")


def test_there_are_as_many_as_the_standard_says() -> None:
    assert [list(LEVELS.values()).count(level) for level in (1, 2, 3)] == [70, 183, 92]


def test_every_requirement_has_a_row_that_rests_on_what_is_there() -> None:
    assert list(flaws(PAGE.read_text(encoding="utf-8"))) == []


def test_what_is_said_of_security_has_the_same_sums() -> None:
    states = [state for _, _, _, state, _ in rows(PAGE.read_text(encoding="utf-8"))]
    sums = ", ".join(f"{states.count(state)} {state}" for state in STATES)

    assert sums in (local.ROOT / "docs" / "security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "is_there"),
    [
        ("tests/unit/test_asvs.py", True),
        ("tests/unit/test_asvs.py::test_every_requirement_has_a_row_that_rests_on_what_is_there", True),
        ("tests/attacks/groups/redirects.py", True),
        ("tests/attacks/scripts.py", True),
        ("tests/proofs/fault_matrix.py", True),
        ("tests/unit/test_asvs.py::test_of_that_name", False),
        ("tests/unit/test_of_that_name.py", False),
        ("tests/attacks/groups/__init__.py", False),
        ("tests/attacks/people.py", False),
    ],
)
def test_what_a_row_may_rest_on(name: str, is_there: bool) -> None:
    assert exists(name) == is_there


def test_every_table_says_what_must_be_protected_in_it() -> None:
    page = (local.ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    section = page.partition("## What must be protected")[2].partition("\n## ")[0]
    where = " ".join(line.split("|")[2] for line in section.splitlines() if line.startswith("|"))

    assert [name for name in TABLES if not re.search(rf"\b{name}\b", where)] == []
    assert len(TABLES) == len(list(tables()))


@pytest.mark.parametrize("section", ["Cryptography", "Libraries", "What is logged, and where"])
def test_what_must_be_written_down_is(section: str) -> None:
    page = (local.ROOT / "docs" / "security.md").read_text(encoding="utf-8")

    assert len(page.partition(f"## {section}\n")[2].partition("\n## ")[0]) > 300

"""That docs/asvs.md forgets no requirement, and names no test that is not there."""

from __future__ import annotations

import re

import pytest

from ecokart import local
from inventory.models import tables

#: The level of each requirement of a section, in order: 1.2.10 is of level 3.
SECTIONS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123", "2.1": "122", "2.2":
    "112", "2.3": "12223", "2.4": "23", "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5":
    "11122333", "3.6": "3", "3.7": "22333", "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222", "5.1":
    "2", "5.2": "112333", "5.3": "113", "5.4": "222", "6.1": "122", "6.2": "111111112222", "6.3": "11223333",
    "6.4": "112233", "6.5": "22222333", "6.6": "2223", "6.7": "33", "6.8": "2222", "7.1": "222", "7.2":
    "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22", "8.1": "1233", "8.2": "1123", "8.3":
    "133", "8.4": "23", "9.1": "111", "9.2": "1222", "10.1": "22", "10.2": "223", "10.3": "22223", "10.4":
    "1111122222233333", "10.5": "22222", "10.6": "22", "10.7": "222", "11.1": "2233", "11.2": "22233", "11.3":
    "11233", "11.4": "1222", "11.5": "23", "11.6": "23", "11.7": "33", "12.1": "12233", "12.2": "11", "12.3":
    "22223", "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233", "14.1": "22", "14.2":
    "12223333", "14.3": "122", "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333", "16.1":
    "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223", "17.1": "23", "17.2": "22223333",
    "17.3": "22",
}  # fmt: skip
#: As they are called in the docs.
TABLES = ("products", "users", "carts", "orders", "movements", "notes", "mails", "audit")
LEVELS = {f"{section}.{one}": int(level) for section, levels in SECTIONS.items() for one, level in enumerate(levels, 1)}


@pytest.fixture(scope="module")
def text() -> str:
    return (local.ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")


@pytest.fixture
def rows(text: str) -> list[list[str]]:
    """Number, level, words, state and the rest of each requirement."""
    lines = [line for line in text.splitlines() if re.match(r"\| \d+\.\d+\.\d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_there_are_as_many_as_the_standard_says() -> None:
    assert [list(LEVELS.values()).count(level) for level in (1, 2, 3)] == [70, 183, 92]


def test_every_requirement_of_the_first_two_levels_has_one_row(rows: list[list[str]]) -> None:
    wanted = [(number, level) for number, level in LEVELS.items() if level < 3]

    assert [(number, int(level)) for number, level, *_ in rows] == wanted


def test_every_row_says_how_it_stands_and_why(rows: list[list[str]]) -> None:
    for number, _, words, state, detail in rows:
        assert words, number
        assert detail, number
        assert state in {"met", "not applicable", "open"}, number
        assert state != "met" or "`tests/" in detail, f"{number} is met, but by which test?"


def test_every_test_that_is_named_is_there(text: str) -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", text))

    assert named
    for name in named:
        file, _, function = name.partition("::")
        assert (local.ROOT / file).is_file(), name
        assert not function or f"def {function}(" in (local.ROOT / file).read_text(encoding="utf-8"), name


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


def test_the_sums_are_those_of_the_rows(text: str, rows: list[list[str]]) -> None:
    for level in ("1", "2"):
        counted = [
            sum(row[1] == level and row[3] == state for row in rows) for state in ("met", "not applicable", "open")
        ]

        assert f"| level {level} | {counted[0]} | {counted[1]} | {counted[2]} |" in text

"""That docs/asvs.md has a row for each requirement of OWASP's standard, and that what its rows rest on is there."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections import Counter
from collections.abc import Callable, Iterator

from ecokart import local
from tests.attacks.groups import NAMES
from tests.proofs import Result, World

TITLE = "OWASP ASVS 5.0, levels 1 and 2"
WANTED = "70 and 183 rows: each met, by tests that are there, or not applicable, or open"
ENGINE = "dynoxide"

PAGE = local.ROOT / "docs" / "asvs.md"
STATES = ("met", "not applicable", "open")
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
LEVELS = {f"{section}.{one}": int(level) for section, levels in SECTIONS.items() for one, level in enumerate(levels, 1)}


def prove(world: World) -> Result:
    text = PAGE.read_text(encoding="utf-8")
    wrong = list(flaws(text))
    parts: dict[str, tuple[int, int]] = {}
    said: list[str] = []
    for level in ("1", "2"):
        counted = Counter(state for _, of, _, state, _ in rows(text) if of == level)
        parts[f"level {level}"] = (counted.total(), sum(f" (level {level}) " in flaw for flaw in wrong))
        said.append(f"level {level}: " + ", ".join(f"{counted[state]} {state}" for state in STATES))
    return Result(f"{len(rows(text))} rows, {len(set(named(text)))} tests; {'; '.join(said)}", wrong, parts)


def control(world: World) -> Result:
    """The same page with a fault in it, for each kind that there may be."""
    text = PAGE.read_text(encoding="utf-8")
    faults: dict[str, Callable[[str], str]] = {
        "a row is gone": lambda page: re.sub(r"(?m)^\| 1\.2\.4 .*\n", "", page),
        "a row is there twice": lambda page: re.sub(r"(?m)^(\| 1\.2\.4 .*\n)", r"\1\1", page),
        "met, by no test": lambda page: re.sub(r"(?m)^(\| 1\.2\.4 .*\| met \|).*$", r"\1 surely |", page),
        "met, by a file without a test of its name": lambda page: page.replace("::test_", "::test_no_", 1),
        "met, by a file that is not there": lambda page: page.replace("/groups/", "/no_groups/", 1),
        "a sum that is wrong": lambda page: re.sub(r"\| level 1 \| \d+", "| level 1 | 70", page),
        "a state of its own": lambda page: re.sub(r"(?m)^(\| 1\.2\.4 .*)\| met \|", r"\1| mostly met |", page),
    }
    found = {what: list(flaws(spoil(text))) for what, spoil in faults.items()}
    blind = [what for what, seen in found.items() if not seen]
    wrong = [flaw for seen in found.values() for flaw in seen]
    ran = f"{len(faults) - len(blind)} of {len(faults)} faults that were put there"
    parts = {f"level {level}": (0, sum(f" (level {level}) " in flaw for flaw in wrong)) for level in (1, 2)}
    return Result(f"{ran}; not found: {', '.join(blind)}", [], parts) if blind else Result(ran, wrong, parts)


def rows(text: str) -> list[list[str]]:
    """Number, level, words, state and the rest of each requirement."""
    lines = [line for line in text.splitlines() if re.match(r"\| \d+\.\d+\.\d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named(text: str) -> list[str]:
    """The tests that it speaks of: files, functions of them, groups of the attack list."""
    return re.findall(r"`(tests/[^`]+)`", text)


def flaws(text: str) -> Iterator[str]:
    there = Counter(number for number, *_ in rows(text))
    for number, level in LEVELS.items():
        if level < 3 and there[number] != 1:
            yield f"{number} (level {level}) has {there[number]} rows"
    yield from (f"{number} is no requirement of levels 1 and 2" for number in there if LEVELS.get(number, 3) == 3)
    for number, level, words, state, detail in rows(text):
        where = f"{number} (level {level}) "
        if not words or not detail or state not in STATES or level != str(LEVELS.get(number)):
            yield f"{where}does not say how it stands and why"
        rests_on = named(detail)
        if state == "met" and not rests_on:
            yield f"{where}is met, but by which test?"
        if state == "met" and level == "1" and not any(map(says_which, rests_on)):
            yield f"{where}is met by a file, but by which test in it?"
        yield from (f"{where}rests on {name}, which is not there" for name in rests_on if not exists(name))
    for level in ("1", "2"):
        counted = Counter(state for _, of, _, state, _ in rows(text) if of == level)
        if f"| level {level} | " + " | ".join(str(counted[state]) for state in STATES) + " |" not in text:
            yield f"The sum (level {level}) is not that of the rows"


def says_which(name: str) -> bool:
    """Whether it names a test, and not only a file full of them: groups and proofs are one each."""
    return "::" in name or not name.rpartition("/")[2].startswith("test_")


@functools.cache
def exists(name: str) -> bool:
    path, _, function = name.partition("::")
    file = local.ROOT / path
    if not file.is_file():
        return False
    if "/attacks/groups/" in path:
        return file.stem in NAMES
    if not file.name.startswith("test_"):
        # A proof, which is run only if it is on the list.
        package = ".".join(path.split("/")[:2])
        listed: tuple[str, ...] = getattr(importlib.import_module(package), "PROOFS", ())
        return not listed or file.stem in listed
    return not function or function in _functions(path)


@functools.cache
def _functions(path: str) -> set[str]:
    tree = ast.parse((local.ROOT / path).read_text(encoding="utf-8"))
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}

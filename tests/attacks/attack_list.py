"""Every kind of attack that needs no server and no browser, case by case."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager, nullcontext
from typing import cast

from tests.attacks.groups import NAMES, Group
from tests.proofs import Result, World
from tests.quick_sdk import quick_sdk

TITLE = "Attack list"
WANTED = "≥ 250 cases, 0 open; every group open in a shop that lacks its defence"
ENGINE = "dynoxide"

LEAST_CASES = 250
FULL, QUICK = 1_000, 40
#: A control has seen enough when so many cases were open.
ENOUGH = 3


@quick_sdk()
def prove(world: World) -> Result:
    result = _run(world, is_weakened=False)
    tried = sum(tried for tried, _ in result.parts.values())
    few = [f"Only {tried} cases were tried."] if tried < LEAST_CASES else []
    return Result(result.ran, result.wrong + few, result.parts)


@quick_sdk()
def control(world: World) -> Result:
    """Each group in a shop that lacks what the group is about. None may find all doors closed."""
    result = _run(world, is_weakened=True)
    blind = [title for title, (_, opened) in result.parts.items() if not opened]
    if blind:
        return Result(f"{result.ran}; nothing found open by: {', '.join(blind)}", [], result.parts)
    return result


def _run(world: World, *, is_weakened: bool) -> Result:
    how_many = FULL if world.full and not is_weakened else QUICK
    parts: dict[str, tuple[int, int]] = {}
    wrong: list[str] = []
    for number, name in enumerate(NAMES):
        world.progress(number, len(NAMES))
        group = cast(Group, importlib.import_module(f"tests.attacks.groups.{name}"))
        weaker: AbstractContextManager[object] = group.weakened() if is_weakened else nullcontext()
        tried, opened = 0, []
        with weaker:
            for case, hole in group.attack(how_many):
                tried += 1
                opened += [f"{group.TITLE}: {case}: {hole}"] if hole else []
                if is_weakened and len(opened) == ENOUGH:
                    break
        parts[group.TITLE] = (tried, len(opened))
        wrong += opened
    ran = f"{sum(tried for tried, _ in parts.values()):,} cases in {len(parts)} groups"
    return Result(ran, wrong, parts)

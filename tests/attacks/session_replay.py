"""Cookies that somebody has copied, sent again after each way in which a session ends: by customers and by admins."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from unittest import mock

from django.conf import settings
from django.test import override_settings

from tests.attacks.groups import session_replay as group
from tests.proofs import Result, World
from tests.quick_sdk import quick_sdk

TITLE = "Session replay after each way to end a session"
WANTED = f"0 of {group.REPLAYS} after each"
ENGINE = "dynoxide"
QUICK = 10
#: Whatever a shop believes of a cookie, it reads the account: here there is none, or it is no admin's any more.
SHUT_ANYWAY = {"a customer: deleted", "an admin: deleted", "an admin: another role"}


@quick_sdk()
def prove(world: World) -> Result:
    return _replayed(world, group.REPLAYS if world.full else QUICK)


@quick_sdk()
def control(world: World) -> Result:
    """A shop that believes its cookies, and whose old key counts on: whichever way a session ended, it lives."""

    def keep_the_key(_browser: object, _owner: object) -> object:
        return override_settings(SECRET_KEY="another key " * 5, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY])

    with ExitStack() as stack:
        stack.enter_context(group.weakened())
        stack.enter_context(mock.patch.dict(group.WAYS, {"another key": keep_the_key}))
        result = _replayed(world, QUICK)
    shut = [part for part, (_, let_in) in result.parts.items() if not let_in and part not in SHUT_ANYWAY]
    return Result(f"{result.ran}; shut: {', '.join(shut)}", [], result.parts) if shut else result


def _replayed(world: World, how_many: int) -> Result:
    tried: Counter[str] = Counter()
    let_in: Counter[str] = Counter()
    wrong: list[str] = []
    many = 2 * len(group.WAYS) * how_many
    for number, (case, hole) in enumerate(group.attack(how_many)):
        world.progress(number, many)
        way = case.partition(", replay")[0]
        tried[way] += 1
        let_in[way] += bool(hole)
        wrong += [f"{case}: {hole}"] if hole else []
    parts = {way: (tried[way], let_in[way]) for way in tried}
    ran = f"{let_in.total()} of {tried.total():,} let in: {how_many} replays after each of {len(tried)} ways"
    return Result(ran, wrong, parts)

"""A thousand forms of one address at the same moment, at several processes of the server that production runs."""

from __future__ import annotations

import dataclasses

from tests.proofs import Result, World
from tests.proofs.web.customers import Answer, Connection, Request, Visitor, crowd, shop

TITLE = "Limiter"
WANTED = "exactly 100 of 1,000 parallel POSTs pass"
ENGINE = "dynoxide"

LIMIT, PROCESSES, CONNECTIONS = 100, 4, 32
SECONDS = 120.0
COUNTED, FORGETFUL = "tests.attacks.counted_wsgi", "tests.attacks.counted_wsgi:each_for_itself"
#: Who sends them. All of a household have one address, as far as the limit is concerned.
SENDERS = {
    "one address": lambda number: "203.0.113.7",
    "one household": lambda number: f"2001:db8:1:2::{number:x}",
}


def prove(world: World) -> Result:
    return _counted(world, COUNTED)


def control(world: World) -> Result:
    """Each process counts for itself: as many times too many pass as there are processes."""
    return _counted(world, FORGETFUL)


def _counted(world: World, application: str) -> Result:
    many = 1_000 if world.full else 300
    # A window that ends in 2033. Who asks says who they are, as behind a proxy.
    limited = {"LIMITS": "1", "REQUEST_LIMIT": str(LIMIT), "REQUEST_WINDOW_SECONDS": "1000000000"}
    world = dataclasses.replace(world, environment=world.environment | limited | {"TRUSTED_PROXIES": "127.0.0.1"})
    parts: dict[str, tuple[int, int]] = {}
    wrong: list[str] = []
    said: list[str] = []
    with shop(world, application, options=(f"--workers={PROCESSES}",)) as open_shop:
        form = Visitor(open_shop).form("/language/", language="en")
        for at, (who, address) in enumerate(SENDERS.items()):
            world.progress(at, len(SENDERS))
            sent = [
                dataclasses.replace(form, headers=form.headers | {"X-Forwarded-For": address(number)})
                for number in range(many)
            ]
            answers = crowd(open_shop, sent, _ask, connections=CONNECTIONS, seconds=SECONDS)
            passed = sum(answer.status == 302 for answer in answers)
            others = {answer.status for answer in answers} - {302, 429}
            processes = len(
                {cookie for answer in answers for cookie in answer.cookies if cookie.startswith("process=")}
            )
            said.append(f"{passed} of {many:,} of {who} passed, at {processes} processes")
            found = [said[-1]] if passed != LIMIT or others or processes < PROCESSES else []
            parts[who], wrong = (many, len(found)), wrong + found
    return Result("; ".join(said), wrong, parts)


def _ask(connection: Connection, request: Request) -> Answer:
    return connection.ask(request)

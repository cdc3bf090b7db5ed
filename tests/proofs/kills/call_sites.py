"""Each flow with its process killed right before and right after each of its questions to DynamoDB.

Whoever gets no answer presses again, with the same page. What they wanted must have happened then, and once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from tests.proofs.kills.killed_flows import Flow
from tests.proofs.web.customers import Answer, Connection, NoAnswer, Request, Shop

#: What ``mortal`` listens to: a number and a side, such as ``3 after``.
HEADER = "X-Die"
SIDES = ("before", "after")
MOST_QUESTIONS = 20
MOST_TRIES = 50
PAUSE_SECONDS = 0.1


@dataclass
class Report:
    """How many processes were killed, on which products, and what went wrong."""

    kills: int = 0
    product_ids: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def kill_everywhere(shop: Shop, flow: Flow, report: Report) -> None:
    """Kill the flow at its first question, its second … on either side of it, until it outlives its last one."""
    for side in SIDES:
        questions = 0
        while questions < MOST_QUESTIONS and _kill(shop, flow, f"{questions + 1} {side}", report):
            questions += 1
        if not 0 < questions < MOST_QUESTIONS:
            report.wrong.append(f"{flow.name} was killed {questions} times {side} a question")


def _kill(shop: Shop, flow: Flow, fate: str, report: Report) -> bool:
    """Play the flow through once; whether its first process was killed."""
    name = f"{flow.name}-{fate.replace(' ', '-')}"
    scene = flow.begin(shop, name)
    report.product_ids += scene.units
    killed = _is_killed(shop, replace(scene.press, headers=scene.press.headers | {HEADER: fate}))
    report.kills += killed
    answer = press_again(shop, scene.press)
    found = list(flow.wrong(scene, answer))
    if answer.status >= 500:
        found.append(f"The answer was {answer.status}")
    report.wrong += [f"{flow.name}, killed at {fate}: {sentence}" for sentence in found]
    return killed


def _is_killed(shop: Shop, request: Request) -> bool:
    try:
        with Connection(shop) as connection:
            connection.ask(request)
    except NoAnswer:
        return True
    return False


def press_again(shop: Shop, request: Request) -> Answer:
    """Send a page until an answer comes: the next process may not be ready yet. Raises NoAnswer in the end."""
    for left in reversed(range(MOST_TRIES)):
        try:
            with Connection(shop) as connection:
                return connection.ask(request)
        except NoAnswer:
            if not left:
                raise
            time.sleep(PAUSE_SECONDS)
    raise AssertionError

"""Anything at all, sent to every address in every field, by visitors in every state. To see what number N did:

python -m tests.attacks.fuzz SEED N
"""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from unittest import mock

from django.core.signals import got_request_exception

from inventory import catalogue, dynamodb, reservations
from inventory.models import EmailGuard, Movement, Product, User
from inventory.proof.proving import Proof
from shop import order_keys, ready
from tests import engines
from tests.attacks.fuzzing.addresses import Address, all_addresses
from tests.attacks.fuzzing.requests import Request, Typist
from tests.attacks.fuzzing.values import MARK
from tests.attacks.fuzzing.visitors import Town
from tests.attacks.web import Answer
from tests.proofs import Result, World, promises
from tests.quick_sdk import quick_sdk

TITLE = "Fuzz: every address and field, in every state"
WANTED = "100,000 requests: no 5xx, no traceback, nothing half-written"
ENGINE = "dynoxide"

FULL, QUICK = 100_000, 2_000
#: The faults of the control are looked for in steps, and no longer than this.
STEP, CONTROL = 1_500, 12_000
#: After so many requests all books are checked, and the engine is a new one: an old one gets slow.
EPOCH = 5_000
#: So many requests are one visitor's.
VISIT = 12
WRONG_AT_MOST, OF_A_KIND = 20, 7


@quick_sdk()
def prove(world: World) -> Result:
    run = Run(world, FULL if world.full else QUICK)
    with engines.renewed(ENGINE, directory=world.directory) as renew:
        while run.done < run.wanted and len(run.wrong) < OF_A_KIND:
            renew()
            run.epoch(min(EPOCH, run.wanted - run.done))
    return run.result()


@quick_sdk()
def control(world: World) -> Result:
    """A shop with three faults in it: all have to be found."""
    run = Run(world, CONTROL)
    signs = {"a 500": "answered 500", "markup": "not escaped", "half-written": "movements"}
    missing = list(signs)
    with planted_faults():
        while missing and run.done < CONTROL:
            run.epoch(STEP)
            missing = [fault for fault, sign in signs.items() if not any(sign in sentence for sentence in run.wrong)]
    result = run.result()
    return Result(f"{result.ran}; not found: {', '.join(missing)}", []) if missing else result


class Run:
    """Requests, one after the other, and what was wrong with their answers and with the tables afterwards."""

    def __init__(self, world: World, wanted: int) -> None:
        self.wanted, self.done = wanted, 0
        self.wrong: list[str] = []
        self._world = world
        self._answers: Counter[int] = Counter()
        self._kinds: Counter[str] = Counter()
        self._met: set[str] = set()
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        self._addresses = all_addresses()

    def epoch(self, number: int) -> None:
        catalogue.forget()
        ready.forget()
        chance = random.Random(f"{self._world.seed} {self.done}")
        town = Town(chance)
        for first in range(0, number, VISIT):
            self._visit(town, min(VISIT, number - first))
        self.wrong += list(islice(_half_written(), WRONG_AT_MOST))

    def result(self) -> Result:
        self.wrong += [f"{one.name} was never asked" for one in self._addresses if one.name not in self._met]
        fields = sum(len(address.fields) for address in self._addresses)
        by_class = Counter(f"{status // 100}xx" for status in self._answers.elements())
        said = ", ".join(f"{count:,} × {kind}" for kind, count in sorted(by_class.items()))
        return Result(f"{self.done:,} requests to {len(self._met)} addresses with {fields} fields: {said}", self.wrong)

    def _visit(self, town: Town, number: int) -> None:
        state, browser, knows = town.visitor()
        typist = Typist(town.chance)
        for _ in range(number):
            address = self._address(town.chance, state)
            refused = self._refused[address.name]
            request = typist.request(address, browser, knows, refused=refused)
            with _complaints() as complaints:
                answer = request.send(browser)
            self._judge(answer, request, state, complaints)
            self._met.add(address.name)
            if answer.status == 405:
                refused.add(request.method)
            self._answers[answer.status] += 1
            self.done += 1
            self._world.progress(self.done, self.wanted)

    def _address(self, chance: random.Random, state: str) -> Address:
        """Any, but mostly one behind the door that this visitor has come in by."""
        door = "adminpanel:" if state.startswith("admin") else "shop:"
        own = [address for address in self._addresses if address.name.startswith(door)]
        return chance.choice(own if chance.random() < 0.7 else self._addresses)

    def _judge(self, answer: Answer, request: Request, state: str, complaints: list[str]) -> None:
        found = list(complaints)
        if answer.status >= 500:
            found.append(f"answered {answer.status} {answer.text[-600:] if not answer.headers else ''}".strip())
        if MARK.encode() in answer.body and "html" in answer.header("content-type"):
            found.append("what was typed is not escaped")
        if not found:
            return
        where = f"seed {self._world.seed}, request {self.done}, {state}: {request}"
        for what in found:
            # Many of one kind must not hide another one.
            kind = what[:16]
            self._kinds[kind] += 1
            if self._kinds[kind] <= OF_A_KIND:
                self.wrong.append(f"{what} ({where})")


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What went wrong in the shop meanwhile: exceptions that nobody caught, and tracebacks in the log."""
    found: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name.startswith("django.security"):
                return
            if record.exc_info or record.levelno >= logging.ERROR:
                found.append(
                    f"logged by {record.name}: {record.getMessage()[:200]} {record.exc_info and record.exc_info[1]!r}"
                )

    def raised(**_: object) -> None:
        import traceback

        found.append(f"raised {traceback.format_exc()[-600:]}")

    handler = Handler()
    logging.getLogger().addHandler(handler)
    got_request_exception.connect(raised, weak=False)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(handler)
        got_request_exception.disconnect(raised)


def _half_written() -> Iterator[str]:
    """What the tables say that cannot be, as they are and once every hold that is over is given back."""
    for moment in ("before", "after"):
        yield from (f"{sentence} ({moment} the sweep)" for sentence in promises.broken(_product_ids()))
        proof = Proof()
        for _ in proof.steps():
            pass
        yield from (f"prove_stock {moment} the sweep: {finding.line}" for finding in proof.report.wrong)
        reservations.release_expired()
    guards = {guard.id: guard.user_id for guard in EmailGuard.scan(EmailGuard.id.startswith("email#"))}
    users = {EmailGuard.key(user.email): user.id for user in User.scan(User.email.exists())}
    yield from (f"account and guard of {key} do not belong together" for key, _ in guards.items() ^ users.items())


def _product_ids() -> list[str]:
    return [product.id for product in Product.scan(consistent_read=True)]


@contextmanager
def planted_faults() -> Iterator[None]:
    """A number that is read without a look at it, a title that is shown as it was typed, a return that is not written down."""
    from django.utils.safestring import mark_safe

    from adminpanel.fields import ChangeField

    put = dynamodb.transaction.put

    def careless(self: dynamodb.transaction, item: object, **rest: object) -> None:
        if not (isinstance(item, Movement) and item.kind in {"sold", "returned"}):
            put(self, item, **rest)

    with (
        mock.patch.object(ChangeField, "to_python", lambda _self, value: int(value or 0)),
        mock.patch.object(order_keys, "opens", lambda key, order_id: key.split(":")[1] == order_id),
        mock.patch.object(dynamodb.transaction, "put", careless),
        mock.patch("django.utils.html.escape", mark_safe),
        mock.patch("django.template.base.conditional_escape", mark_safe),
    ):
        yield

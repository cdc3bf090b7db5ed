"""Faults on the way to DynamoDB, at any call, on any engine, through botocore's documented events.

    with faults.injected(faults.Plan.parse("2:answer-lost! 5:throttled")) as heard:
        reservations.reserve(…)
    print(heard.count, heard.plan)

A *call* is what a rule asks for; an *attempt* is one HTTP request of it, of which the SDK makes up to three by itself.
``Fault.once`` hits a call's first attempt only, so that the SDK gets over it; ``Fault.always`` hits every attempt, so
that the rule has to. Faults hit the thread that is in the block and no other; any number of threads may be in one.

No time passes in a block: pauses of the SDK and of ``inventory.dynamodb`` move a clock of the block's own, and so does
what a fault costs (a time-out its three seconds). Jitter comes from the block's seed: the same plan gives the same run.

``Killed`` stands for a process that dies. It is a BaseException that nothing in the shop catches, so a rule ends at
that very line: what was sent before is done, what comes after never happens, as with SIGKILL. It cannot show what a
dead process takes along beside that (open connections, memory); a proof of its own kills real processes.
"""

from __future__ import annotations

import copy
import functools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.retries.quota import RetryQuota
from botocore.retries.standard import ExponentialBackoff

from inventory import dynamodb, reservations, transport
from inventory.models import TableMeta, models
from tests import aws_errors
from tests.fault_plans import FAULTS, Call, Decide, Fault, Kind, Plan

__all__ = [
    "FAULTS",
    "Call",
    "Decide",
    "Fault",
    "Heard",
    "Killed",
    "Kind",
    "Plan",
    "elapsed_seconds",
    "injected",
    "installed",
]

CALL_SECONDS = 0.005
SLOW_SECONDS = TableMeta.read_timeout_seconds - 0.5


class Killed(BaseException):
    """The process has died at this call."""


@dataclass
class Heard:
    """What a block has seen: the calls, and each attempt that was really hit. Complete when the block is over."""

    calls: list[Call] = field(default_factory=list)
    hits: list[tuple[Call, Kind]] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)

    @property
    def count(self) -> int:
        """How many attempts were hit."""
        return len(self.hits)

    @property
    def by_kind(self) -> Counter[Kind]:
        return Counter(kind for _, kind in self.hits)


class _Block:
    """One thread's time in ``injected``."""

    def __init__(self, decide: Decide, seed: int | str) -> None:
        self.decide = decide
        self.heard = Heard()
        self.random = random.Random(seed)
        self.seconds = 0.0
        self.fault: Fault | None = None
        self.attempts = 0

    def begin_call(self, operation: str) -> None:
        call = Call(len(self.heard.calls) + 1, operation)
        self.heard.calls.append(call)
        self.attempts = 0
        self.fault = self.decide(call)
        if self.fault is not None and self.fault.kind.applies_to(operation):
            self.heard.plan[call.number] = self.fault
        else:
            self.fault = None

    def next_attempt(self) -> Kind | None:
        self.attempts += 1
        self.seconds += CALL_SECONDS
        kind = self.fault.at(self.attempts) if self.fault else None
        if kind is not None:
            self.heard.hits.append((self.heard.calls[-1], kind))
        return kind


_here = threading.local()


def _block() -> _Block | None:
    return getattr(_here, "block", None)


@contextmanager
def injected(decide: Decide, *, seed: int | str = 0) -> Iterator[Heard]:
    """Meet the faults that ``decide`` names for this thread's calls. It is asked once for each call, by the thread."""
    before = _block()
    with installed():
        _here.block = block = _Block(decide, seed)
        try:
            yield block.heard
        finally:
            _here.block = before


def elapsed_seconds() -> float:
    """How much time has passed by the clock of this thread's block; 0 outside of one."""
    block = _block()
    return block.seconds if block else 0.0


_lock = threading.Lock()
_users = 0
_undo = ExitStack()


@contextmanager
def installed() -> Iterator[None]:
    """Keep the harness in its place, at no cost for threads that are in no block. Blocks do it by themselves.

    Around many blocks it saves the work of putting it in its place for each.
    """
    global _users, _undo
    with _lock:
        _users += 1
        if _users == 1:
            _undo = _install()
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _undo.close()


def _install() -> ExitStack:
    stack = ExitStack()
    for module in (botocore.endpoint, dynamodb):
        stack.enter_context(mock.patch.object(module, "time", _Time()))
    for module in (dynamodb, reservations):
        stack.enter_context(mock.patch.object(module, "random", _Random()))
    stack.enter_context(mock.patch.object(ExponentialBackoff, "delay_amount", _delay_amount))
    stack.enter_context(mock.patch.object(RetryQuota, "acquire", _acquire))
    connections = [model._get_connection().connection for model in models()]
    for connection in (dynamodb.connection(), *connections):
        events = connection.client.meta.events
        for event, listener in (("before-call.dynamodb", _on_call), ("before-send.dynamodb", _on_attempt)):
            events.register(event, listener)
            stack.callback(events.unregister, event, listener)
    return stack


def _on_call(model: Any, **_: Any) -> None:
    block = _block()
    if block is not None:
        block.begin_call(model.name)


def _on_attempt(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    block = _block()
    kind = block.next_attempt() if block is not None else None
    if block is None or kind is None:
        return None  # The SDK sends it.
    operation = block.heard.calls[-1].operation
    if kind in _CARRIED_OUT:
        answer = _session().send(request)
        if kind is Kind.SLOW:
            block.seconds += SLOW_SECONDS
            return answer
        if kind is Kind.PARTLY:
            return aws_errors.first_item_only(request, answer)
    return _failure(kind, block, operation, request)


def _failure(kind: Kind, block: _Block, operation: str, request: AWSPreparedRequest) -> AWSResponse:
    if kind in (Kind.KILLED_BEFORE, Kind.KILLED_AFTER):
        raise Killed(f"at {operation}, call {len(block.heard.calls)}")
    if kind in (Kind.REQUEST_LOST, Kind.ANSWER_LOST):
        block.seconds += TableMeta.read_timeout_seconds
        raise ReadTimeoutError(endpoint_url=request.url)
    if kind in (Kind.REQUEST_CUT, Kind.ANSWER_CUT):
        raise ConnectionClosedError(endpoint_url=request.url)
    answers = {
        Kind.ERROR: aws_errors.internal_server_error,
        Kind.ERROR_AFTER: aws_errors.internal_server_error,
        Kind.THROTTLED: aws_errors.throttled,
        Kind.CONFLICT: aws_errors.transaction_conflict,
    }
    return answers[kind](operation, request)


_CARRIED_OUT = {
    Kind.ANSWER_LOST,
    Kind.ANSWER_CUT,
    Kind.ERROR_AFTER,
    Kind.PARTLY,
    Kind.SLOW,
    Kind.KILLED_AFTER,
}


@functools.cache
def _session() -> transport.Session:
    """A way to the engine that does not depend on the client whose request it is."""
    return transport.Session(Config(connect_timeout=1, read_timeout=30, max_pool_connections=32), verify=True)


class _Time:
    """The module ``time`` as the patched modules see it: the block's clock in a block, the real one elsewhere."""

    def sleep(self, seconds: float) -> None:
        block = _block()
        if block is None:
            time.sleep(seconds)
        else:
            block.seconds += seconds

    def monotonic(self) -> float:
        block = _block()
        return block.seconds if block else time.monotonic()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class _Random:
    """The module ``random`` as the patched module sees it: by the block's seed in a block."""

    def __getattr__(self, name: str) -> Any:
        block = _block()
        return getattr(block.random if block else random, name)


_real_delay_amount = ExponentialBackoff.delay_amount
_real_acquire = RetryQuota.acquire


def _delay_amount(self: ExponentialBackoff, context: Any) -> float:
    block = _block()
    if block is not None:
        self = copy.copy(self)
        self._random = block.random.random
    return float(_real_delay_amount(self, context))


def _acquire(self: RetryQuota, amount: int) -> bool:
    """Whether the SDK may make another attempt. Its quota is the whole process's: runs would depend on earlier ones."""
    return _block() is not None or bool(_real_acquire(self, amount))

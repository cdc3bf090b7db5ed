"""What DynamoDB is asked for and what it charges: a bill for whoever opens one, and one for the process itself.

Botocore's own events tell of every call of every client, PynamoDB's and the replica's alike. A bill belongs to the
thread that opened it. What is asked on nobody's bill is the process's own: the replica follows the catalogue in threads
of its own, whoever happens to be waiting for a page just then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import botocore

_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"})
_WRITES = frozenset({"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"})


@dataclass(slots=True)
class Bill:
    """Requests to DynamoDB, second tries included; the units that its answers named; how long was waited for them.

    A refused write costs units too, but no answer says how many. ``orders`` counts those that came to be.
    """

    calls: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    seconds: float = 0.0
    orders: int = 0


_open: ContextVar[Bill | None] = ContextVar("bill", default=None)
_own = Bill()
_owns = threading.Lock()
_call = threading.local()


@contextmanager
def billed() -> Iterator[Bill]:
    """The bill for what this thread asks for meanwhile."""
    bill = Bill()
    token = _open.set(bill)
    try:
        yield bill
    finally:
        _open.reset(token)


def is_open() -> bool:
    """Whether this thread works on somebody's bill."""
    return _open.get() is not None


def count_order() -> None:
    """Put an order that has come to be on the bill."""
    _add("orders", 1)


def take_own() -> Bill:
    """What the process has asked for on nobody's bill since this was called last."""
    global _own
    # Mostly there is nothing, and every request asks.
    if not _own.calls:
        return Bill()
    with _owns:
        taken, _own = _own, Bill()
    return taken


def watch() -> None:
    """Hear of what every client does that is made from now on."""
    botocore.register_initializer(_listen)


def _listen(session: Any) -> None:
    session.register("before-parameter-build.dynamodb", _ask_for_units)
    session.register("before-call.dynamodb", _begin)
    session.register("before-send.dynamodb", _count)
    session.register("after-call.dynamodb", _enter)
    session.register("after-call-error.dynamodb", _end)


def _ask_for_units(params: dict[str, Any], model: Any, **_: Any) -> None:
    """PynamoDB asks by itself. Who asks past it need not think of it."""
    if "ReturnConsumedCapacity" not in params and model.name in _READS | _WRITES:
        params["ReturnConsumedCapacity"] = "TOTAL"


def _begin(**_: Any) -> None:
    _call.began = time.perf_counter()


def _count(**_: Any) -> None:
    _add("calls", 1)


def _enter(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    _end()
    said = parsed.get("ConsumedCapacity") or ()
    units = sum(part["CapacityUnits"] for part in ([said] if isinstance(said, dict) else said))
    _add("write_units" if model.name in _WRITES else "read_units", units)


def _end(**_: Any) -> None:
    began, _call.began = getattr(_call, "began", None), None
    # Where somebody else has answered in place of DynamoDB, nothing has begun.
    if began is not None:
        _add("seconds", time.perf_counter() - began)


def _add(name: str, amount: float) -> None:
    bill = _open.get()
    if bill is not None:
        setattr(bill, name, getattr(bill, name) + amount)
        return
    with _owns:
        setattr(_own, name, getattr(_own, name) + amount)

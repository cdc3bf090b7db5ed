"""The wire to DynamoDB, through botocore's own event hooks: what goes over it, and what may go wrong on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ReadTimeoutError

from inventory import dynamodb
from inventory.models import models

Call = tuple[str, dict[str, Any]]


@contextmanager
def heard() -> Iterator[list[Call]]:
    """The calls that are made meanwhile: what was asked for and with which parameters."""
    calls: list[Call] = []

    def hear(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append((model.name, params))

    with _listening("before-parameter-build.dynamodb", hear):
        yield calls


@contextmanager
def refusing(
    operation: str, code: str, *, reasons: list[dict[str, Any]] | None = None, times: int = 1, retries: int = 0
) -> Iterator[None]:
    """The next ``times`` calls are answered with an error of this code and never reach the tables."""
    left = iter(range(times))

    def refuse(**_: Any) -> tuple[SimpleNamespace, dict[str, Any]] | None:
        if next(left, None) is None:
            return None
        answer: dict[str, Any] = {"Error": {"Code": code, "Message": "made up by a test"}}
        answer["ResponseMetadata"] = {"RetryAttempts": retries}
        return SimpleNamespace(status_code=400), answer | {"CancellationReasons": reasons or []}

    with _listening(f"before-call.dynamodb.{operation}", refuse):
        yield


@contextmanager
def cancelling(*codes: str, times: int = 1) -> Iterator[None]:
    """The next transactions are cancelled: one code for each of their writes, ``None`` where it is not to blame."""
    reasons = [{"Code": code} for code in codes]
    with refusing("TransactWriteItems", "TransactionCanceledException", reasons=reasons, times=times):
        yield


@contextmanager
def losing_answers(operation: str = "TransactWriteItems", *, times: int = 1) -> Iterator[None]:
    """The next calls do their work, and then nobody hears of it."""
    with _raising(f"after-call.dynamodb.{operation}", times):
        yield


@contextmanager
def losing_requests(operation: str = "TransactWriteItems", *, times: int = 1) -> Iterator[None]:
    """The next calls get lost on their way to the tables."""
    with _raising(f"before-call.dynamodb.{operation}", times):
        yield


@contextmanager
def failing(operation: str, *, nth: int) -> Iterator[None]:
    """The nth call from now gets lost on its way to the tables."""
    counted = iter(range(1, nth + 1))

    def fail(**_: Any) -> None:
        if next(counted, None) == nth:
            raise ReadTimeoutError(endpoint_url="made up by a test")

    with _listening(f"before-call.dynamodb.{operation}", fail):
        yield


@contextmanager
def changing(operation: str, change: Callable[[dict[str, Any]], object]) -> Iterator[None]:
    """The calls meanwhile ask with other parameters."""

    def listen(params: dict[str, Any], **_: Any) -> None:
        change(params)

    with _listening(f"before-parameter-build.dynamodb.{operation}", listen):
        yield


@contextmanager
def answering(operation: str, change: Callable[[dict[str, Any]], object]) -> Iterator[None]:
    """The calls meanwhile get other answers."""

    def listen(parsed: dict[str, Any], **_: Any) -> None:
        change(parsed)

    with _listening(f"after-call.dynamodb.{operation}", listen):
        yield


@contextmanager
def just_before(operation: str, somebody_else: Callable[[], object]) -> Iterator[None]:
    """Somebody else is faster than the next call, once."""
    waiting = [somebody_else]

    def be_faster(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    with _listening(f"before-call.dynamodb.{operation}", be_faster):
        yield


@contextmanager
def _raising(event: str, times: int) -> Iterator[None]:
    left = iter(range(times))

    def fail(**_: Any) -> None:
        if next(left, None) is not None:
            raise ReadTimeoutError(endpoint_url="made up by a test")

    with _listening(event, fail):
        yield


@contextmanager
def _listening(event: str, listener: Callable[..., object]) -> Iterator[None]:
    connections = [model._get_connection().connection for model in models()]
    # Once each: a function on Lambda lets them share one client.
    emitters = {id(one.client): one.client.meta.events for one in (dynamodb.connection(), *connections)}.values()
    for emitter in emitters:
        emitter.register(event, listener)
    try:
        yield
    finally:
        for emitter in emitters:
            emitter.unregister(event, listener)

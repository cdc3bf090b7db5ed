"""How DynamoDB is asked and answers: reads of several items, transactions, their failures and second tries.

The only module that knows what a cancelled transaction looks like. A rule says what each of its writes refuses
with; everything that is nobody's fault (a conflict, throttling) is tried again by ``retry_while_busy``.
"""

from __future__ import annotations

import functools
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection
from pynamodb.exceptions import CancellationReason, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from inventory.errors import Busy, InventoryError, Unsure
from inventory.models import TableMeta, models

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=Model)

RETRY_SECONDS = 3.0
# More than the time allows, for whoever is refused at once: under a rush the time should decide, not the number.
RETRY_TIMES = 30
_LONGEST_PAUSE_SECONDS = 0.4
_BATCH = 100
_ALL_OLD = "ALL_OLD"

_CONTENTION = {
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
}
_UNKNOWN = {
    "500",
    "502",
    "503",
    "504",
    "IdempotentParameterMismatchException",
    "InternalServerError",
    "ServiceUnavailable",
    "TransactionInProgressException",
}


class Contention(Exception):
    """Somebody else was writing, or a read was not answered. Nothing of ours was written: read again and try again."""


class OutcomeUnknown(Exception):
    """No answer came back: the transaction may have happened, or not. Whoever sent it has to look."""


class AlreadyDone(Exception):
    """What a write's failed condition means when it was an earlier try of the same write that made it fail."""


Refusal = Callable[[Any], Exception]
Updates = Sequence[tuple[Model, Sequence[Action]]]
#: An item, or a value in one, as DynamoDB sends it.
Raw = dict[str, Any]

#: Who wants to know what a transaction has updated in this process, and whether it is known to have happened.
listeners: list[Callable[[Updates, bool], None]] = []


@functools.cache
def connection() -> Connection:
    """The connection for what spans several tables. One for each process, as PynamoDB's models have one each."""
    return Connection(
        region=TableMeta.region,
        connect_timeout_seconds=TableMeta.connect_timeout_seconds,
        read_timeout_seconds=TableMeta.read_timeout_seconds,
        max_retry_attempts=TableMeta.max_retry_attempts,
        max_pool_connections=TableMeta.max_pool_connections,
    )


def share_one_client() -> None:
    """Let the models of all tables ask through one client.

    PynamoDB makes a client for each table when it is first needed. The first request to a cart waits 40 ms for each of
    them, and more where it gets a part of a processor; and each is 30,000 objects for a look for garbage to go through.
    """
    shared = connection()
    for table in (model._get_connection() for model in models()):
        if table.connection is not shared:
            # Two models have one table, and its keys are known then.
            with suppress(ValueError):
                shared.add_meta_table(table.get_meta_table())
            table.connection = shared


class transaction:
    """One TransactWriteItems, sent when the block ends: all of it happens or none.

    Each write names what its failed condition means: a function of the item that was found in the table (or None)
    that returns the exception to raise; AlreadyDone ends the block as if it had happened now. Raises Contention when
    others were in the way, so that nothing was written, and OutcomeUnknown when an answer was lost. The SDK's own
    second tries carry one token, so they never apply twice.
    """

    def __init__(self) -> None:
        self._write = TransactWrite(connection=connection(), client_request_token=str(uuid.uuid4()))
        self._checks: list[tuple[type[Model], Refusal]] = []
        self._deletes: list[tuple[type[Model], Refusal]] = []
        self._puts: list[tuple[type[Model], Refusal]] = []
        self._updates: list[tuple[type[Model], Refusal]] = []
        self._sent: list[tuple[Model, Sequence[Action]]] = []

    def __enter__(self) -> transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is not None:
            return
        is_done = False
        try:
            with self._write:
                pass
            is_done = True
        except TransactWriteError as failed:
            meaning = self._meaning(failed)
            if not isinstance(meaning, AlreadyDone):
                raise meaning from failed
        finally:
            for listener in listeners:
                listener(self._sent, is_done)

    def check(self, model: type[Model], key: str, *, condition: Condition, otherwise: Refusal) -> None:
        """Let the rest happen only if this holds. What was found is not told of a check that fails."""
        self._write.condition_check(model, key, condition=condition)
        self._checks.append((model, otherwise))

    def update(self, item: Model, actions: Sequence[Action], *, condition: Condition, otherwise: Refusal) -> None:
        self._write.update(item, list(actions), condition=condition, return_values=_ALL_OLD)
        self._updates.append((type(item), otherwise))
        self._sent.append((item, actions))

    def put(self, item: Model, *, condition: Condition, otherwise: Refusal) -> None:
        self._write.save(item, condition=condition, return_values=_ALL_OLD)
        self._puts.append((type(item), otherwise))

    def delete(self, item: Model, *, condition: Condition, otherwise: Refusal) -> None:
        """What was found is not told of a delete that fails."""
        self._write.delete(item, condition=condition)
        self._deletes.append((type(item), otherwise))

    def _meaning(self, failed: TransactWriteError) -> Exception:
        if isinstance(failed.cause, BotoCoreError):
            return OutcomeUnknown()
        # PynamoDB sends checks, deletes, puts, then updates, whatever order we called in; so come the reasons.
        writes = [*self._checks, *self._deletes, *self._puts, *self._updates]
        reasons = failed.cancellation_reasons
        for (model, otherwise), reason in zip(writes, reasons, strict=False):
            if reason is not None and reason.code == "ConditionalCheckFailed":
                return otherwise(_found(model, reason))
        if reasons:
            codes = {reason.code for reason in reasons if reason is not None}
            return Contention() if codes and codes <= _CONTENTION else failed
        code = error_code(failed)
        if code in _CONTENTION:
            # Only the last try was refused. If there was one before it, that one may have been carried out.
            return OutcomeUnknown() if _was_sent_again(failed) else Contention()
        return OutcomeUnknown() if code in _UNKNOWN else failed


def _found(model: type[Model], reason: CancellationReason) -> Model | None:
    return model.from_raw_data(reason.raw_item) if reason.raw_item else None


def _was_sent_again(failed: TransactWriteError) -> bool:
    """Whether the SDK had sent a request before the one that this answer is to."""
    answer = failed.cause.__cause__ if failed.cause else None
    return isinstance(answer, ClientError) and answer.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0


def contended(_found: Any) -> Contention:
    """For writes whose failed condition only means that somebody was faster: read again and try again."""
    return Contention()


def retry_while_busy(rule: Callable[P, R]) -> Callable[P, R]:
    """Run a rule again, from its first read, while others get in its way or answers get lost.

    For rules that notice when an earlier try of theirs has happened after all, and that read nothing once they have
    written. Full jitter, at most ``RETRY_TIMES`` tries within ``RETRY_SECONDS``; then Busy, and nothing is written, or
    Unsure if any of the tries may have been. An outcome that is unknown when the time is up is looked at once more:
    waiting for an answer that got lost may have taken longer than all the time there was.
    """

    @functools.wraps(rule)
    def until_settled(*args: P.args, **kwargs: P.kwargs) -> R:
        deadline = time.monotonic() + RETRY_SECONDS
        refusal: type[InventoryError] = Busy
        is_last = False
        for attempt in range(RETRY_TIMES):
            try:
                return rule(*args, **kwargs)
            except (Contention, OutcomeUnknown) as failed:
                is_unknown = isinstance(failed, OutcomeUnknown)
                refusal = Unsure if is_unknown else refusal
                pause = random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.02 * 2**attempt))
                if time.monotonic() + pause > deadline:
                    if is_last or not is_unknown:
                        break
                    is_last = True
                time.sleep(pause)
        raise refusal

    return until_settled


def is_unavailable(error: BaseException) -> bool:
    """Whether an error means that the database cannot answer just now, as against a mistake of ours."""
    cause = error.cause if isinstance(error, PynamoDBException) else error
    return isinstance(cause, BotoCoreError | Contention | OutcomeUnknown) or error_code(error) in _CONTENTION | _UNKNOWN


def error_code(error: BaseException) -> str:
    """DynamoDB's name for an error, or nothing where no answer came. (PynamoDB's own way to it fails on time-outs.)"""
    cause = error.cause if isinstance(error, PynamoDBException) else error
    return str(cause.response["Error"]["Code"]) if isinstance(cause, ClientError) else ""


@contextmanager
def reading() -> Iterator[None]:
    """For reads: where the database does not answer, Contention says that nothing was written and to try again."""
    try:
        yield
    except (PynamoDBException, BotoCoreError, ClientError) as failed:
        if not is_unavailable(failed):
            raise
        raise Contention from failed


def get(model: type[M], key: str, range_key: str | None = None) -> M | None:
    """One item as it stands now (a consistent read), or None. Raises Contention when no answer comes."""
    try:
        with reading():
            return model.get(key, range_key, consistent_read=True)
    except model.DoesNotExist:
        return None


def get_many(*wanted: tuple[type[Model], Iterable[str]]) -> list[dict[str, Any]]:
    """Items of several tables by their ids, as they stand now, in one round trip for each hundred.

    Takes pairs of a model and keys; gives a dictionary (key → item) for each pair, without those that do not exist.
    Raises Contention when no answer comes, or only a part of it again and again.
    """
    found: dict[type[Model], dict[str, Any]] = {model: {} for model, _ in wanted}
    for model, raw in _batches(wanted, {}):
        found[model][raw[_key_name(model)]["S"]] = model.from_raw_data(raw)
    return [found[model] for model, _ in wanted]


def get_raw(*wanted: tuple[type[Model], Iterable[str], tuple[str, ...]]) -> list[dict[str, Raw]]:
    """The same for lists: some attributes of each item, as DynamoDB sends them. To make models of them takes long.

    Takes a model, keys and the names of the attributes for each table, its key among them; no names are all of them.
    """
    found: dict[type[Model], dict[str, Raw]] = {model: {} for model, *_ in wanted}
    for model, raw in _batches(
        [(model, keys) for model, keys, _ in wanted], {model: names for model, _, names in wanted}
    ):
        found[model][raw[_key_name(model)]["S"]] = raw
    return [found[model] for model, *_ in wanted]


def query_raw(
    model: type[Model],
    index: GlobalSecondaryIndex[Any],
    key: str,
    names: tuple[str, ...],
    *,
    since: str = "",
    newest: int | None = None,
) -> Iterator[Raw]:
    """Some attributes of what an index by time has under a key, and these two: all, or what came ``since``.

    The newest first where ``newest`` says how many are wanted; who has them need not ask on.
    """
    key_name, time_name = _key_names(index)
    question = {
        "TableName": model.Meta.table_name,
        "IndexName": index.Meta.index_name,
        "KeyConditionExpression": f"#{key_name} = :key" + (f" AND #{time_name} >= :since" if since else ""),
        "ExpressionAttributeValues": {":key": {"S": key}, **({":since": {"S": since}} if since else {})},
        "ScanIndexForward": newest is None,
        **projection({*names, key_name, time_name}),
        **({} if newest is None else {"Limit": newest}),
    }
    while True:
        answer = connection().client.query(**question)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        question["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def projection(names: Iterable[str]) -> dict[str, Any]:
    """What asks for some attributes only. Each has an alias: many of ours are words that DynamoDB keeps for itself."""
    return {
        "ProjectionExpression": ", ".join(f"#{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
    }


def _batches(
    wanted: Iterable[tuple[type[Model], Iterable[str]]], names: Mapping[type[Model], tuple[str, ...]]
) -> Iterator[tuple[type[Model], Raw]]:
    waiting = [(model, key) for model, keys in wanted for key in dict.fromkeys(keys)]
    models = {model.Meta.table_name: model for model, _ in waiting}
    tries, deadline = 0, time.monotonic() + RETRY_SECONDS
    while waiting:
        batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
        request: dict[str, dict[str, Any]] = {}
        for model, key in batch:
            part = request.setdefault(model.Meta.table_name, {"Keys": [], "ConsistentRead": True})
            if not part["Keys"] and names.get(model):
                part |= projection(names[model])
            part["Keys"].append({_key_name(model): {"S": key}})
        with reading():
            answer = connection().dispatch("BatchGetItem", {"RequestItems": request})
        for table, items in answer["Responses"].items():
            for item in items:
                yield models[table], item
        for table, part in answer.get("UnprocessedKeys", {}).items():
            waiting += [(models[table], key[_key_name(models[table])]["S"]) for key in part["Keys"]]
            tries += 1
            if tries > RETRY_TIMES or time.monotonic() > deadline:
                raise Contention
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.02 * 2**tries)))


def _key_names(index: GlobalSecondaryIndex[Any]) -> tuple[str, str]:
    first, second = sorted(index.Meta.attributes.values(), key=lambda attribute: attribute.is_range_key)
    return first.attr_name, second.attr_name


@functools.cache
def _key_name(model: type[Model]) -> str:
    return next(attribute.attr_name for attribute in model.get_attributes().values() if attribute.is_hash_key)

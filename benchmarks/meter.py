"""What the shop asks DynamoDB for and what that costs: as the engine says, and as Amazon's rules say."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
from pynamodb.models import Model

from benchmarks import units
from inventory import dynamodb
from inventory.models import EmailGuard, Mail, TableMeta, tables

_WRITES = {"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"}


@dataclass
class Bill:
    """Round trips with their units. ``said`` is what the engine reports, the others are computed by Amazon's rules.

    ``silent`` counts the answers in which the engine said nothing of their cost.
    """

    trips: int = 0
    write_units: float = 0
    read_units: float = 0
    said_write_units: float = 0
    said_read_units: float = 0
    silent: int = 0
    operations: list[str] = field(default_factory=list)


@contextmanager
def metered() -> Iterator[Bill]:
    """The bill for what the shop asks for meanwhile, in this thread."""
    bill, open_calls, payer = Bill(), [], threading.get_ident()

    def before(params: dict[str, Any], model: Any, **_: Any) -> None:
        if threading.get_ident() != payer:
            return
        params["ReturnConsumedCapacity"] = "INDEXES"
        open_calls.append(_Call(model.name, params))

    def after(parsed: dict[str, Any], **_: Any) -> None:
        if threading.get_ident() == payer:
            open_calls.pop().settle(parsed, bill)

    with (
        listening("before-parameter-build.dynamodb", before),
        listening("after-call.dynamodb", after),
    ):
        yield bill


class _Call:
    """One round trip: what the items were before it, and what they are after it."""

    def __init__(self, operation: str, params: dict[str, Any]) -> None:
        self._operation, self._params = operation, params
        self._keys = list(_written_keys(operation, params))
        self._before = [_eye_on(table, key) for table, key in self._keys]

    def settle(self, parsed: dict[str, Any], bill: Bill) -> None:
        bill.trips += 1
        bill.operations.append(self._operation)
        said = _said(parsed)
        if said is None:
            bill.silent += 1
        if self._operation in _WRITES:
            bill.said_write_units += said or 0
            bill.write_units += self._write_units()
        else:
            bill.said_read_units += said or 0
            bill.read_units += self._read_units(parsed)

    def _write_units(self) -> int:
        if not self._keys:
            raise ValueError(f"{self._operation} is no transaction: the shop should not count with it.")
        after = [_eye_on(table, key) for table, key in self._keys]
        charge = units.transaction_write if self._operation == "TransactWriteItems" else units.plain_write
        return sum(
            charge(_shape(table).indexes, old, new)
            for (table, _), old, new in zip(self._keys, self._before, after, strict=True)
        )

    def _read_units(self, parsed: dict[str, Any]) -> float:
        if self._operation == "BatchGetItem":
            return sum(
                _batch_units(part, parsed["Responses"].get(table, []))
                for table, part in self._params["RequestItems"].items()
            )
        items = parsed.get("Items", [parsed["Item"]] if "Item" in parsed else [])
        return units.read(items, consistent=bool(self._params.get("ConsistentRead")))


def _batch_units(part: dict[str, Any], found: list[units.Item]) -> float:
    """Each key of a batch is rounded up by itself; a key that is not there costs as much as a small item."""
    consistent = bool(part.get("ConsistentRead"))
    missing = len(part["Keys"]) - len(found)
    each: list[list[units.Item]] = [[item] for item in found] + [[] for _ in range(missing)]
    return sum(units.read(items, consistent=consistent) for items in each)


def _said(parsed: dict[str, Any]) -> float | None:
    said = parsed.get("ConsumedCapacity")
    if not said:
        return None
    return float(sum(part["CapacityUnits"] for part in (said if isinstance(said, list) else [said])))


def _written_keys(operation: str, params: dict[str, Any]) -> Iterator[tuple[str, units.Item]]:
    """What a transaction writes; and a mail, which may be sent twice and so needs none to be claimed and removed."""
    is_mail = operation in _WRITES and params.get("TableName") == Mail.Meta.table_name
    writes = [params] if is_mail else [write for action in params.get("TransactItems", ()) for write in action.values()]
    for write in writes:
        item = write.get("Item") or write["Key"]
        yield write["TableName"], {name: item[name] for name in _shape(write["TableName"]).key}


@functools.cache
def eye() -> Any:
    """A client of our own, so that looking is not counted."""
    return boto3.client("dynamodb", region_name=TableMeta.region)


def _eye_on(table: str, key: units.Item) -> units.Item | None:
    item: units.Item | None = eye().get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return item


@functools.cache
def _shape(table: str) -> SimpleNamespace:
    """A table's key and indexes, as the engine describes them."""
    described = eye().describe_table(TableName=table)["Table"]
    key = _names(described)
    indexes = [_index(index, key) for index in described.get("GlobalSecondaryIndexes", [])]
    return SimpleNamespace(key=key, indexes=indexes)


def _index(described: dict[str, Any], table_key: frozenset[str]) -> units.Index:
    key, projection = _names(described), described["Projection"]
    kept = None if projection["ProjectionType"] == "ALL" else frozenset(projection.get("NonKeyAttributes", ()))
    return units.Index(key=key, projected=None if kept is None else kept | key | table_key)


def _names(described: dict[str, Any]) -> frozenset[str]:
    return frozenset(part["AttributeName"] for part in described["KeySchema"])


@contextmanager
def listening(event: str, listener: Callable[..., object]) -> Iterator[None]:
    """Be told of an event of every client through which the shop asks DynamoDB."""
    every: list[type[Model]] = [*tables(), EmailGuard]
    connections = [model._get_connection().connection for model in every]
    # Once each: processes that serve let the tables share one client.
    emitters = {id(one.client): one.client.meta.events for one in (dynamodb.connection(), *connections)}.values()
    for emitter in emitters:
        emitter.register(event, listener)
    try:
        yield
    finally:
        for emitter in emitters:
            emitter.unregister(event, listener)

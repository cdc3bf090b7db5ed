"""Counters that all processes share: one conditional write each, in the table of notes, which lets them go by itself.

A counter is of a window of the clock; windows follow one another. For whom it counts stands in its key as a keyed hash,
so whoever reads the table learns no visitor's address. A write whose answer got lost may be counted twice by the SDK's
second try: a limit may let fewer through then, and never more.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from django.utils.crypto import salted_hmac

from inventory import clock, dynamodb
from inventory.models import Note

FIRST_DELAY_SECONDS = 30
LONGEST_DELAY_SECONDS = 3600


class Full(Exception):
    """A counter is where it must not pass: nothing was counted. ``wait_seconds`` is how long that stays so."""

    def __init__(self, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds


def add(name: str, who: str, *, seconds: int, by: int = 1, below: int | None = None) -> int:
    """Count ``by`` more in this window of ``seconds``; gives the count.

    Raises Full when it had reached ``below`` before, and Contention when no answer comes.
    """
    now = clock.now().timestamp()
    values = {":by": _number(by), ":until": _until(now, seconds)}
    condition = {}
    if below is not None:
        condition = {"ConditionExpression": "attribute_not_exists(hits) OR hits < :below"}
        values[":below"] = _number(below)
    answer = _update(_key(name, who, now, seconds), "SET deleteAt = :until ADD hits :by", values, **condition)
    if answer is None:
        raise Full(seconds - now % seconds)
    return int(answer["hits"]["N"])


def attempt(name: str, who: str, *, free: int, seconds: int) -> None:
    """Let ``free`` tries of a window pass, and from then on one after each delay. Each delay is twice the one before.

    Raises Full when it is not time yet, and Contention when no answer comes.
    """
    now = clock.now().timestamp()
    key = _key(name, who, now, seconds)
    values = {":one": _number(1), ":free": _number(free), ":until": _until(now, seconds)}
    values[":next"] = _number(int(now) + FIRST_DELAY_SECONDS)
    count = "SET deleteAt = :until, nextAt = :next ADD hits :one"
    if _update(key, count, values, ConditionExpression="attribute_not_exists(hits) OR hits < :free") is not None:
        return None
    item = _read(key)
    if item is None:
        # Whoever got in with the right password has taken it away meanwhile.
        return attempt(name, who, free=free, seconds=seconds)
    hits, next_at = int(item["hits"]["N"]), int(item["nextAt"]["N"])
    if now < next_at:
        raise Full(next_at - now)
    delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (hits - free + 1))
    values = {":one": _number(1), ":hits": _number(hits), ":until": _until(now, seconds)}
    values[":next"] = _number(int(now) + delay)
    if _update(key, count, values, ConditionExpression="hits = :hits") is None:
        # Somebody else was given the one try that there was.
        raise Full(delay)
    return None


def forget(name: str, who: str, *, seconds: int) -> None:
    """Begin anew in this window. Raises Contention when no answer comes."""
    now = clock.now().timestamp()
    request = {"TableName": Note.Meta.table_name, "Key": _key(name, who, now, seconds)}
    with dynamodb.reading():
        dynamodb.connection().dispatch("DeleteItem", request)


def _update(
    key: dict[str, Any], expression: str, values: dict[str, Any], **condition: str
) -> dict[str, dict[str, str]] | None:
    """What the counter has afterwards; None where its condition failed."""
    request = {
        "TableName": Note.Meta.table_name,
        "Key": key,
        "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
        "ReturnValues": "UPDATED_NEW",
        **condition,
    }
    try:
        with dynamodb.reading():
            answer = dynamodb.connection().dispatch("UpdateItem", request)
    except ClientError as refused:
        if dynamodb.error_code(refused) != "ConditionalCheckFailedException":
            raise
        return None
    attributes: dict[str, dict[str, str]] = answer["Attributes"]
    return attributes


def _read(key: dict[str, Any]) -> dict[str, dict[str, str]] | None:
    request = {"TableName": Note.Meta.table_name, "Key": key, "ConsistentRead": True}
    with dynamodb.reading():
        answer = dynamodb.connection().dispatch("GetItem", request)
    item: dict[str, dict[str, str]] | None = answer.get("Item")
    return item


def _key(name: str, who: str, now: float, seconds: int) -> dict[str, Any]:
    whose = salted_hmac(f"inventory.counters.{name}", who, algorithm="sha256").hexdigest()[:32]
    return {"id": {"S": f"limit#{name}#{whose}#{int(now // seconds)}"}}


def _until(now: float, seconds: int) -> dict[str, str]:
    """When DynamoDB may forget a counter: a window after its own."""
    return _number((int(now // seconds) + 2) * seconds)


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}

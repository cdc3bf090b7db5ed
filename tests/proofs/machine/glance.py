"""Straight into the engine's tables, past the SDK and past the shop's own reading: what is written, and nothing else.

The emulated engine does not check who asks, so a question is one unsigned POST: a tenth of what the SDK takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests import engines
from tests.open_lines import Lines
from tests.quick_models import quick_models

Item = dict[str, Any]

_READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
_HEADERS = (
    ("X-Amz-Date", "20260101T000000Z"),
    ("Content-Type", "application/x-amz-json-1.0"),
    (
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=none",
    ),
)


class Tables:
    """The tables of the engine that the AWS variables name at the time of a question."""

    def __init__(self) -> None:
        self._lines = Lines()

    def items(self, keys: dict[str, list[dict[str, str]]]) -> dict[str, list[Item]]:
        """The items with these keys, by table; those that are not there are left out. At most 100 keys."""
        request = {
            table: {
                "Keys": [{name: {"S": value} for name, value in key.items()} for key in wanted],
                "ConsistentRead": True,
            }
            for table, wanted in keys.items()
            if wanted
        }
        answer = self._ask("BatchGetItem", {"RequestItems": request})
        return {table: [_plain(item) for item in answer["Responses"].get(table, [])] for table in keys}

    def range_of(self, table: str, *, key: str, value: str) -> list[Item]:
        """All items under one hash key."""
        question = {
            "TableName": table,
            "KeyConditionExpression": f"{key} = :value",
            "ExpressionAttributeValues": {":value": {"S": value}},
            "ConsistentRead": True,
        }
        return [_plain(item) for item in self._ask("Query", question)["Items"]]

    def delete(self, table: str, keys: list[dict[str, str]]) -> None:
        """Remove at most 25 items, whatever is in them."""
        requests = [{"DeleteRequest": {"Key": {name: {"S": value} for name, value in key.items()}}} for key in keys]
        self._ask("BatchWriteItem", {"RequestItems": {table: requests}})

    def close(self) -> None:
        self._lines.close()

    def ask(self, operation: str, question: str) -> tuple[int, Item]:
        """One question of DynamoDB's, in JSON: the status of the answer, and the answer."""
        body = question.encode()
        headers = (("X-Amz-Target", f"DynamoDB_20120810.{operation}"), ("Content-Length", str(len(body))), *_HEADERS)
        status, _, answer = self._lines.ask(engines.address(), headers, body)
        return status, json.loads(answer)

    def _ask(self, operation: str, question: dict[str, Any]) -> Item:
        status, answer = self.ask(operation, json.dumps(question))
        if status != HTTPStatus.OK:
            raise RuntimeError(f"{operation}: {status} {answer}")
        return answer


@contextmanager
def without_sdk() -> Iterator[list[str]]:
    """Let the shop's own questions take the same short way: the SDK's takes five times as long.

    What the SDK adds to a question that is answered at once is nothing; its second tries are for other proofs.
    Gives the questions so far that may have written something, in JSON.
    """
    tables = Tables()
    writes: list[str] = []

    def ask(_client: object, operation: str, question: dict[str, Any]) -> Item:
        text = json.dumps(question)
        if operation not in _READS:
            writes.append(text)
        status, answer = tables.ask(operation, text)
        if status == HTTPStatus.OK:
            return answer
        error = {"Code": answer.pop("__type").rpartition("#")[2], "Message": answer.pop("message", "")}
        raise ClientError({"Error": error, **answer}, operation)

    with mock.patch.object(BaseClient, "_make_api_call", ask), quick_models():
        yield writes


def _plain(item: dict[str, dict[str, Any]]) -> Item:
    return {name: _value(value) for name, value in item.items()}


def _value(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "L":
        return [_value(one) for one in content]
    return _plain(content) if kind == "M" else content

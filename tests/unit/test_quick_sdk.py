"""That the proofs' short way through the SDK leads to the same place."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.parsers import JSONParser

from tests.quick_sdk import quick_sdk

ITEM = {
    "id": {"S": "cart-1"},
    "version": {"N": "3"},
    "hold": {"NULL": True},
    "open": {"BOOL": False},
    "tags": {"SS": ["a", "b"]},
    "items": {"L": [{"M": {"price": {"N": "19.99"}, "offers": {"L": []}}}]},
}
BYTES = {"id": {"S": "cart-1"}, "picture": {"B": "aGF0"}, "pictures": {"BS": ["aGF0"]}}


def _parsed(operation: str, answer: dict[str, Any]) -> Any:
    model = boto3.client("dynamodb", region_name="eu-central-1").meta.service_model
    response = {"body": json.dumps(answer).encode(), "headers": {}, "status_code": 200}
    return JSONParser().parse(response, model.operation_model(operation).output_shape)


@pytest.mark.parametrize("item", [ITEM, BYTES], ids=["plain", "bytes"])
@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("GetItem", lambda item: {"Item": item}),
        ("GetItem", lambda item: {"Item": item, "ConsumedCapacity": None}),
        ("Query", lambda item: {"Items": [item], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": item}),
        ("Scan", lambda item: {"Items": [item, item], "ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}}),
        ("BatchGetItem", lambda item: {"Responses": {"t": [item]}, "UnprocessedKeys": {"t": {"Keys": [item]}}}),
        ("TransactWriteItems", lambda item: {"ItemCollectionMetrics": {"t": [{"ItemCollectionKey": item}]}}),
    ],
)
def test_an_answer_is_what_the_sdk_makes_of_it(operation: str, answer: Any, item: dict[str, Any]) -> None:
    as_ever = _parsed(operation, answer(item))

    with quick_sdk():
        quick = _parsed(operation, answer(item))

    assert quick == as_ever

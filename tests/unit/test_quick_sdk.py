"""That the proofs' short way through the SDK leads to the same place."""

from __future__ import annotations

import copy
import json
from typing import Any

import boto3
import pytest
from botocore.parsers import JSONParser
from pynamodb.attributes import AttributeContainer
from pynamodb.models import Model

from inventory.models import Cart, Line, Order, Product
from tests.quick_models import quick_models
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


RAW: list[tuple[type[Model], dict[str, Any]]] = [
    (
        Product,
        {
            "id": {"S": "p-1"},
            "price": {"N": "19.99"},
            "stock": {"N": "3"},
            "inStockSince": {"S": "2026-01-01T00:00:00.000Z"},
            "translations": {"M": {"en": {"M": {"name": {"S": "Shoe"}}}}},
        },
    ),
    (
        Cart,
        {
            "userId": {"S": "alice"},
            "items": {"L": [{"M": {"productId": {"S": "p-1"}, "quantity": {"N": "2"}, "price": {"N": "5"}}}]},
            "offers": {"L": [{"S": "a"}, {"NULL": True}, {"S": "b"}]},
            "hold": {"NULL": True},
            "expiresAt": {"S": "2026-01-01T00:00:00.000Z"},
            "deleteAt": {"N": "1767225600"},
            "unknown": {"S": "what a later version wrote"},
        },
    ),
    (
        Order,
        {
            "id": {"S": "o-1"},
            "userId": {"S": "alice"},
            "history": {"L": [{"M": {"status": {"S": "paid"}, "at": {"S": "2026-01-01T00:00:00.000Z"}}}]},
            "address": {"M": {name: {"S": name} for name in ("name", "street", "postalCode", "city", "country")}},
        },
    ),
]


def _said(value: Any) -> Any:
    """All that a model holds, without the moments that it has been given as it was made."""
    if isinstance(value, AttributeContainer):
        said = {name: _said(getattr(value, name)) for name in value.get_attributes()}
        return {name: one for name, one in said.items() if name not in {"created_at", "updated_at"}}
    return [_said(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("model", "raw"), RAW, ids=[model.__name__ for model, _ in RAW])
def test_a_model_is_what_pynamodb_makes_of_an_item(model: type[Model], raw: dict[str, Any]) -> None:
    as_ever = model.from_raw_data(copy.deepcopy(raw))

    with quick_models():
        quick = model.from_raw_data(copy.deepcopy(raw))
        said, again = _said(quick), quick.serialize()

    assert said == _said(as_ever)
    assert again.keys() == as_ever.serialize().keys()


def test_a_new_model_has_its_defaults() -> None:
    as_ever = Cart("alice", lines=[Line(product_id="p-1", quantity=1, price_cents=5)])
    unchanged = str(as_ever.unchanged())

    with quick_models():
        quick = Cart("alice", lines=[Line(product_id="p-1", quantity=1, price_cents=5)])

        assert _said(quick) == _said(as_ever)
        assert str(quick.unchanged()) == unchanged
        assert quick.lines is not Cart("bob").lines

"""That items are read as PynamoDB would read them, and what every client is spared."""

from __future__ import annotations

from typing import Any

import botocore
import pytest
from pynamodb.attributes import AttributeContainer, ListAttribute, UnicodeAttribute
from pynamodb.exceptions import AttributeDeserializationError

from inventory.items import Item, Part, PartsAttribute
from inventory.models import Order, Product, User


def said(item: Item) -> dict[str, str]:
    return {name: repr(value) for name, value in item.attribute_values.items()}


class Leg(Part):
    name = UnicodeAttribute()


class Table(Item):
    class Meta:
        table_name = "tables"

    id = UnicodeAttribute(hash_key=True)
    legs = PartsAttribute(of=Leg, default=list)
    marks = ListAttribute(of=UnicodeAttribute, null=True)
    wood = UnicodeAttribute(attr_name="madeOf", default="oak")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"madeOf": {"S": "pine"}, "legs": {"L": [{"M": {"name": {"S": "left"}}}, {"M": {}}]}},
        {
            "madeOf": {"NULL": True},
            "legs": {"L": []},
            "marks": {"L": [{"S": "x"}, {"NULL": True}]},
            "other": {"S": "?"},
        },
    ],
)
def test_an_item_is_read_as_pynamodb_reads_it(more: dict[str, Any]) -> None:
    raw, by_pynamodb = {"id": {"S": "1"}, **more}, Table()
    AttributeContainer._container_deserialize(by_pynamodb, raw)

    assert said(Table.from_raw_data(raw)) == said(by_pynamodb)


def test_two_items_share_no_default() -> None:
    one, other = (Table.from_raw_data({"id": {"S": "1"}}) for _ in range(2))

    one.legs.append(Leg(name="left"))

    assert other.legs == []


def test_a_part_that_was_read_is_written_as_it_was() -> None:
    raw = {"id": {"S": "1"}, "legs": {"L": [{"M": {"name": {"S": "left"}}}]}, "madeOf": {"S": "pine"}}

    assert Table.from_raw_data(raw).serialize() == raw


def test_a_value_of_another_type_is_an_error() -> None:
    with pytest.raises(AttributeDeserializationError):
        Table.from_raw_data({"id": {"N": "1"}})


def test_every_client_has_a_name_that_costs_nothing(product: Product) -> None:
    for model in (Product, User, Order):
        client = model._get_connection().connection.client

        assert client.meta.config.user_agent == f"Botocore/{botocore.__version__} ecokart"

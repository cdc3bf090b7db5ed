"""What the tables look like on a real engine, and that it refuses what AWS refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from inventory import dynamodb, reservations, stock, tables
from inventory.models import Product

KEYS = {
    "ecokart-products": ["id"],
    "ecokart-users": ["id"],
    "ecokart-carts": ["userId"],
    "ecokart-orders": ["id"],
    "ecokart-movements": ["productId", "time"],
    "ecokart-notes": ["id"],
    "ecokart-mails": ["id"],
    "ecokart-audit": ["month", "time"],
}
INDEXES = {
    "ecokart-products": {
        "catalogue-index": ["catalogue", "updatedAt"],
        "availability-index": ["catalogue", "availabilityAt"],
    },
    "ecokart-users": {"email-index": ["email"]},
    "ecokart-carts": {"expiry-index": ["hold", "expiresAt"]},
    "ecokart-orders": {"userId-index": ["userId", "createdAt"], "status-index": ["status", "createdAt"]},
    "ecokart-movements": {},
    "ecokart-notes": {},
    "ecokart-mails": {},
    "ecokart-audit": {"actor-index": ["actor", "time"], "target-index": ["target", "time"]},
}


def described(name: str) -> dict[str, Any]:
    table: dict[str, Any] = dynamodb.connection().client.describe_table(TableName=name)["Table"]
    return table


def key(of: dict[str, Any]) -> list[str]:
    return [part["AttributeName"] for part in sorted(of["KeySchema"], key=lambda part: part["KeyType"])]


@pytest.mark.parametrize("name", KEYS)
def test_each_table_has_the_key_and_the_indexes_of_the_design(name: str) -> None:
    table = described(name)

    indexes = {index["IndexName"]: key(index) for index in table.get("GlobalSecondaryIndexes", [])}
    assert key(table) == KEYS[name]
    assert indexes == INDEXES[name]


def test_the_indexes_of_products_leave_the_stock_out() -> None:
    indexes = described("ecokart-products")["GlobalSecondaryIndexes"]

    projected = {index["IndexName"]: set(index["Projection"]["NonKeyAttributes"]) for index in indexes}
    assert {"name", "price", "imageUrl", "category"} <= projected["catalogue-index"]
    assert projected["catalogue-index"].isdisjoint({"stock", "reserved", "available"})
    assert projected["availability-index"] == {"inStockSince"}


def test_the_index_of_availability_moves_when_a_product_sells_out_and_comes_back(product: Product) -> None:
    def entry() -> Product:
        (found,) = [one for one in Product.availability_index.query("catalogue") if one.id == product.id]
        return found

    new = entry()
    reservations.reserve("available-1", product.id, quantity=product.available)
    sold_out = entry()
    reservations.remove("available-1", product.id)
    back = entry()

    assert new.in_stock_since == new.availability_at
    assert (sold_out.in_stock_since, back.in_stock_since) == (None, back.availability_at)
    assert new.availability_at < sold_out.availability_at < back.availability_at


def test_making_the_tables_again_changes_nothing(product: Product) -> None:
    before = [described(name)["CreationDateTime"] for name in KEYS]

    list(tables.create())

    assert [described(name)["CreationDateTime"] for name in KEYS] == before


def test_carts_that_hold_nothing_are_swept_away_by_ttl() -> None:
    state = dynamodb.connection().client.describe_time_to_live(TableName="ecokart-carts")["TimeToLiveDescription"]

    assert (state["TimeToLiveStatus"], state["AttributeName"]) == ("ENABLED", "deleteAt")


def test_only_carts_that_hold_stock_are_in_the_expiry_index(product: Product) -> None:
    reservations.reserve("sparse-1", product.id, quantity=1)
    reservations.reserve("sparse-2", product.id, quantity=1)

    reservations.remove("sparse-2", product.id)

    assert [hold.owner_id for hold in stock.holds(product.id)] == ["sparse-1"]


def test_a_transaction_of_which_one_part_fails_writes_nothing(make_product: Callable[..., Product]) -> None:
    full, empty = make_product(stock=1), make_product(stock=0)
    write = TransactWrite(connection=dynamodb.connection())
    for product in (full, empty):
        write.update(product, [Product.available.add(-1)], condition=Product.available >= 1)

    with pytest.raises(TransactWriteError), write:
        pass

    assert [product.available for product in stock.products([full.id, empty.id])] == [1, 0]


def test_prices_stand_in_the_table_as_exact_euros(make_product: Callable[..., Product]) -> None:
    product = make_product(price_cents=17999)

    raw = dynamodb.connection().client.get_item(TableName="ecokart-products", Key={"id": {"S": product.id}})["Item"]

    assert raw["price"] == {"N": "179.99"}


def test_a_condition_that_fails_changes_nothing(product: Product) -> None:
    with pytest.raises(UpdateError):
        product.update([Product.stock.set(99)], condition=Product.available >= 1000)

    assert stock.products([product.id])[0].stock == 10


def test_every_model_has_its_table() -> None:
    assert [model.Meta.table_name for model in tables.tables()] == list(KEYS)

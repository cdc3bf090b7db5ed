"""Making tables, and opening those of the first version: its four examples in its own tables, brought up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import bcrypt
import pytest
from boto3.dynamodb.types import TypeSerializer
from django.contrib.auth.hashers import identify_hasher
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

from inventory import accounts, baskets, catalogue, checkout, clock, dynamodb, orders, reservations, stock, tables
from inventory.models import Cart, EmailGuard, Movement, Product, User
from inventory.models import tables as models
from tests.unit import wire

OLD_PASSWORD = "sommer2025!"
EMAIL_INDEX = {"email-index": "email"}
USER_INDEX = {"userId-index": "userId"}
OLD_TABLES = {
    "ecokart-products": ("id", {}),
    "ecokart-users": ("id", EMAIL_INDEX),
    "ecokart-carts": ("userId", {}),
    "ecokart-orders": ("id", USER_INDEX),
}
# As the document that the shop was made from shows them; only the address and the hash had been cut out there.
PRODUCT = """
    {"id": "prod-001", "name": "Air Jordan 1", "price": 179.99, "description": "Classic sneaker",
     "imageUrl": "/pics/shoe1.jpg", "category": "shoes", "rating": 4.5, "reviewCount": 100, "stock": 50, "reserved": 5,
     "createdAt": "2025-11-20T10:00:00Z", "updatedAt": "2025-11-20T10:00:00Z"}
"""
USER = """
    {"id": "user-123", "email": "Max@Example.com", "password": "$2a$10$...", "role": "user",
     "createdAt": "2025-11-01T10:00:00Z"}
"""
CART = """
    {"userId": "user-123", "items": [{"productId": "prod-001", "quantity": 2, "price": 179.99}],
     "updatedAt": "2025-11-20T11:00:00Z"}
"""
ORDER = """
    {"id": "order-456", "userId": "user-123",
     "items": [{"productId": "prod-001", "quantity": 2, "price": 179.99, "name": "Air Jordan 1"}],
     "totalAmount": 359.98, "status": "pending", "createdAt": "2025-11-20T12:00:00Z"}
"""


def client() -> Any:
    return dynamodb.connection().client


def put(table: str, example: str, **instead: Any) -> None:
    """Write an example as the first version did; None leaves an attribute out."""
    item = {**json.loads(example, parse_float=Decimal), **instead}
    raw = {name: TypeSerializer().serialize(value) for name, value in item.items() if value is not None}
    client().put_item(TableName=f"ecokart-{table}", Item=raw)


def raw(model: type[Model], key: str) -> dict[str, Any]:
    return client().get_item(TableName=model.Meta.table_name, Key={dynamodb._key_name(model): {"S": key}})["Item"]


def everything_stored() -> dict[str, Any]:
    return {model.Meta.table_name: client().scan(TableName=model.Meta.table_name)["Items"] for model in models()}


def make_old_table(name: str, key: str, indexes: dict[str, str]) -> None:
    """As Terraform made them for the first version: bought capacity, and the time in no key."""
    capacity = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    schema = {index: [{"AttributeName": of, "KeyType": "HASH"}] for index, of in indexes.items()}
    with_indexes = [
        {
            "IndexName": index,
            "KeySchema": keys,
            "Projection": {"ProjectionType": "ALL"},
            "ProvisionedThroughput": capacity,
        }
        for index, keys in schema.items()
    ]
    client().create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in (key, *indexes.values())],
        ProvisionedThroughput=capacity,
        **({"GlobalSecondaryIndexes": with_indexes} if indexes else {}),
    )


def old_hash(password: str = OLD_PASSWORD) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(10, prefix=b"2a")).decode()


@pytest.fixture(scope="module")
def password() -> str:
    """A hash as bcryptjs made it, in the first version's own cost. Made once: it takes a moment."""
    return old_hash()


@pytest.fixture
def old_shop(password: str) -> None:
    """The first version's tables with its four examples."""
    for model in models():
        model.delete_table()
    for name, (key, indexes) in OLD_TABLES.items():
        make_old_table(name, key, indexes)
    put("products", PRODUCT)
    put("users", USER, password=password)
    put("carts", CART)
    put("orders", ORDER)


def upgrade() -> list[tables.Progress]:
    steps = list(tables.upgrade())
    catalogue.forget()
    return steps


# Making tables


def test_create_makes_every_table_and_tells_how_far_it_is():
    for model in models():
        model.delete_table()

    steps = list(tables.create())

    assert [(step.done, step.total) for step in steps] == [(number, 8) for number in range(1, 9)]
    assert {step.what for step in steps} == set(client().list_tables()["TableNames"])


def test_create_leaves_tables_alone_that_are_there(product: Product):
    before = everything_stored()

    with wire.heard() as calls:
        list(tables.create())

    assert everything_stored() == before
    assert {name for name, _ in calls} <= {"DescribeTable", "DescribeTimeToLive"}


def test_create_makes_only_what_is_missing(product: Product):
    Movement.delete_table()

    with wire.heard() as calls:
        list(tables.create())

    assert [params["TableName"] for name, params in calls if name == "CreateTable"] == ["ecokart-movements"]
    assert catalogue.find(product.id).stock == 10


def test_create_lets_old_carts_be_swept_away():
    ttl = client().describe_time_to_live(TableName="ecokart-carts")["TimeToLiveDescription"]

    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("deleteAt", "ENABLED")


def test_create_switches_the_sweeping_on_where_an_older_table_has_none(old_shop: None):
    list(tables.create())

    ttl = client().describe_time_to_live(TableName="ecokart-carts")["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"


def described_as(*states: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The tables are described in these states, one after the other."""
    left = iter(states)
    monkeypatch.setattr(tables, "_described", lambda model: {"TableStatus": next(left), "GlobalSecondaryIndexes": []})
    return left


def test_create_waits_until_a_table_can_be_used(monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []
    monkeypatch.setattr("inventory.tables.time.sleep", slept.append)
    left = described_as("CREATING", "UPDATING", "ACTIVE", "not asked any more", monkeypatch=monkeypatch)

    tables._wait_until_active(Product)

    assert len(slept) == 2
    assert next(left) == "not asked any more"


def test_create_waits_for_the_indexes_too(monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []
    states = iter(["CREATING", "ACTIVE"])
    monkeypatch.setattr("inventory.tables.time.sleep", slept.append)
    monkeypatch.setattr(
        tables,
        "_described",
        lambda model: {"TableStatus": "ACTIVE", "GlobalSecondaryIndexes": [{"IndexStatus": next(states)}]},
    )

    tables._wait_until_active(Product)

    assert len(slept) == 1


def test_create_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    clock_shows = iter([0, 1, 10**6])
    time = SimpleNamespace(sleep=lambda _seconds: None, monotonic=lambda: next(clock_shows))
    monkeypatch.setattr(tables, "time", time)
    monkeypatch.setattr(tables, "_described", lambda model: {"TableStatus": "CREATING"})

    with pytest.raises(TimeoutError, match="ecokart-products"):
        tables._wait_until_active(Product)


# The first version's shop, brought up to date


def test_the_old_product_is_on_the_shelf_with_what_it_was(old_shop: None):
    upgrade()

    product = catalogue.find("prod-001")
    assert (product.name, product.text, product.price_cents) == ("Air Jordan 1", "Classic sneaker", 17_999)
    assert (product.image_url, product.category) == ("/pics/shoe1.jpg", "shoes")
    assert (product.rating, product.review_count) == (Decimal("4.5"), 100)
    assert product.created_at == product.updated_at == datetime(2025, 11, 20, 10, tzinfo=UTC)


def test_the_old_product_is_found_in_the_catalogue(old_shop: None):
    upgrade()

    listing = catalogue.search(query="jordan", category="shoes", min_cents=17_999, max_cents=17_999, in_stock=True)

    assert [product.id for product in listing.products] == ["prod-001"]
    assert listing.available == {"prod-001": 50}


def test_every_unit_of_an_old_product_is_accounted_for(old_shop: None):
    upgrade()

    product = catalogue.find("prod-001")
    assert (product.stock, product.reserved, product.available) == (50, 0, 50)
    assert [(one.kind, one.quantity) for one in stock.movements("prod-001")] == [("opening", 50)]
    assert stock.holds("prod-001") == []


def test_the_old_account_logs_in_and_its_password_is_stored_anew(old_shop: None, password: str):
    upgrade()
    before = dynamodb.get(User, "user-123").password

    user = accounts.authenticate("max@example.com", OLD_PASSWORD)

    after = dynamodb.get(User, "user-123").password
    assert (user.id, user.role, before) == ("user-123", "user", password)
    assert identify_hasher(after).algorithm == "bcrypt_sha256"
    assert accounts.authenticate("MAX@example.com", OLD_PASSWORD).id == "user-123"


def test_the_old_account_refuses_another_password_and_keeps_its_address(old_shop: None, password: str):
    upgrade()

    assert accounts.authenticate("max@example.com", "sommer2025?") is None
    assert dynamodb.get(User, "user-123").password == password
    with pytest.raises(accounts.EmailTaken):
        accounts.register(email="max@example.com", password="another horse 2", name="Charlie")


def test_the_old_cart_keeps_its_lines_and_holds_nothing(old_shop: None):
    upgrade()

    basket = baskets.look("user-123")

    (line,) = basket.lines
    assert (line.name, line.quantity, line.price_cents) == ("Air Jordan 1", 2, 17_999)
    assert (basket.needs_renewal, basket.expires_at, basket.total_cents) == (True, None, 35_998)


def test_the_old_cart_can_be_reserved_again_and_bought(old_shop: None, contact: checkout.Contact):
    upgrade()

    cart, notices = reservations.renew("user-123")
    order = checkout.place_order("user-123", token=cart.order_id, contact=contact)

    product = catalogue.find("prod-001")
    assert (notices, order.total_cents) == ([], 35_998)
    assert (product.stock, product.reserved, product.available) == (48, 0, 48)
    assert sum(movement.quantity for movement in stock.movements("prod-001")) == 48


def test_the_old_cart_is_not_swept_away_before_its_customer_comes_back(old_shop: None):
    upgrade()

    assert dynamodb.get(Cart, "user-123").delete_at - clock.now() > timedelta(days=29)


def test_the_old_order_is_found_with_what_was_bought(old_shop: None):
    upgrade()

    (order,) = orders.list_for("user-123")

    (line,) = order.items
    assert (order.id, order.total_cents, order.status) == ("order-456", 35_998, "pending")
    assert (line.name, line.quantity, line.price_cents) == ("Air Jordan 1", 2, 17_999)
    assert order.created_at == datetime(2025, 11, 20, 12, tzinfo=UTC)


def test_the_old_order_has_a_number_and_a_history(old_shop: None):
    upgrade()

    order = orders.find("order-456")

    assert order.number.startswith("EK-")
    assert [(step.status, step.at) for step in order.history] == [("pending", order.created_at)]


def test_the_old_order_goes_on_its_way(old_shop: None):
    upgrade()

    (row,) = orders.listing("pending").rows
    order = orders.advance(orders.find(row.id), to="paid", by="dana")

    assert (order.status, [step.status for step in order.history]) == ("paid", ["pending", "paid"])


def test_orders_of_old_and_new_ids_have_numbers_of_their_own(old_shop: None):
    put("orders", ORDER, id="order-457")
    put("orders", ORDER, id="7b6c3a52-7f0f-4a53-9a5b-7b8a1f6d5f10")

    upgrade()

    assert len({order.number for order in orders.list_for("user-123")}) == 3


# Twice, and in pieces


def test_the_second_time_changes_nothing(old_shop: None):
    upgrade()
    before = everything_stored()

    with wire.heard() as calls:
        upgrade()

    assert everything_stored() == before
    assert {name for name, _ in calls} <= {"DescribeTable", "DescribeTimeToLive", "Scan", "GetItem"}


def test_the_second_time_harms_nobody_who_shopped_in_between(old_shop: None):
    upgrade()
    reservations.reserve("bob", "prod-001", quantity=3)
    stock.adjust("prod-001", by=10, reason="received", note="", who="dana")
    before = everything_stored()

    upgrade()

    assert everything_stored() == before
    assert (catalogue.find("prod-001").reserved, catalogue.find("prod-001").available) == (3, 57)


def test_upgrade_tells_what_it_brought_up_to_date_and_then_that_there_is_nothing_left(old_shop: None):
    first, second = ({step.what: step.done for step in upgrade() if step.total is None} for _ in range(2))

    assert first == {"ecokart-products": 1, "ecokart-users": 1, "ecokart-carts": 1, "ecokart-orders": 1}
    assert set(second.values()) == {0}


def test_what_an_interrupted_upgrade_left_is_finished_by_the_next(old_shop: None):
    steps = tables.upgrade()
    for step in steps:
        if step.what == "ecokart-users":
            break
    steps.close()

    upgrade()

    assert accounts.authenticate("max@example.com", OLD_PASSWORD)
    assert [one.quantity for one in stock.movements("prod-001")] == [50]
    assert orders.list_for("user-123")


def test_upgrade_of_a_shop_of_today_changes_nothing(product: Product, alice: User, contact: checkout.Contact):
    cart = reservations.reserve(alice.id, product.id, quantity=3)
    checkout.place_order(alice.id, token=cart.order_id, contact=contact)
    reservations.reserve("bob", product.id, quantity=2)
    before = everything_stored()

    upgrade()

    assert everything_stored() == before


def test_upgrade_reads_tables_that_do_not_fit_into_one_answer(old_shop: None, monkeypatch: pytest.MonkeyPatch):
    for number in range(7):
        put("products", PRODUCT, id=f"prod-{number}")
    scan = client().scan
    monkeypatch.setattr(client(), "scan", lambda **arguments: scan(**arguments, Limit=3))

    upgrade()

    assert catalogue.search().total == 8


# Items that lack even more


def test_an_old_product_without_numbers_has_none_on_the_shelf(old_shop: None):
    """Stock came to the first version later: some items may never have got any."""
    put("products", PRODUCT, id="prod-002", stock=None, reserved=None, rating=None, createdAt=None, updatedAt=None)

    upgrade()

    product = catalogue.find("prod-002")
    assert (product.stock, product.reserved, product.available, product.rating) == (0, 0, 0, None)
    assert raw(Product, "prod-002")["stock"] == {"N": "0"}
    assert stock.adjust("prod-002", by=4, reason="received", note="", who="dana").available == 4
    assert catalogue.search().total == 2


def test_an_old_product_with_moments_in_milliseconds_opens(old_shop: None):
    put("products", PRODUCT, id="prod-002", updatedAt="2025-11-20T10:00:00.123Z")

    upgrade()

    assert catalogue.find("prod-002").updated_at == datetime(2025, 11, 20, 10, 0, 0, 123_000, tzinfo=UTC)


def test_an_old_account_of_an_admin_stays_one(old_shop: None, password: str):
    put("users", USER, id="user-1", email="admin@example.com", role="admin", password=password)

    upgrade()

    assert accounts.authenticate("admin@example.com", OLD_PASSWORD).is_admin


def test_of_two_old_accounts_with_one_address_neither_is_lost(old_shop: None, password: str):
    """The first version compared addresses with care for case. Which of the two logs in is settled once and for all."""
    put("users", USER, id="user-999", email="max@example.com", password=password)

    upgrade()
    first = accounts.find_by_email("max@example.com").id
    upgrade()

    assert accounts.find_by_email("max@example.com").id == first
    assert accounts.find("user-123")
    assert accounts.find("user-999")


def test_an_empty_old_cart_stays_empty(old_shop: None):
    put("carts", CART, userId="user-2", items=[])

    upgrade()

    assert baskets.look("user-2") is None


@pytest.mark.parametrize("status", ["paid", "shipped"])
def test_an_old_order_keeps_its_state(old_shop: None, status: str):
    put("orders", ORDER, id="order-9", status=status)

    upgrade()

    assert orders.find("order-9").history[0].status == status
    assert [order.id for order in orders.listing(status).rows] == ["order-9"]


def test_a_cart_line_of_a_product_that_is_gone_still_opens(old_shop: None):
    put("carts", CART, userId="user-2", items=[{"productId": "gone", "quantity": 1, "price": Decimal("9.99")}])

    upgrade()

    (line,) = baskets.look("user-2").lines
    assert (line.product, line.price_cents) == (None, 999)


# Whether there is any at all, as the product's item says it


def unmarked(product: Product) -> None:
    """As products were before they had these two attributes."""
    Product(product.id).update([Product.in_stock_since.remove(), Product.availability_at.remove()])


@pytest.mark.parametrize(("units", "in_stock"), [(50, True), (0, False), (-3, False)])
def test_an_old_product_says_whether_there_is_any(old_shop: None, units: int, in_stock: bool):
    put("products", PRODUCT, stock=units)

    upgrade()

    product = catalogue.find("prod-001")
    assert product.in_stock_since == (product.availability_at if in_stock else None)
    assert product.availability_at is not None


@pytest.mark.parametrize("held", [0, 3, 10])
def test_a_product_of_yesterday_gets_nothing_but_what_it_lacks(product: Product, held: int):
    if held:
        reservations.reserve("alice", product.id, quantity=held)
    unmarked(product)
    before = raw(Product, product.id)

    upgrade()

    after = raw(Product, product.id)
    assert after.keys() - before.keys() == {"availabilityAt"} | ({"inStockSince"} if held < 10 else set())
    assert {name: after[name] for name in before} == before


def test_a_product_that_sells_out_as_it_is_marked_is_marked_as_sold_out(
    product: Product, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)
    reservations.reserve("alice", product.id, quantity=1)
    unmarked(product)

    with wire.just_before("TransactWriteItems", lambda: reservations.reserve("bob", product.id, quantity=9)):
        upgrade()

    found = catalogue.find(product.id)
    assert (found.available, found.in_stock_since) == (0, None)
    assert found.availability_at is not None


def test_a_product_whose_units_an_older_shop_takes_as_it_is_marked_is_looked_at_again(
    product: Product, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)
    unmarked(product)
    taken = [Product.available.add(-10), Product.reserved.add(10), Product.moves.add(1)]

    with wire.just_before("TransactWriteItems", lambda: Product(product.id).update(taken)):
        upgrade()

    found = catalogue.find(product.id)
    assert (found.available, found.in_stock_since) == (0, None)


def test_two_upgrades_at_once_mark_a_product_once(product: Product, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)
    reservations.reserve("alice", product.id, quantity=10)
    unmarked(product)
    first: list[Any] = []

    def be_faster() -> None:
        upgrade()
        first.append(raw(Product, product.id))

    with wire.just_before("TransactWriteItems", be_faster):
        upgrade()

    assert [raw(Product, product.id)] == first


def test_a_product_that_is_marked_is_not_read_again(product: Product):
    with wire.heard() as calls:
        upgrade()

    assert "GetItem" not in {name for name, _ in calls}


def test_the_index_tells_what_sold_out_without_its_stock(product: Product):
    reservations.reserve("alice", product.id, quantity=10)

    (entry,) = client().query(
        TableName="ecokart-products",
        IndexName="availability-index",
        KeyConditionExpression="catalogue = :all",
        ExpressionAttributeValues={":all": {"S": "catalogue"}},
    )["Items"]

    assert entry.keys() == {"id", "catalogue", "availabilityAt"}


# Somebody else at the same time


def test_an_upgrade_that_others_get_in_the_way_of_goes_on(old_shop: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)

    with wire.cancelling("None", "ThrottlingError", times=2):
        upgrade()

    assert [one.quantity for one in stock.movements("prod-001")] == [50]


def test_two_upgrades_at_once_write_one_opening_stock(old_shop: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)

    with wire.just_before("TransactWriteItems", upgrade):
        upgrade()

    assert [one.quantity for one in stock.movements("prod-001")] == [50]
    assert dynamodb.get(EmailGuard, "email#max@example.com").user_id == "user-123"


def test_two_upgrades_at_once_write_an_accounts_guard_once(old_shop: None):
    with wire.just_before("PutItem", upgrade):
        upgrade()

    assert dynamodb.get(EmailGuard, "email#max@example.com").user_id == "user-123"


def test_two_upgrades_at_once_bring_a_cart_up_to_date_once(old_shop: None):
    User("user-123").delete()

    with wire.just_before("PutItem", upgrade):
        upgrade()

    assert dynamodb.get(Cart, "user-123").version == 1


def test_two_upgrades_at_once_write_an_orders_history_once(old_shop: None):
    with wire.just_before("UpdateItem", upgrade):
        upgrade()

    assert len(orders.find("order-456").history) == 1


def test_a_product_that_was_deleted_meanwhile_is_not_brought_back(old_shop: None):
    with wire.just_before("GetItem", Product("prod-001").delete):
        upgrade()

    assert catalogue.find("prod-001") is None
    assert stock.movements("prod-001") == []


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_an_upgrade_whose_request_is_lost_stops_and_the_next_finishes(old_shop: None, operation: str):
    with wire.losing_requests(operation), pytest.raises(PynamoDBException):
        upgrade()

    upgrade()

    assert accounts.find_by_email("max@example.com").id == "user-123"
    assert dynamodb.get(Cart, "user-123").version == 1
    assert len(orders.find("order-456").history) == 1


# Indexes


def keys(table: str) -> dict[str, list[str]]:
    found = client().describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
    return {index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]] for index in found}


def test_old_tables_get_the_indexes_of_today(old_shop: None):
    upgrade()

    assert keys("ecokart-products") == {
        "catalogue-index": ["catalogue", "updatedAt"],
        "availability-index": ["catalogue", "availabilityAt"],
    }
    assert keys("ecokart-users") == {"email-index": ["email"]}
    assert keys("ecokart-carts") == {"expiry-index": ["hold", "expiresAt"]}
    assert keys("ecokart-orders") == {"userId-index": ["userId", "createdAt"], "status-index": ["status", "createdAt"]}


def changes(calls: list[wire.Call]) -> list[dict[str, Any]]:
    return [params for name, params in calls if name == "UpdateTable"]


def test_an_index_that_fits_is_left_alone(old_shop: None):
    with wire.heard() as calls:
        upgrade()

    assert "ecokart-users" not in {change["TableName"] for change in changes(calls)}


def test_indexes_are_changed_one_at_a_time_as_dynamodb_demands(old_shop: None):
    with wire.heard() as calls:
        upgrade()

    assert {len(change["GlobalSecondaryIndexUpdates"]) for change in changes(calls)} == {1}


def test_a_new_index_is_asked_for_with_its_hash_key_first_and_its_keys_defined(old_shop: None):
    """DynamoDB refuses any other order, and keys that the request does not define."""
    with wire.heard() as calls:
        upgrade()

    made = [(change, change["GlobalSecondaryIndexUpdates"][0].get("Create")) for change in changes(calls)]
    for change, index in made:
        keys_asked = index["KeySchema"] if index else []
        assert [key["KeyType"] for key in keys_asked] in ([], ["HASH"], ["HASH", "RANGE"])
        defined = {one["AttributeName"] for one in change.get("AttributeDefinitions", [])}
        assert {key["AttributeName"] for key in keys_asked} <= defined


def test_indexes_of_tables_with_bought_capacity_buy_as_much(old_shop: None):
    with wire.heard() as calls:
        upgrade()

    made = [change["GlobalSecondaryIndexUpdates"][0].get("Create") for change in changes(calls)]
    capacity = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    assert [one["ProvisionedThroughput"] for one in made if one] == [capacity] * 5


def test_indexes_of_tables_paid_by_request_buy_nothing(product: Product):
    client().update_table(
        TableName="ecokart-products", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "catalogue-index"}}]
    )

    with wire.heard() as calls:
        upgrade()

    (change,) = changes(calls)
    assert "ProvisionedThroughput" not in change["GlobalSecondaryIndexUpdates"][0]["Create"]
    assert catalogue.search().total == 1


def test_the_old_carts_lines_get_the_names_and_pictures_that_they_lacked(old_shop: None):
    upgrade()

    (line,) = Cart.get("user-123").lines
    assert (line.name, line.image_url) == ("Air Jordan 1", "/pics/shoe1.jpg")


def test_an_old_cart_with_two_lines_of_a_product_gets_one(old_shop: None):
    line = {"productId": "prod-001", "quantity": 2, "price": Decimal("179.99")}
    put("carts", CART, items=[line, {**line, "quantity": 3}])

    upgrade()

    assert [line.quantity for line in Cart.get("user-123").lines] == [5]


def test_an_old_cart_of_many_lines_is_cut_to_what_a_checkout_can_sell(old_shop: None):
    put("carts", CART, items=[{"productId": f"p{number}", "quantity": 1, "price": 1} for number in range(60)])

    upgrade()

    assert len(Cart.get("user-123").lines) == 40


def test_an_old_product_that_was_oversold_has_none_and_says_why(old_shop: None):
    put("products", PRODUCT, stock=-2)

    upgrade()

    product = Product.get("prod-001")
    assert (product.stock, product.reserved, product.available) == (0, 0, 0)
    moved = {movement.kind: movement.quantity for movement in Movement.query("prod-001")}
    assert moved == {"opening": -2, "corrected": 2}

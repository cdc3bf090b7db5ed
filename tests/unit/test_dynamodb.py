"""Transactions and how they fail, second tries, and reads of many items."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import GetError, TransactWriteError

from inventory import dynamodb, stock
from inventory.errors import Busy, OutOfStock, Unsure
from inventory.models import Cart, EmailGuard, Movement, Order, Product, User, models
from tests.unit import wire

NOT_THERE = Product.id.does_not_exist()
THERE = Product.id.exists()


class Refusal(Exception):
    """What a write of these tests says when its condition fails."""


def refused(found: object) -> Refusal:
    return Refusal(found)


def saying(words: str) -> Callable[[object], Refusal]:
    return lambda _found: Refusal(words)


def send(tx: dynamodb.transaction) -> None:
    with tx:
        pass


def write(*, condition=NOT_THERE, otherwise=refused, id="prod-9") -> None:
    with dynamodb.transaction() as tx:
        tx.put(Product(id, name="Mütze"), condition=condition, otherwise=otherwise)


# Transactions


def test_transaction_writes_everything_together(product: Product):
    with dynamodb.transaction() as tx:
        tx.update(Product(product.id), [Product.name.set("Hut")], condition=THERE, otherwise=refused)
        tx.put(Cart("alice"), condition=Cart.user_id.does_not_exist(), otherwise=refused)

    assert dynamodb.get(Product, product.id).name == "Hut"
    assert dynamodb.get(Cart, "alice") is not None


def test_transaction_writes_nothing_when_one_condition_fails(product: Product):
    tx = dynamodb.transaction()
    tx.put(Cart("alice"), condition=Cart.user_id.does_not_exist(), otherwise=refused)
    tx.update(Product(product.id), [Product.name.set("Hut")], condition=NOT_THERE, otherwise=refused)

    with pytest.raises(Refusal):
        send(tx)

    assert dynamodb.get(Cart, "alice") is None
    assert dynamodb.get(Product, product.id).name == product.name


def test_transaction_is_not_sent_when_its_block_fails():
    tx = dynamodb.transaction()
    tx.put(Product("prod-9"), condition=NOT_THERE, otherwise=refused)

    with wire.heard() as calls, pytest.raises(OutOfStock), tx:
        raise OutOfStock("Hut", left=0)

    assert calls == []


def test_each_write_says_what_its_own_failed_condition_means(product: Product):
    """DynamoDB gets puts and updates in an order of its own; the refusals must follow it."""
    tx = dynamodb.transaction()
    tx.update(Product("nobody"), [Product.name.set("x")], condition=THERE, otherwise=saying("update"))
    tx.put(Cart("alice"), condition=Cart.user_id.does_not_exist(), otherwise=saying("put"))

    with pytest.raises(Refusal, match="update"):
        send(tx)


@pytest.mark.parametrize(
    ("codes", "culprit"),
    [
        (["ConditionalCheckFailed", "None", "None"], "first put"),
        (["None", "ConditionalCheckFailed", "None"], "second put"),
        (["None", "TransactionConflict", "ConditionalCheckFailed"], "update"),
    ],
)
def test_the_reason_in_each_place_belongs_to_one_write(codes: list[str], culprit: str):
    tx = dynamodb.transaction()
    tx.update(Product("a"), [Product.name.set("x")], condition=THERE, otherwise=saying("update"))
    tx.put(Product("b"), condition=NOT_THERE, otherwise=saying("first put"))
    tx.put(Cart("c"), condition=Cart.user_id.does_not_exist(), otherwise=saying("second put"))

    with wire.cancelling(*codes), pytest.raises(Refusal, match=culprit):
        send(tx)


def test_a_refusal_learns_the_item_that_was_found(make_product: Callable[..., Product]):
    make_product(id="prod-9", stock=7)

    with pytest.raises(Refusal) as caught:
        write(id="prod-9")

    (found,) = caught.value.args
    assert (found.id, found.available, found.price_cents) == ("prod-9", 7, 9999)


def test_a_refusal_learns_that_nothing_was_found():
    with pytest.raises(Refusal) as caught:
        write(condition=THERE)

    assert caught.value.args == (None,)


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_cancelled_by_others_is_contention(code: str):
    with wire.cancelling("None", code), pytest.raises(dynamodb.Contention):
        write()

    assert dynamodb.get(Product, "prod-9") is None


@pytest.mark.parametrize("code", ["ThrottlingException", "TransactionConflictException"])
def test_a_whole_call_in_the_way_of_others_is_contention(code: str):
    with wire.refusing("TransactWriteItems", code), pytest.raises(dynamodb.Contention):
        write()


def test_a_refusal_of_a_second_try_tells_nothing_of_the_first():
    with wire.refusing("TransactWriteItems", "ThrottlingException", retries=2), pytest.raises(dynamodb.OutcomeUnknown):
        write()


@pytest.mark.parametrize(
    "code",
    ["InternalServerError", "IdempotentParameterMismatchException", "TransactionInProgressException", "503"],
)
def test_an_answer_that_tells_nothing_leaves_the_outcome_unknown(code: str):
    with wire.refusing("TransactWriteItems", code), pytest.raises(dynamodb.OutcomeUnknown):
        write()


def test_a_lost_answer_leaves_the_outcome_unknown_although_it_was_written():
    with wire.losing_answers(), pytest.raises(dynamodb.OutcomeUnknown):
        write()

    assert dynamodb.get(Product, "prod-9") is not None


def test_a_lost_request_leaves_the_outcome_unknown_and_nothing_written():
    with wire.losing_requests(), pytest.raises(dynamodb.OutcomeUnknown):
        write()

    assert dynamodb.get(Product, "prod-9") is None


@pytest.mark.parametrize("codes", [["ValidationError"], ["TransactionConflict", "ValidationError"], ["None"]])
def test_a_mistake_of_ours_stays_what_it_is(codes: list[str]):
    with wire.cancelling(*codes), pytest.raises(TransactWriteError):
        write()


def test_a_failed_condition_outweighs_a_conflict_elsewhere():
    with wire.cancelling("ConditionalCheckFailed", "TransactionConflict"), pytest.raises(Refusal):
        write()


def test_every_transaction_carries_a_token_of_its_own():
    with wire.heard() as calls:
        write(id="prod-1")
        write(id="prod-2")

    first, second = (params["ClientRequestToken"] for _, params in calls)
    assert 1 <= len(first) <= 36
    assert first != second


# Second tries


@pytest.mark.parametrize("conflicts", [1, 2, 5])
def test_a_rule_is_tried_again_until_others_are_done(product: Product, pauses: list[float], conflicts: int):
    with wire.cancelling("TransactionConflict", "None", times=conflicts):
        stock.adjust(product.id, by=5, reason="received", note="", who="dana")

    assert dynamodb.get(Product, product.id).stock == 15
    assert len(pauses) == conflicts


def test_a_rule_gives_up_after_its_tries_and_nothing_is_written(product: Product, pauses: list[float]):
    with wire.heard() as calls, wire.cancelling("TransactionConflict", "None", times=99), pytest.raises(Busy):
        stock.adjust(product.id, by=5, reason="received", note="", who="dana")

    assert sum(name == "TransactWriteItems" for name, _ in calls) == dynamodb.RETRY_TIMES
    assert dynamodb.get(Product, product.id).stock == 10
    assert len(stock.movements(product.id)) == 1


def test_the_pauses_are_spread_grow_and_stay_bounded(monkeypatch: pytest.MonkeyPatch, pauses: list[float]):
    asked: list[tuple[float, float]] = []
    monkeypatch.setattr("inventory.dynamodb.random.uniform", lambda low, high: asked.append((low, high)) or 0.0)

    with wire.cancelling("TransactionConflict", times=99), pytest.raises(Busy):
        dynamodb.retry_while_busy(write)()

    longest = [high for _, high in asked]
    assert {low for low, _ in asked} == {0}
    assert longest[:3] == pytest.approx([0.02, 0.04, 0.08])
    assert max(longest) == pytest.approx(0.4)


def test_a_rule_gives_up_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch, pauses: list[float]):
    ticks = iter(range(0, 100, 2))
    monkeypatch.setattr("inventory.dynamodb.time.monotonic", lambda: next(ticks))

    with wire.heard() as calls, wire.cancelling("TransactionConflict", times=99), pytest.raises(Busy):
        dynamodb.retry_while_busy(write)()

    assert len(calls) == 2  # The clock shows 0, then 2 and 4: the second try is the last within three seconds.


def test_an_unknown_outcome_is_looked_at_once_more_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
):
    ticks = iter(range(0, 100, 9))
    monkeypatch.setattr("inventory.dynamodb.time.monotonic", lambda: next(ticks))

    def already_there(_found: Product | None) -> Exception:
        return dynamodb.AlreadyDone()

    with wire.losing_answers():
        dynamodb.retry_while_busy(write)(otherwise=already_there)

    assert dynamodb.get(Product, "prod-9") is not None
    assert len(pauses) == 1


@pytest.mark.parametrize("operation", ["GetItem", "BatchGetItem"])
def test_a_read_without_an_answer_is_tried_again(operation: str, product: Product, pauses: list[float]):
    def read() -> Product | None:
        if operation == "GetItem":
            return dynamodb.get(Product, product.id)
        return dynamodb.get_many((Product, [product.id]))[0].get(product.id)

    with wire.losing_answers(operation):
        found = dynamodb.retry_while_busy(read)()

    assert found is not None
    assert len(pauses) == 1


def test_a_refusal_is_not_tried_again(product: Product, pauses: list[float]):
    with wire.heard() as calls, pytest.raises(Refusal):
        dynamodb.retry_while_busy(write)(id=product.id)

    assert len(calls) == 1
    assert pauses == []


def test_a_rule_whose_answers_all_get_lost_is_unsure(pauses: list[float]):
    with wire.losing_requests(times=99), pytest.raises(Unsure):
        dynamodb.retry_while_busy(write)()


def test_an_answer_that_got_lost_once_is_not_forgotten(pauses: list[float]):
    """Nobody may be told that nothing was written when one of the tries may have been."""
    outcomes = iter([dynamodb.OutcomeUnknown(), *[dynamodb.Contention()] * 99])

    def rule() -> None:
        raise next(outcomes)

    with pytest.raises(Unsure):
        dynamodb.retry_while_busy(rule)()


def test_a_try_that_had_happened_already_is_no_failure():
    with wire.cancelling("ConditionalCheckFailed"), dynamodb.transaction() as tx:
        condition = Product.id.does_not_exist()
        tx.put(Product("prod-9"), condition=condition, otherwise=lambda found: dynamodb.AlreadyDone())

    assert dynamodb.get(Product, "prod-9") is None


def test_a_rule_keeps_its_name_arguments_and_answer():
    @dynamodb.retry_while_busy
    def rule(left: int, *, right: int) -> int:
        return left - right

    assert rule(5, right=2) == 3
    assert rule.__name__ == "rule"


def test_contended_says_contention_whatever_was_found():
    assert isinstance(dynamodb.contended(None), dynamodb.Contention)


# Reads


def test_get_reads_what_stands_there_now(product: Product):
    with wire.heard() as calls:
        found = dynamodb.get(Product, product.id)

    ((name, params),) = calls
    assert found.stock == 10
    assert (name, params["ConsistentRead"]) == ("GetItem", True)


def test_get_gives_none_where_nothing_is():
    assert dynamodb.get(Product, "nobody") is None
    assert dynamodb.get(Movement, "nobody", "never") is None


def test_get_many_reads_several_tables_in_one_consistent_call(product: Product):
    Cart("alice").save()

    with wire.heard() as calls:
        carts, products = dynamodb.get_many((Cart, ["alice", "bob"]), (Product, [product.id]))

    ((name, params),) = calls
    assert name == "BatchGetItem"
    assert all(part["ConsistentRead"] for part in params["RequestItems"].values())
    assert (list(carts), list(products)) == (["alice"], [product.id])


def test_get_raw_reads_some_attributes_in_one_consistent_call(product: Product):
    Cart("alice").save()

    with wire.heard() as calls:
        carts, products = dynamodb.get_raw((Cart, ["alice", "bob"], ()), (Product, [product.id], ("id", "stock")))

    ((name, params),) = calls
    assert name == "BatchGetItem"
    assert all(part["ConsistentRead"] for part in params["RequestItems"].values())
    assert products == {product.id: {"id": {"S": product.id}, "stock": {"N": "10"}}}
    assert carts["alice"] == Cart.get("alice").serialize()
    assert "bob" not in carts


def test_query_raw_goes_on_where_an_answer_ends(monkeypatch: pytest.MonkeyPatch):
    for number in range(5):
        placed = datetime(2026, 11, number + 1, tzinfo=UTC)
        Order(f"order-{number}", user_id="alice", status="paid", created_at=placed).save()
    client = dynamodb.connection().client
    real = client.query
    monkeypatch.setattr(client, "query", lambda **question: real(**{**question, "Limit": 2}))

    def found(**some: Any) -> list[str]:
        raws = dynamodb.query_raw(Order, Order.status_index, "paid", ("id",), **some)
        return [raw["id"]["S"] for raw in raws]

    assert found() == [f"order-{number}" for number in range(5)]
    assert found(since="2026-11-04") == ["order-3", "order-4"]
    assert found(newest=5) == [f"order-{number}" for number in reversed(range(5))]


def test_get_many_asks_nothing_when_nothing_is_wanted():
    with wire.heard() as calls:
        found = dynamodb.get_many((Product, []), (Cart, []))

    assert found == [{}, {}]
    assert calls == []


def test_get_many_asks_once_for_what_is_named_twice(product: Product):
    (found,) = dynamodb.get_many((Product, [product.id, product.id]))

    assert list(found) == [product.id]


def test_get_many_asks_for_a_hundred_at_a_time():
    ids = [f"prod-{number}" for number in range(250)]
    with Product.batch_write() as batch:
        for product_id in ids:
            batch.save(Product(product_id))

    with wire.heard() as calls:
        (found,) = dynamodb.get_many((Product, ids))

    assert set(found) == set(ids)
    assert [len(params["RequestItems"]["ecokart-products"]["Keys"]) for _, params in calls] == [100, 100, 50]


def leave_unprocessed(monkeypatch: pytest.MonkeyPatch, *, times: int) -> list[dict]:
    """The next calls answer nothing but that they have not got to it."""
    dispatch, seen = dynamodb.connection().dispatch, []

    def too_busy(operation: str, arguments: dict) -> dict:
        seen.append(arguments["RequestItems"])
        if len(seen) <= times:
            return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}
        return dispatch(operation, arguments)

    monkeypatch.setattr(dynamodb.connection(), "dispatch", too_busy)
    return seen


def test_get_many_asks_again_for_keys_that_were_left_out(
    product: Product, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
):
    seen = leave_unprocessed(monkeypatch, times=2)

    (found,) = dynamodb.get_many((Product, [product.id]))

    assert found[product.id].stock == 10
    assert seen == [{"ecokart-products": {"Keys": [{"id": {"S": product.id}}], "ConsistentRead": True}}] * 3
    assert len(pauses) == 2


def test_get_many_gives_up_when_keys_are_left_out_for_ever(
    product: Product, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
):
    seen = leave_unprocessed(monkeypatch, times=999)

    with pytest.raises(dynamodb.Contention):
        dynamodb.get_many((Product, [product.id]))

    assert len(seen) == dynamodb.RETRY_TIMES + 1


@pytest.mark.parametrize("model", [Product, User, EmailGuard, Cart, Order])
def test_get_many_finds_the_key_of_every_model(model: type):
    model._get_connection().put_item("key-1", attributes={})

    (found,) = dynamodb.get_many((model, ["key-1"]))

    assert list(found) == ["key-1"]


# Whose fault it is


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="x"),
        GetError("x", ReadTimeoutError(endpoint_url="x")),
        GetError("x", ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem")),
        ClientError({"Error": {"Code": "InternalServerError"}}, "BatchGetItem"),
        dynamodb.Contention(),
        dynamodb.OutcomeUnknown(),
    ],
)
def test_a_database_that_cannot_answer_is_unavailable(error: Exception):
    assert dynamodb.is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        GetError("x", ClientError({"Error": {"Code": "ValidationException"}}, "GetItem")),
        ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetItem"),
        Product.DoesNotExist(),
        Busy(),
        ValueError(),
    ],
)
def test_a_mistake_of_ours_is_not_an_unavailable_database(error: Exception):
    assert not dynamodb.is_unavailable(error)


def test_the_wait_for_the_database_is_short():
    """API Gateway gives up after 29 seconds, so three tries have to be over by then."""
    config = dynamodb.connection().client.meta.config

    assert (config.connect_timeout, config.read_timeout) == (1, 3)
    assert config.retries["total_max_attempts"] == 3


def test_all_models_can_ask_through_one_client(monkeypatch: pytest.MonkeyPatch, product: Product):
    tables = {model._get_connection() for model in models()}
    for table in tables:
        monkeypatch.setattr(table, "connection", table.connection)
    assert {table.connection.client for table in tables} != {dynamodb.connection().client}

    dynamodb.share_one_client()
    dynamodb.share_one_client()

    assert {table.connection.client for table in tables} == {dynamodb.connection().client}
    assert Product.get(product.id).name == product.name
    assert list(Order.owner_index.query("alice")) == []

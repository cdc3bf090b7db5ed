"""What DynamoDB is asked for, and on whose bill it stands."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from inventory import catalogue, checkout, dynamodb, live_stock, metering, reservations
from inventory.models import Product
from tests.unit import wire


@pytest.fixture(autouse=True)
def _nothing_owed() -> None:
    metering.take_own()


def test_a_bill_has_calls_units_and_the_time_waited(product: Product) -> None:
    with metering.billed() as bill:
        reservations.reserve("alice", product.id, quantity=1)

    # Moto names no units of a transaction; tests/integration asks those that do.
    assert (bill.calls, bill.read_units) == (2, 2)
    assert 0 < bill.seconds < 60


def test_units_are_what_the_answers_say(product: Product) -> None:
    """Of one table, of several, and of a read and a write."""
    with metering.billed() as bill:
        with wire.answering("GetItem", lambda parsed: parsed.update(ConsumedCapacity={"CapacityUnits": 2.5})):
            dynamodb.get(Product, product.id)
        two = [{"CapacityUnits": 3.0}, {"CapacityUnits": 4.0}]
        with wire.answering("TransactWriteItems", lambda parsed: parsed.update(ConsumedCapacity=two)):
            reservations.reserve("alice", product.id, quantity=1)

    assert bill.read_units >= 2.5
    assert bill.write_units == 7.0


def test_whoever_asks_past_pynamodb_is_told_the_units_too(product: Product) -> None:
    live_stock.forget()

    with wire.heard() as calls:
        live_stock.of([product.id])

    assert [params["ReturnConsumedCapacity"] for _, params in calls] == ["TOTAL"]


def test_what_has_no_units_is_not_asked_for_any(product: Product) -> None:
    with wire.heard() as calls:
        dynamodb.connection().client.describe_table(TableName=Product.Meta.table_name)

    assert calls == [("DescribeTable", {"TableName": Product.Meta.table_name})]


def test_a_call_that_gets_no_answer_is_waited_for_and_has_no_units(product: Product, pauses: list[float]) -> None:
    with (
        metering.billed() as bill,
        wire.losing_requests("GetItem", times=99),
        pytest.raises(dynamodb.Contention),
    ):
        dynamodb.get(Product, product.id)

    assert (bill.read_units, bill.write_units) == (0, 0)


def test_two_threads_have_two_bills(product: Product) -> None:
    """Where bills were mixed, the one that ends last would have everything, or the first would miss something."""
    bills: dict[str, metering.Bill] = {}
    both_are_open = threading.Barrier(2)

    def buy(owner_id: str, times: int) -> None:
        with metering.billed() as bill:
            both_are_open.wait(10)
            for _ in range(times):
                dynamodb.get(Product, product.id)
            both_are_open.wait(10)
        bills[owner_id] = bill

    threads = [threading.Thread(target=buy, args=arguments) for arguments in (("alice", 2), ("bob", 5))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert {owner: bill.calls for owner, bill in bills.items()} == {"alice": 2, "bob": 5}


def test_the_copy_of_the_catalogue_is_the_processs_own(product: Product) -> None:
    """Somebody waits for it, and does not pay for it."""
    catalogue.forget()

    with metering.billed() as bill:
        catalogue.version()

    own = metering.take_own()
    assert bill.calls == 0
    assert own.calls >= 2
    assert own.read_units > 0


def test_what_is_taken_is_gone(product: Product) -> None:
    metering.take_own()

    dynamodb.get(Product, product.id)

    assert [metering.take_own().calls, metering.take_own().calls] == [1, 0]


def test_a_bill_within_another_keeps_what_is_its_own(product: Product) -> None:
    with metering.billed() as outer:
        dynamodb.get(Product, product.id)
        with metering.billed() as inner:
            dynamodb.get(Product, product.id)
        assert metering.is_open()

    assert (outer.calls, inner.calls) == (1, 1)
    assert not metering.is_open()


def test_an_order_is_counted_once_however_often_it_is_sent(
    product: Product, contact: checkout.Contact, make_product: Callable[..., Product]
) -> None:
    cart = reservations.reserve("alice", product.id, quantity=1)

    with metering.billed() as bill:
        for _ in range(2):
            checkout.place_order("alice", token=str(cart.order_id), contact=contact)

    assert bill.orders == 1

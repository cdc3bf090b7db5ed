"""That what the figures are measured with measures what it should."""

from __future__ import annotations

import uuid

import pytest

from benchmarks import bare, meter
from inventory import dynamodb, mails, reservations, stock
from inventory.models import Cart, Product


def test_a_reservation_is_billed_by_the_rules(product: Product) -> None:
    """Cart and product are read and written, one unit each, twice for a transaction; and the cart's index."""
    with meter.metered() as bill:
        reservations.reserve("alice", product.id, quantity=1)

    assert (bill.trips, bill.operations) == (2, ["BatchGetItem", "TransactWriteItems"])
    assert (bill.read_units, bill.write_units) == (1 + 1, 2 + 2 + 1)


def test_only_who_sells_a_product_out_or_brings_it_back_pays_for_its_index(product: Product) -> None:
    """One unit out and one in where it moves among the others. Before and after them a reservation writes one item."""
    reservations.reserve("alice", product.id, quantity=5)

    with meter.metered() as ordinary:
        reservations.change("alice", product.id, quantity=9)
    with meter.metered() as last:
        reservations.change("alice", product.id, quantity=10)
    with meter.metered() as back:
        reservations.change("alice", product.id, quantity=9)
    with meter.metered() as more:
        reservations.change("alice", product.id, quantity=5)

    assert ordinary.write_units == more.write_units
    assert last.write_units == back.write_units == ordinary.write_units + 2


def test_nothing_is_billed_after_the_end(product: Product) -> None:
    with meter.metered() as bill:
        pass

    reservations.reserve("alice", product.id, quantity=1)

    assert bill.trips == 0


def test_a_write_outside_of_a_transaction_has_no_place_on_a_bill(product: Product) -> None:
    with pytest.raises(ValueError, match="UpdateItem is no transaction"), meter.metered():
        product.update([Product.moves.add(1)])


def test_a_mail_that_is_sent_costs_a_unit_to_claim_and_one_to_remove(product: Product) -> None:
    mails.write_one("no-account", to="alice@example.com", about={})
    (mail_id,) = mails.due()

    with meter.metered() as bill:
        mails.remove(mails.claim(mail_id))

    assert bill.operations == ["UpdateItem", "DeleteItem"]
    assert bill.write_units == 2


@pytest.fixture
def reserved(product: Product) -> tuple[Cart, list[bare.Request]]:
    """Alice's cart, and what the shop asked for to make it."""
    carts: list[Cart] = []
    requests = bare.heard(lambda: carts.append(reservations.reserve("alice", product.id, quantity=2)))
    return carts[0], requests


def test_bare_botocore_does_what_the_shop_does(product: Product, reserved: tuple[Cart, list[bare.Request]]) -> None:
    cart, requests = reserved
    offer = str(uuid.uuid4())

    bare.send(bare.client(), bare.instead(requests, {"alice": "bobby", str(cart.order_id): offer}))

    bobs, (now,) = Cart.get("bobby"), stock.products([product.id])
    assert (bobs.order_id, bobs.held, bobs.version) == (offer, {product.id: 2}, 1)
    assert (now.reserved, now.available) == (4, 6)


def test_the_same_requests_again_are_refused_and_not_repeated_for_nothing(
    reserved: tuple[Cart, list[bare.Request]], product: Product
) -> None:
    """Were they answered like retries of the first ones, nothing would be compared."""
    _, requests = reserved
    client = bare.client()

    with pytest.raises(client.exceptions.TransactionCanceledException):
        bare.send(client, bare.instead(requests, {}))

    assert stock.products([product.id])[0].reserved == 2


def test_a_call_is_counted_once_where_tables_share_a_client(make_product, monkeypatch: pytest.MonkeyPatch):
    make_product()
    shared = Product._get_connection().connection
    monkeypatch.setattr(meter.dynamodb, "connection", lambda: shared)

    with meter.metered() as bill:
        assert dynamodb.get(Product, "prod-1")

    assert bill.operations == ["GetItem"]

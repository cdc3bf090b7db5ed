"""The export holds everything about one person, and nothing about another, nor anything that opens a door."""

from __future__ import annotations

import json

import pytest

from inventory import accounts, addresses, checkout, dynamodb, orders, personal_data, reservations, sessions
from inventory.models import Order, Product, User
from tests.unit import wire


def order_of(owner_id: str, product: Product, contact: checkout.Contact) -> Order:
    cart = reservations.reserve(owner_id, product.id, quantity=1)
    return checkout.place_order(owner_id, token=str(cart.order_id), contact=contact)


def test_the_export_holds_what_the_shop_knows(alice: User, product: Product, contact: checkout.Contact):
    order = order_of(alice.id, product, contact)
    addresses.add(alice.id, {**at_home(contact)})
    sessions.begin(alice, kind="shop", device="Firefox on Linux")
    reservations.reserve(alice.id, product.id, quantity=2)

    found = personal_data.export(accounts.find(alice.id))

    assert found["account"]["email"] == "alice@example.com"
    assert found["account"]["verified_at"] is None
    assert found["addresses"] == [at_home(contact)]
    assert [one["device"] for one in found["sessions"]] == ["Firefox on Linux"]
    assert [(line["product_id"], line["quantity"]) for line in found["cart"]] == [("prod-1", 2)]
    assert [(one["number"], one["total_cents"]) for one in found["orders"]] == [(order.number, 9999)]
    assert found["orders"][0]["address"] == at_home(contact)
    json.dumps(found)


def at_home(contact: checkout.Contact) -> dict[str, str]:
    return {name: getattr(contact, name) for name in ("name", "street", "postal_code", "city", "country")}


def test_it_holds_no_secrets_and_nothing_of_others(alice: User, bob: User, product: Product, contact: checkout.Contact):
    theirs = order_of(bob.id, product, contact)
    claims = sessions.begin(alice, kind="shop", device="")

    text = json.dumps(personal_data.export(accounts.find(alice.id)))

    for secret in (alice.password, claims["sid"], theirs.number, bob.email):
        assert str(secret) not in text


def test_an_order_of_the_first_version_has_no_address(alice: User):
    Order("old-1", user_id=alice.id).save()

    found = personal_data.export(alice)

    assert [one["address"] for one in found["orders"]] == [None]
    assert found["cart"] == []


def test_all_orders_are_there_however_many(alice: User):
    with Order.batch_write() as batch:
        for number in range(120):
            batch.save(Order(f"order-{number}", user_id=alice.id))

    assert len(personal_data.export(alice)["orders"]) == 120


def test_whoever_asks_a_database_that_is_away_is_told_so(alice: User):
    with wire.losing_requests("Query"), pytest.raises(dynamodb.Contention):
        orders.all_for(alice.id)

"""Orders: who may see them, what their page says, and how a customer cancels."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from inventory import baskets, catalogue, checkout, orders, reservations
from inventory.models import Order, Product, User
from shop import order_keys


def bought(owner_id: str, product: Product, contact: checkout.Contact) -> Order:
    reservations.reserve(owner_id, product.id, quantity=2)
    basket = baskets.look(owner_id)
    assert basket is not None
    return checkout.place_order(owner_id, token=basket.token, contact=contact)


@pytest.fixture
def order(alice: User, product: Product, contact: checkout.Contact) -> Order:
    return bought(alice.id, product, contact)


@pytest.fixture
def guests_order(product: Product, contact: checkout.Contact) -> Order:
    return bought("guest-1", product, contact)


def test_a_customer_sees_the_own_orders_only(
    client: Client, order: Order, alice: User, bob: User, sign_in: Any
) -> None:
    sign_in(client, alice)
    assert [one.id for one in client.get("/orders/").context["orders"]] == [order.id]

    sign_in(client, bob)
    assert client.get("/orders/").context["orders"] == []
    assert client.get(f"/orders/{order.id}/").status_code == 404


def test_the_order_page_says_what_is_on_its_way_where(client: Client, order: Order, alice: User, sign_in: Any) -> None:
    sign_in(client, alice)

    page = client.get(f"/orders/{order.id}/").content.decode()

    for words in (
        order.number,
        "Laufschuh Luchs",
        "199,98\N{NO-BREAK SPACE}€",
        "Ulmenweg 1",
        "10115 Berlin",
        "Deutschland",
    ):
        assert words in page


def test_a_stranger_finds_no_order(client: Client, order: Order) -> None:
    assert client.get(f"/orders/{order.id}/").status_code == 404
    assert client.post(f"/orders/{order.id}/cancel/").status_code == 404
    assert orders.find(order.id).status == "pending"  # type: ignore[union-attr]


def test_the_key_opens_its_own_order_only(client: Client, order: Order, guests_order: Order) -> None:
    key = order_keys.make(guests_order.id)

    assert client.get(f"/orders/{guests_order.id}/", {"key": key}).status_code == 200
    assert client.get(f"/orders/{order.id}/", {"key": key}).status_code == 404


@pytest.mark.parametrize("key", ["", "x", "a:b", "\x00", "ä:ö", "x" * 5_000])
def test_a_made_up_key_opens_nothing(client: Client, guests_order: Order, key: str) -> None:
    assert client.get(f"/orders/{guests_order.id}/", {"key": key}).status_code == 404


def test_a_guest_is_given_the_link_that_opens_the_order_anywhere(client: Client, guests_order: Order) -> None:
    key = order_keys.make(guests_order.id)

    link = client.get(f"/orders/{guests_order.id}/", {"key": key}).context["guest_link"]
    parts = urlsplit(link)

    assert parts.netloc == "testserver"
    assert Client().get(parts.path, parse_qs(parts.query)).status_code == 200


def test_a_customer_needs_no_key(client: Client, order: Order, alice: User, sign_in: Any) -> None:
    sign_in(client, alice)

    page = client.get(f"/orders/{order.id}/")

    assert page.context["guest_link"] == ""
    assert order_keys.make(order.id) not in page.content.decode()


def test_a_new_order_is_thanked_for(client: Client, order: Order, alice: User, sign_in: Any) -> None:
    sign_in(client, alice)

    assert "Vielen Dank" in client.get(f"/orders/{order.id}/?new=1").content.decode()
    assert "Vielen Dank" not in client.get(f"/orders/{order.id}/").content.decode()


def test_a_customer_cancels_and_the_units_return(
    client: Client, order: Order, alice: User, product: Product, sign_in: Any
) -> None:
    sign_in(client, alice)

    answer = client.post(f"/orders/{order.id}/cancel/", follow=True)

    assert "Ihre Bestellung ist storniert." in answer.content.decode()
    assert orders.find(order.id).status == "cancelled"  # type: ignore[union-attr]
    assert catalogue.find(product.id).available == 10  # type: ignore[union-attr]


def test_a_guest_cancels_with_the_key(client: Client, guests_order: Order) -> None:
    key = order_keys.make(guests_order.id)

    client.post(f"/orders/{guests_order.id}/cancel/", {"key": key})

    assert orders.find(guests_order.id).status == "cancelled"  # type: ignore[union-attr]


def test_what_is_shipped_cannot_be_cancelled(client: Client, order: Order, alice: User, sign_in: Any) -> None:
    orders.advance(order, to="paid", by="dana@example.com")
    orders.advance(order, to="shipped", by="dana@example.com", tracking="DE123")
    sign_in(client, alice)

    answer = client.post(f"/orders/{order.id}/cancel/", follow=True)
    page = answer.content.decode()

    assert orders.find(order.id).status == "shipped"  # type: ignore[union-attr]
    assert "alert--error" in page
    assert "DE123" in page
    assert f'action="/orders/{order.id}/cancel/"' not in page


def test_cancelling_tells_the_consequences_first(client: Client, order: Order, alice: User, sign_in: Any) -> None:
    sign_in(client, alice)

    page = client.get(f"/orders/{order.id}/").content.decode()

    assert "Das lässt sich nicht rückgängig machen" in page


def test_an_order_of_the_first_version_opens(client: Client, alice: User, sign_in: Any) -> None:
    Order("order-456", user_id=alice.id, total_cents=17999, status="shipped").save()
    sign_in(client, alice)

    page = client.get("/orders/order-456/")

    assert page.status_code == 200
    assert [done for _, _, done, _ in page.context["way"]] == [True, True, True, False]

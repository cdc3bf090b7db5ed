"""How often a rule asks DynamoDB: each round trip is time that a customer waits, however many lines there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client

from adminpanel.views.stock_proof import PER_PAGE
from inventory import checkout, orders, products, reservations
from inventory.models import Cart, Line, Movement, Order, Product, User
from tests.unit import wire

READ, WRITE = "BatchGetItem", "TransactWriteItems"
#: What each page of the panel asks first: whose session it is.
WHO = "GetItem"


@pytest.fixture
def shelf(make_product: Callable[..., Product]) -> list[str]:
    return [make_product(id=f"prod-{number}").id for number in range(40)]


def filled(product_ids: list[str]) -> Cart:
    """Alice's cart that holds one of each. Written at once and then reserved: one by one takes long here."""
    lines = [Line(product_id=product_id, quantity=1, price_cents=9999) for product_id in product_ids]
    Cart("alice", lines=lines, version=1, order_id="offer-1").save()
    cart, _ = reservations.renew("alice")
    return cart


def operations(calls: list[wire.Call]) -> list[str]:
    return [operation for operation, _ in calls]


@pytest.mark.parametrize("lines", [0, 1, 3, 39])
def test_an_add_to_cart_takes_two_round_trips(shelf: list[str], lines: int) -> None:
    if lines:
        filled(shelf[:lines])

    with wire.heard() as calls:
        reservations.reserve("alice", shelf[lines], quantity=1)

    assert operations(calls) == [READ, WRITE]


@pytest.mark.parametrize("lines", [1, 3, 40])
def test_a_change_of_a_quantity_takes_two_round_trips(shelf: list[str], lines: int) -> None:
    filled(shelf[:lines])

    with wire.heard() as calls:
        reservations.change("alice", shelf[0], quantity=2)

    assert operations(calls) == [READ, WRITE]


@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize("lines", [1, 3, 39])
def test_an_add_beside_lines_whose_hold_is_over_takes_two_round_trips_too(
    shelf: list[str], later: Callable[..., None], lines: int, swept: bool
) -> None:
    filled(shelf[:lines])
    later(hours=3)
    if swept:
        reservations.release_expired()

    with wire.heard() as calls:
        reservations.reserve("alice", shelf[lines], quantity=1)

    assert operations(calls) == [READ, WRITE]


def test_products_beside_an_add_are_read_when_they_are_not_as_they_were(
    shelf: list[str], later: Callable[..., None]
) -> None:
    filled(shelf[:3])
    later(hours=3)
    products.save(shelf[1], version=1, by="dana@example.com", price_cents=8999)

    with wire.heard() as calls:
        reservations.reserve("alice", shelf[3], quantity=1)

    assert operations(calls) == [READ, WRITE, READ, WRITE]


@pytest.mark.parametrize("lines", [1, 3, 40])
def test_a_checkout_takes_three_round_trips(shelf: list[str], contact: checkout.Contact, lines: int) -> None:
    token = str(filled(shelf[:lines]).order_id)

    with wire.heard() as calls:
        order = checkout.place_order("alice", token=token, contact=contact)

    assert operations(calls) == ["GetItem", READ, WRITE]
    assert order.units == lines


@pytest.mark.parametrize("lines", [1, 3, 40])
def test_to_release_a_cart_takes_two_round_trips_beside_the_sweeps_own_three(
    shelf: list[str], later: Callable[..., None], lines: int
) -> None:
    filled(shelf[:lines])
    later(hours=3)

    with wire.heard() as calls:
        released = reservations.release_expired()

    assert released == 1
    assert Counter(operations(calls)) == {"Query": 3, "GetItem": 1, WRITE: 1}


# The admin panel


@pytest.fixture
def panel(client: Client, dana: User, sign_in: Callable[..., None]) -> Callable[..., list[str]]:
    """What a page of the panel asks."""
    sign_in(client, dana)

    def asked(address: str) -> list[str]:
        client.get(address)
        with wire.heard() as calls:
            assert client.get(address).status_code == 200
        return operations(calls)

    return asked


@pytest.fixture
def placed() -> list[Order]:
    """Two orders in each state."""
    every = [
        Order(f"{status}-{number}", user_id="alice", status=status) for status in orders.STATUSES for number in range(2)
    ]
    for order in every:
        order.save()
    return every


def test_the_dashboard_asks_once_for_each_state_and_once_for_all_else(
    panel: Callable[..., list[str]], shelf: list[str], placed: list[Order]
) -> None:
    assert panel("/admin/") == [WHO, *["Query"] * len(orders.STATUSES), READ]


def test_the_list_of_orders_asks_once_for_each_state(panel: Callable[..., list[str]], placed: list[Order]) -> None:
    assert panel("/admin/orders/") == [WHO, *["Query"] * len(orders.STATUSES)]
    assert panel("/admin/orders/?status=paid") == [WHO, "Query", "Query"]


def test_only_what_a_list_has_not_read_is_counted(panel: Callable[..., list[str]], placed: list[Order]) -> None:
    assert panel("/admin/orders/?show=2") == [WHO, *["Query"] * (len(orders.STATUSES) + len(orders.WAITING))]
    assert orders.listing(limit=2).waiting == orders.listing("paid").waiting == {"pending": 2, "paid": 2}
    assert orders.listing(limit=1).waiting == orders.listing("shipped").waiting == {"pending": 2, "paid": 2}


def test_a_products_stock_is_looked_at_in_five_questions(
    panel: Callable[..., list[str]], shelf: list[str], contact: checkout.Contact
) -> None:
    """The product; who holds it; its movements; carts and orders; the product again."""
    checkout.place_order("alice", token=str(filled(shelf[:1]).order_id), contact=contact)
    reservations.reserve("guest-1", shelf[0], quantity=1)
    for _ in range(30):
        Movement.of(shelf[0], "corrected", quantity=0, by="dana").save()

    assert panel(f"/admin/stock/{shelf[0]}/") == [WHO, READ, "Query", "Query", READ, READ]


def test_the_names_of_accounts_that_hold_it_are_a_question_more(
    panel: Callable[..., list[str]], shelf: list[str], alice: User
) -> None:
    reservations.reserve(alice.id, shelf[0], quantity=1)

    assert panel(f"/admin/stock/{shelf[0]}/") == [WHO, READ, "Query", READ, "Query", READ, READ]


def test_the_proof_page_asks_for_the_movements_of_each_product(
    panel: Callable[..., list[str]], shelf: list[str]
) -> None:
    """The products with the last proof; who holds them; the movements of each; the products again."""
    assert panel("/admin/stock/proof/") == [WHO, READ, "Query", *["Query"] * PER_PAGE, READ]


def test_the_list_of_products_reads_their_stock_once(panel: Callable[..., list[str]], shelf: list[str]) -> None:
    assert panel("/admin/products/") == [WHO, READ]

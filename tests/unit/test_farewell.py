"""A deleted account leaves no person, keeps what the law wants, and may be deleted in two goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from inventory import (
    accounts,
    addresses,
    catalogue,
    checkout,
    farewell,
    orders,
    reservations,
    sessions,
    stock,
    verification,
)
from inventory.errors import NoSuchAccount, OwnAccount, Unsure, WrongPassword
from inventory.models import EmailGuard, Order, Product, User
from tests.unit import letterbox, wire
from tests.unit.conftest import PASSWORD

MakeOrder = Callable[..., Order]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)


@pytest.fixture
def ordered(alice: User, product: Product, contact: checkout.Contact) -> MakeOrder:
    """An order of Alice's, taken through these steps."""

    def ordered(*steps: str) -> Order:
        cart = reservations.reserve(alice.id, product.id, quantity=1)
        order = checkout.place_order(alice.id, token=str(cart.order_id), contact=contact)
        for step in steps:
            orders.advance(order, to=step, by="dana@example.com")
        return order

    return ordered


def now(order: Order) -> Order:
    found = orders.find(order.id)
    assert found is not None
    return found


def test_the_person_is_gone(alice: User, product: Product):
    reservations.reserve(alice.id, product.id, quantity=3)
    claims = sessions.begin(alice, kind="shop", device="Firefox")
    letterbox.empty()

    farewell.delete(alice, password=PASSWORD)

    assert accounts.find(alice.id) is None
    assert list(EmailGuard.scan()) == []
    assert sessions.account(claims) is None
    assert reservations.find(alice.id) is None
    assert catalogue.find(product.id).available == 10
    assert letterbox.waiting() == [("account-deleted", alice.email)]


def test_the_address_may_open_an_account_again(alice: User):
    farewell.delete(alice, password=PASSWORD)

    again = accounts.register(email=alice.email, password=PASSWORD, name="Alice")
    assert again.id != alice.id


@pytest.mark.parametrize("password", ["", "wrong"])
def test_only_who_knows_the_password_deletes(alice: User, product: Product, password: str):
    reservations.reserve(alice.id, product.id, quantity=3)

    with pytest.raises(WrongPassword):
        farewell.delete(alice, password=password)

    assert accounts.find(alice.id) is not None
    assert catalogue.find(product.id).available == 7


def test_finished_orders_keep_what_an_invoice_needs_and_nothing_else(alice: User, ordered: MakeOrder):
    order = ordered("paid", "shipped", "delivered")

    farewell.delete(alice, password=PASSWORD)

    kept = now(order)
    assert (kept.email, kept.total_cents, kept.address.name, kept.user_id) == ("", 9999, "Alice Adler", alice.id)
    assert [step.by for step in kept.history] == [alice.id, *["dana@example.com"] * 3]
    assert "alice@example.com" not in json.dumps(kept.to_dynamodb_dict())


def test_a_cancelled_orders_movements_name_nobody(alice: User, ordered: MakeOrder, product: Product):
    order = ordered()
    orders.cancel(order, by=order.email)

    farewell.delete(alice, password=PASSWORD)

    assert now(order).email == ""
    assert {movement.by for movement in stock.movements(product.id)} == {"test", alice.id}


@pytest.mark.parametrize("steps", [(), ("paid",), ("paid", "shipped")])
def test_an_order_that_is_under_way_is_forgotten_when_it_has_arrived(
    alice: User, ordered: MakeOrder, steps: tuple[str, ...]
):
    order = ordered(*steps)
    farewell.delete(alice, password=PASSWORD)
    assert now(order).email == "alice@example.com"

    for step in ("paid", "shipped", "delivered")[len(steps) :]:
        orders.advance(order, to=step, by="dana@example.com")

    assert now(order).email == ""
    assert "alice@example.com" not in json.dumps(now(order).to_dynamodb_dict())
    assert [step.status for step in now(order).history] == ["pending", "paid", "shipped", "delivered"]


def test_a_cancelled_order_of_somebody_who_is_gone_is_told_and_forgotten(alice: User, ordered: MakeOrder):
    order = ordered()
    farewell.delete(alice, password=PASSWORD)
    letterbox.empty()

    orders.cancel(order, by="dana@example.com", note="sold out")

    assert letterbox.waiting() == [("order-cancelled", "alice@example.com")]
    assert now(order).email == ""


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_what_ends_halfway_goes_on_from_there(alice: User, ordered: MakeOrder, product: Product, nth: int):
    """At whichever write the database goes away, the account is still there and can be deleted."""
    ordered("paid", "shipped", "delivered")
    ordered()
    reservations.reserve(alice.id, product.id, quantity=3)
    lost = iter(range(1, 99))

    def fail(_params: Any) -> None:
        if next(lost) >= nth:
            raise KeyboardInterrupt

    with wire.changing("TransactWriteItems", fail), pytest.raises(KeyboardInterrupt):
        farewell.delete(alice, password=PASSWORD)
    assert accounts.authenticate(alice.email, PASSWORD) is not None
    farewell.delete(alice, password=PASSWORD)

    assert accounts.find(alice.id) is None
    assert catalogue.find(product.id).available == 8


@pytest.mark.parametrize("losing", [wire.losing_requests, wire.losing_answers])
def test_an_account_is_deleted_once_whatever_gets_lost(alice: User, losing: Callable[[], Any]):
    letterbox.empty()

    with losing():
        farewell.delete(alice, password=PASSWORD)

    assert accounts.find(alice.id) is None
    assert letterbox.waiting() == [("account-deleted", alice.email)]


def test_a_password_that_changes_meanwhile_keeps_nothing_half(alice: User, product: Product):
    """Whoever was let in goes on to the end: the cart is empty by then."""
    reservations.reserve(alice.id, product.id, quantity=3)

    def meanwhile() -> None:
        User(alice.id).update([User.password.set("changed")])

    with wire.just_before("TransactWriteItems", meanwhile):
        farewell.delete(alice, password=PASSWORD)

    assert accounts.find(alice.id) is None
    assert catalogue.find(product.id).available == 10


def test_an_address_that_changes_meanwhile_is_free_too(alice: User):
    verification.ask_change(alice, "new@example.com", password=PASSWORD)

    with wire.just_before("TransactWriteItems", lambda: verification.change(alice.id, "new@example.com")):
        farewell.delete(alice, password=PASSWORD)

    assert accounts.find(alice.id) is None
    assert list(EmailGuard.scan()) == []


def test_nobody_knows_while_no_answer_comes(alice: User):
    with wire.losing_requests(times=99), pytest.raises(Unsure):
        farewell.delete(alice, password=PASSWORD)


def test_addresses_go_with_the_account(alice: User):
    addresses.add(alice.id, {"name": "A", "street": "B 1", "postal_code": "10115", "city": "C", "country": "DE"})

    farewell.delete(alice, password=PASSWORD)

    assert list(User.scan()) == []


# While somebody shops


def test_what_another_tab_adds_meanwhile_goes_back_on_the_shelf(alice: User, product: Product):
    def meanwhile() -> None:
        reservations.reserve(alice.id, product.id, quantity=3)

    with wire.just_before("TransactWriteItems", meanwhile):
        farewell.delete(alice, password=PASSWORD)

    assert accounts.find(alice.id) is None
    assert reservations.find(alice.id) is None
    assert catalogue.find(product.id).available == 10


def test_what_another_tab_orders_meanwhile_is_forgotten_too(
    alice: User, product: Product, contact: checkout.Contact
) -> None:
    def meanwhile() -> None:
        cart = reservations.reserve(alice.id, product.id, quantity=1)
        order = checkout.place_order(alice.id, token=str(cart.order_id), contact=contact)
        orders.cancel(order, by=order.email)

    with wire.just_before("TransactWriteItems", meanwhile):
        farewell.delete(alice, password=PASSWORD)

    (order,) = orders.all_for(alice.id)
    assert order.email == ""


def test_nothing_comes_into_the_cart_of_somebody_who_is_gone(alice: User, product: Product):
    reservations.reserve("guest-1", product.id, quantity=2)
    farewell.delete(alice, password=PASSWORD)

    with pytest.raises(NoSuchAccount):
        reservations.reserve(alice.id, product.id, quantity=1)
    with pytest.raises(NoSuchAccount):
        reservations.join("guest-1", alice.id)

    assert reservations.find(alice.id) is None
    assert reservations.find("guest-1").units == 2
    assert catalogue.find(product.id).available == 8


def test_an_order_that_the_index_does_not_have_yet_is_forgotten(
    alice: User, ordered: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ordered("paid", "shipped", "delivered")
    monkeypatch.setattr(orders, "all_for", lambda _owner_id: [])

    farewell.delete(alice, password=PASSWORD)

    assert now(order).email == ""


def test_an_order_that_became_somebody_elses_is_left(alice: User, bob: User, ordered: MakeOrder) -> None:
    order = ordered("paid", "shipped", "delivered")

    orders.forget_customer(bob.id, beside=[order.id, "nothing"])

    assert now(order).email == "alice@example.com"


# Admins


def test_an_admin_stays_until_another_admin_has_taken_the_role_away(alice: User, product: Product) -> None:
    reservations.reserve(alice.id, product.id, quantity=3)
    accounts.change_role(alice.id, role="admin", by="manage.py")

    with pytest.raises(OwnAccount):
        farewell.delete(alice, password=PASSWORD)

    assert accounts.find(alice.id) is not None
    assert catalogue.find(product.id).available == 7


def test_who_becomes_an_admin_meanwhile_goes_all_the_same(alice: User, product: Product) -> None:
    """There is one at least: who has made them one."""
    reservations.reserve(alice.id, product.id, quantity=3)

    def meanwhile() -> None:
        accounts.change_role(alice.id, role="admin", by="manage.py")

    with wire.just_before("TransactWriteItems", meanwhile):
        farewell.delete(alice, password=PASSWORD)

    assert accounts.find(alice.id) is None
    assert catalogue.find(product.id).available == 10

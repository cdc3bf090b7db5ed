"""The address book's pages, and the checkout that uses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inventory import accounts, addresses
from inventory.models import Product, User
from tests.unit.test_addresses import at, book, streets


@pytest.fixture
def customer(client: Client, alice: User, sign_in: Any) -> Client:
    sign_in(client, alice)
    return client


@pytest.fixture
def filled(alice: User) -> list[str]:
    for street in ("One 1", "Two 2"):
        addresses.add(alice.id, at(street))
    return [one.id for one in book(alice)]


def test_an_address_is_added_changed_preferred_and_removed(customer: Client, alice: User) -> None:
    customer.post("/account/addresses/new/", at("One 1"))
    customer.post("/account/addresses/new/", at("Two 2"))
    first, second = (one.id for one in book(alice))

    customer.post(f"/account/addresses/{second}/", at("Two 22"))
    customer.post(f"/account/addresses/{second}/default/")
    assert streets(alice) == ["Two 22", "One 1"]
    customer.post(f"/account/addresses/{first}/remove/")

    assert streets(alice) == ["Two 22"]
    assert "Two 22" in customer.get("/account/addresses/").content.decode()


def test_the_form_shows_what_stands_there(customer: Client, filled: list[str]) -> None:
    assert 'value="Two 2"' in customer.get(f"/account/addresses/{filled[1]}/").content.decode()


@pytest.mark.parametrize("page", ["new", "edit"])
def test_a_wrong_field_comes_back(customer: Client, alice: User, filled: list[str], page: str) -> None:
    address = "/account/addresses/new/" if page == "new" else f"/account/addresses/{filled[0]}/"

    answer = customer.post(address, {**at("Three 3"), "postal_code": "1"})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["postal_code"]
    assert streets(alice) == ["One 1", "Two 2"]


def test_a_full_book_says_so(customer: Client, alice: User) -> None:
    for number in range(addresses.MOST):
        addresses.add(alice.id, at(f"Street {number}"))

    answer = customer.post("/account/addresses/new/", at("One more 1"))

    assert answer.status_code == 422
    assert "10" in answer.context["form"].non_field_errors()[0]
    assert "/account/addresses/new/" not in customer.get("/account/addresses/").content.decode()


def test_another_customers_address_does_not_exist(client: Client, bob: User, sign_in: Any, filled: list[str]) -> None:
    sign_in(client, bob)

    answers = [
        client.get(f"/account/addresses/{filled[0]}/"),
        client.post(f"/account/addresses/{filled[0]}/", at("Mine 1")),
        client.post(f"/account/addresses/{filled[0]}/default/"),
    ]
    client.post(f"/account/addresses/{filled[0]}/remove/")

    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_what_went_meanwhile_is_told(customer: Client, alice: User, filled: list[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(addresses, "find", lambda *_: book(alice)[0])

    answer = customer.post("/account/addresses/gone/default/")

    assert "alert--error" in customer.get(answer["Location"]).content.decode()


# In the checkout


@pytest.fixture
def shopper(customer: Client, product: Product) -> Client:
    customer.post("/cart/add/", {"product_id": product.id, "quantity": 1})
    return customer


def order(shopper: Client, **more: str) -> Any:
    token = shopper.get("/checkout/").context["basket"].token
    form = {**at("Three 3"), "email": "alice@example.com", "checkout_token": token, **more}
    return shopper.post("/checkout/", form)


def test_the_default_stands_there_and_another_may_be_chosen(shopper: Client, filled: list[str]) -> None:
    default = shopper.get("/checkout/")
    chosen = shopper.get("/checkout/", {"address": filled[1]})
    nonsense = shopper.get("/checkout/", {"address": "another's"})

    assert default.context["form"]["street"].value() == "One 1"
    assert f"?address={filled[1]}" in default.content.decode()
    assert chosen.context["form"]["street"].value() == "Two 2"
    assert nonsense.context["form"]["street"].value() == "One 1"


def test_an_address_is_kept_on_wish(shopper: Client, alice: User) -> None:
    answer = order(shopper, save_address="on")

    assert answer.status_code == 302
    assert streets(alice) == ["Three 3"]


def test_an_address_is_not_kept_unasked(shopper: Client, alice: User) -> None:
    order(shopper)

    assert streets(alice) == []


def test_a_full_book_does_not_stop_an_order(shopper: Client, alice: User) -> None:
    for number in range(addresses.MOST):
        addresses.add(alice.id, at(f"Street {number}"))

    answer = order(shopper, save_address="on")

    assert "/orders/" in answer["Location"]
    assert "alert--warning" in shopper.get(answer["Location"]).content.decode()


def test_a_guest_has_no_book(client: Client, product: Product) -> None:
    client.post("/cart/add/", {"product_id": product.id, "quantity": 1})

    page = client.get("/checkout/").content.decode()
    answer = order(client, save_address="on")

    assert "save_address" not in page
    assert answer.status_code == 302
    assert accounts.find_by_email("alice@example.com") is None

"""Taking one's data along, and taking it away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from inventory import accounts
from inventory.models import Product, User
from tests.unit import letterbox
from tests.unit.conftest import PASSWORD


@pytest.fixture
def customer(client: Client, alice: User, sign_in: Any) -> Client:
    sign_in(client, alice)
    return client


def test_the_data_come_as_a_file_that_nobody_keeps(customer: Client) -> None:
    answer = customer.get("/account/data/")

    assert json.loads(answer.content)["account"]["email"] == "alice@example.com"
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]


def test_a_deleted_account_is_a_strangers(customer: Client, alice: User, product: Product) -> None:
    customer.post("/cart/add/", {"product_id": product.id, "quantity": 1})

    answer = customer.post("/account/delete/", {"old": PASSWORD})
    home = customer.get(answer["Location"]).content.decode()

    assert answer["Location"] == "/"
    assert "Ihr Konto ist gelöscht." in home
    assert accounts.find(alice.id) is None
    assert "account_id" not in customer.session
    assert customer.get("/account/").status_code == 302
    assert letterbox.subjects("alice@example.com")[-1] == "Ihr Konto ist gelöscht"


def test_an_admin_is_told_who_has_to_take_the_role_away_first(client: Client, dana: User, sign_in: Any) -> None:
    sign_in(client, dana)

    answer = client.post("/account/delete/", {"old": PASSWORD})

    assert answer.status_code == 422
    assert "anderer Admin" in answer.content.decode()
    assert accounts.find(dana.id) is not None


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_deletes_nothing(customer: Client, alice: User, password: str) -> None:
    answer = customer.post("/account/delete/", {"old": password})

    assert answer.status_code == 422
    assert accounts.find(alice.id) is not None
    assert customer.get("/account/").status_code == 200


@pytest.mark.parametrize(
    "page",
    ["", "password/", "email/", "addresses/", "addresses/new/", "data/", "delete/", "verify/again/"],
)
def test_a_stranger_is_sent_to_log_in_and_back(client: Client, page: str) -> None:
    form = client.post(f"/account/{page}") if page not in {"", "addresses/", "data/"} else None
    shown = client.get(f"/account/{page}") if page != "verify/again/" else None

    if shown is not None:
        assert shown["Location"] == f"/account/login/?next=%2Faccount%2F{page.replace('/', '%2F')}"
    if form is not None:
        assert form["Location"] == "/account/login/?next=%2Faccount%2F"

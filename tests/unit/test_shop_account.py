"""Logging in and out, and the account's page."""

from __future__ import annotations

import re
from typing import Any
from unittest import mock

import pytest
from django.http import HttpResponse
from django.test import Client

from inventory import accounts, baskets, catalogue, reservations
from inventory.errors import Busy, SessionEnded
from inventory.models import Product, User

WRONG_PAIR = "E-Mail-Adresse und Passwort passen nicht zusammen."


def log_in(client: Client, **changes: str) -> HttpResponse:
    form = {"email": "alice@example.com", "password": "correct horse 1", **changes}
    return client.post("/account/login/", form)


def test_logging_in_opens_the_account(client: Client, alice: User) -> None:
    answer = log_in(client)

    assert answer["Location"] == "/account/"
    assert "Hallo, Alice" in client.get("/account/").content.decode()


def test_unknown_address_and_wrong_password_read_the_same(client: Client, alice: User) -> None:
    wrong = log_in(client, password="wrong")
    unknown = log_in(client, email="nobody@example.com", password="wrong")

    assert wrong.status_code == unknown.status_code == 422
    assert WRONG_PAIR in wrong.content.decode()
    assert wrong.context["form"].errors == unknown.context["form"].errors


@pytest.mark.parametrize("password", ["", "x" * 5_000, "\x00", "🦊" * 100])
def test_a_strange_password_is_only_wrong(client: Client, alice: User, password: str) -> None:
    assert log_in(client, password=password).status_code == 422


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/checkout/", "/checkout/"),
        ("/products/?q=a", "/products/?q=a"),
        ("https://evil.example/", "/account/"),
        ("//evil.example/", "/account/"),
        ("/\\evil.example", "/account/"),
        ("javascript:alert(1)", "/account/"),
    ],
)
def test_after_log_in_the_way_goes_on_inside_the_shop(client: Client, alice: User, wanted: str, reached: str) -> None:
    assert log_in(client, next=wanted)["Location"] == reached


def test_the_account_asks_for_log_in_and_comes_back(client: Client) -> None:
    assert client.get("/account/")["Location"] == "/account/login/?next=%2Faccount%2F"


@pytest.mark.parametrize("address", ["/account/login/", "/account/register/"])
def test_who_is_logged_in_needs_no_form(client: Client, alice: User, sign_in: Any, address: str) -> None:
    sign_in(client, alice)

    assert client.get(address)["Location"] == "/account/"


def test_a_guests_cart_comes_along(client: Client, alice: User, product: Product) -> None:
    client.post("/cart/add/", {"product_id": product.id, "quantity": 2})
    guest_id = client.session["guest_id"]

    log_in(client)

    assert client.get("/cart/").context["basket"].units == 2
    assert baskets.look(guest_id) is None
    assert "guest_id" not in client.session
    assert client.session["cart"]["units"] == 2


@pytest.mark.parametrize(("rule", "refusal"), [("sessions.begin", SessionEnded()), ("reservations.join", Busy())])
def test_a_guest_who_is_not_let_in_keeps_their_cart(
    client: Client, alice: User, product: Product, monkeypatch: pytest.MonkeyPatch, rule: str, refusal: Exception
) -> None:
    client.post("/cart/add/", {"product_id": product.id, "quantity": 2})
    monkeypatch.setattr(f"inventory.{rule}", mock.Mock(side_effect=refusal))

    answer = log_in(client)

    assert answer["Location"] == "/account/login/"
    assert client.get("/account/").status_code == 302
    assert client.get("/cart/").context["basket"].units == 2
    assert accounts.find(alice.id).sessions == []  # type: ignore[union-attr]


def test_what_no_longer_fits_is_told(client: Client, alice: User, make_product: Any) -> None:
    product = make_product(stock=150)
    reservations.reserve(alice.id, product.id, quantity=60)
    client.post("/cart/add/", {"product_id": product.id, "quantity": 60})

    answer = log_in(client, next="/cart/")

    assert "alert--warning" in client.get(answer["Location"]).content.decode()
    assert catalogue.find(product.id).available == 51  # type: ignore[union-attr]


def test_logging_out_forgets_everything(client: Client, alice: User) -> None:
    log_in(client)

    answer = client.post("/account/logout/")

    assert answer["Location"] == "/"
    assert dict(client.session) == {}


def test_logging_out_is_a_deliberate_act(client: Client, alice: User) -> None:
    log_in(client)

    assert client.get("/account/logout/").status_code == 405
    assert "account_id" in client.session


def test_the_session_lasts_seven_days(client: Client, alice: User) -> None:
    log_in(client)

    assert client.cookies["sessionid"]["max-age"] == 7 * 24 * 3600


def test_every_form_needs_its_token(alice: User) -> None:
    careful = Client(enforce_csrf_checks=True)

    answer = log_in(careful)

    assert answer.status_code == 403
    assert "es wurde nichts geändert" in answer.content.decode()


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        ("/account/login/", {"password": "current-password"}),
        ("/account/register/", {"password": "new-password", "password_again": "new-password"}),
        ("/admin/login/", {"password": "current-password"}),
    ],
)
def test_passwords_are_hidden_and_may_come_from_a_manager(client: Client, page: str, fields: dict[str, str]) -> None:
    shown = client.get(page).content.decode()

    for name, kind in fields.items():
        field = re.search(rf'<input[^>]* name="{name}"[^>]*>', shown)
        assert field
        assert 'type="password"' in field[0]
        assert f'autocomplete="{kind}"' in field[0]
        assert "onpaste" not in field[0]

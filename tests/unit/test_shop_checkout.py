"""The checkout: its page, its form, and the one order that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from inventory import catalogue, orders
from inventory.models import Product, User

ADDRESS = {
    "name": "Alice Adler",
    "email": "alice@example.com",
    "street": "Ulmenweg 1",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}


@pytest.fixture
def guest(client: Client, product: Product) -> Client:
    """A guest with two units in the cart."""
    client.post("/cart/add/", {"product_id": product.id, "quantity": 2})
    return client


def token(client: Client) -> str:
    return client.get("/checkout/").context["basket"].token


def send(client: Client, **changes: Any) -> HttpResponse:
    return client.post("/checkout/", {**ADDRESS, "checkout_token": token(client), **changes})


def test_without_a_cart_there_is_nothing_to_check_out(client: Client) -> None:
    answer = client.get("/checkout/", follow=True)

    assert answer.redirect_chain == [("/cart/", 302)]
    assert "Ihr Warenkorb ist leer." in answer.content.decode()


def test_an_ended_hold_leads_back_to_the_cart(guest: Client, later: Callable[..., None]) -> None:
    later(hours=3)

    assert guest.get("/checkout/")["Location"] == "/cart/"


def test_the_button_stands_right_below_the_total_and_says_what_it_means(guest: Client) -> None:
    page = guest.get("/checkout/").content.decode()
    total, button = page.index("Gesamt inkl. MwSt."), page.index("Zahlungspflichtig bestellen")

    assert "199,98\N{NO-BREAK SPACE}€" in page[total:button]
    assert page[total:button].count("<p") == 0
    assert page.count("Zahlungspflichtig bestellen") == 1


def test_the_page_names_lines_terms_payment_and_delivery(guest: Client) -> None:
    page = guest.get("/checkout/").content.decode()

    for words in ("Laufschuh Luchs", "/info/terms/", "/info/withdrawal/", "Überweisung im Voraus", "2–4 Werktage"):
        assert words in page


def test_browsers_know_how_to_fill_in_the_form(guest: Client) -> None:
    page = guest.get("/checkout/").content.decode()

    for name in ("name", "email", "address-line1", "postal-code", "address-level2", "country"):
        assert f'autocomplete="{name}"' in page


def test_the_account_fills_in_what_it_knows(guest: Client, alice: User, sign_in: Any, product: Product) -> None:
    sign_in(guest, alice)
    guest.post("/cart/add/", {"product_id": product.id, "quantity": 1})

    form = guest.get("/checkout/").context["form"]

    assert (form["name"].value(), form["email"].value()) == ("Alice", "alice@example.com")


def test_ordering_sells_what_was_held(guest: Client, product: Product) -> None:
    answer = send(guest)

    left = catalogue.find(product.id)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/orders/")
    assert left is not None
    assert (left.stock, left.reserved, left.available) == (8, 0, 8)
    assert guest.session["cart"] is None


def test_sending_the_same_page_twice_gives_one_order(guest: Client, product: Product) -> None:
    form = {**ADDRESS, "checkout_token": token(guest)}

    first, second = guest.post("/checkout/", form), guest.post("/checkout/", form)

    assert first["Location"] == second["Location"]
    assert len(orders.list_for(guest.session["guest_id"])) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("email", "alice"),
        ("street", "\x00"),
        ("postal_code", "123"),
        ("postal_code", "1234x"),
        ("city", " "),
        ("country", "FR"),
        ("checkout_token", ""),
        ("checkout_token", "../x"),
    ],
)
def test_a_wrong_field_comes_back_with_what_was_typed(guest: Client, field: str, value: str) -> None:
    answer = send(guest, **{field: value})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert 'value="Ulmenweg 1"' in answer.content.decode() or field == "street"
    assert orders.list_for(guest.session["guest_id"]) == []


@pytest.mark.parametrize(("country", "postal_code"), [("AT", "1010"), ("CH", "8001")])
def test_postal_codes_are_those_of_the_country(guest: Client, country: str, postal_code: str) -> None:
    assert send(guest, country=country, postal_code=postal_code).status_code == 302


def test_errors_are_tied_to_their_fields(guest: Client) -> None:
    page = send(guest, postal_code="1").content.decode()

    assert 'href="#id_postal_code"' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_postal_code_error"' in page
    assert 'id="id_postal_code_error"' in page


def test_a_cart_that_changed_is_shown_first_and_the_address_is_kept(guest: Client, product: Product) -> None:
    old = token(guest)
    guest.post("/cart/update/", {"product_id": product.id, "quantity": 5})

    answer = send(guest, checkout_token=old)

    assert (answer.status_code, answer.context["basket"].units) == (409, 5)
    assert guest.get("/checkout/").context["form"]["street"].value() == "Ulmenweg 1"


def test_checkout_pages_are_kept_nowhere(guest: Client) -> None:
    assert "no-store" in guest.get("/checkout/")["Cache-Control"]

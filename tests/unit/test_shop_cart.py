"""The cart's page and its forms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from inventory import catalogue, products, reservations, stock
from inventory.models import Product

MakeProduct = Callable[..., Product]


def add(client: Client, product_id: str = "prod-1", quantity: object = 1) -> HttpResponse:
    return client.post("/cart/add/", {"product_id": product_id, "quantity": quantity})


def sentences(client: Client) -> list[str]:
    return [str(message) for message in client.get("/cart/").context["messages"]]


def test_a_guest_gets_an_id_with_the_first_product_only(client: Client, product: Product) -> None:
    client.get("/")
    assert "guest_id" not in client.session

    add(client)

    assert client.session["guest_id"].startswith("guest-")


def test_a_guest_who_presses_twice_before_the_first_answer_has_one_cart(client: Client, product: Product) -> None:
    client.get("/products/prod-1/")
    impatient = Client(enforce_csrf_checks=True)
    impatient.cookies["csrftoken"] = client.cookies["csrftoken"].value
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}

    for browser in (client, impatient):
        browser.post("/cart/add/", {"product_id": "prod-1", "quantity": 1, **token})

    assert client.session["guest_id"] == impatient.session["guest_id"]
    assert [hold.quantity for hold in stock.holds("prod-1")] == [2]


def test_after_log_out_a_guest_is_somebody_else(client: Client, product: Product) -> None:
    client.get("/products/prod-1/")
    add(client)
    before = client.session["guest_id"]
    client.post("/account/logout/")

    client.get("/products/prod-1/")
    add(client)

    assert client.session["guest_id"] != before


def test_adding_reserves_and_shows_the_cart(client: Client, product: Product) -> None:
    answer = add(client, quantity=2)

    assert answer["Location"] == "/cart/"
    assert catalogue.find(product.id).available == 8  # type: ignore[union-attr]
    assert sentences(client) == ["Liegt im Warenkorb und ist für Sie reserviert."]


def test_the_header_tells_units_and_total_on_every_page(client: Client, product: Product) -> None:
    add(client, quantity=2)

    page = client.get("/info/contact/").content.decode()

    assert "Warenkorb: 2 Artikel, 199,98\N{NO-BREAK SPACE}€" in page


def test_adding_more_than_there_are_leads_back_to_the_product(client: Client, product: Product) -> None:
    answer = add(client, quantity=11)

    assert answer["Location"] == "/products/prod-1/"
    assert "10" in sentences(client)[0]


@pytest.mark.parametrize("quantity", ["abc", "-1", "0", "", "1.5", "9" * 30, "\x00", "<b>"])
def test_a_bad_quantity_comes_back_on_the_product_page(client: Client, product: Product, quantity: str) -> None:
    answer = add(client, quantity=quantity)

    assert answer.status_code == 422
    assert answer.templates[0].name == "shop/product_detail.html"
    assert "Bitte prüfen Sie Ihre Angaben" in answer.content.decode()
    assert client.get("/cart/").context["basket"] is None


@pytest.mark.parametrize("product_id", ["", "../etc", "x" * 65, "\x00", "ä"])
def test_an_impossible_product_comes_back_on_the_cart_page(client: Client, product_id: str) -> None:
    answer = add(client, product_id)

    assert answer.status_code == 422
    assert answer.templates[0].name == "shop/cart.html"


def test_an_unknown_product_is_not_found(client: Client) -> None:
    assert add(client, "nope").status_code == 404


def test_a_bad_form_does_not_make_anybody_a_guest(client: Client, product: Product) -> None:
    add(client, quantity="abc")

    assert "guest_id" not in client.session


def test_a_line_gets_another_quantity(client: Client, product: Product) -> None:
    add(client)

    client.post("/cart/update/", {"product_id": product.id, "quantity": 4})

    assert client.get("/cart/").context["basket"].units == 4


def test_a_line_with_quantity_zero_goes(client: Client, product: Product) -> None:
    add(client)

    client.post("/cart/update/", {"product_id": product.id, "quantity": 0})

    assert client.get("/cart/").context["basket"] is None


def test_a_bad_quantity_of_a_line_keeps_what_was_typed(client: Client, product: Product) -> None:
    add(client)

    answer = client.post("/cart/update/", {"product_id": product.id, "quantity": "viele"})

    assert answer.status_code == 422
    assert 'value="viele"' in answer.content.decode()
    assert "ganze Zahl ab 1" in answer.content.decode()


def test_a_line_that_is_not_there_cannot_change(client: Client, product: Product) -> None:
    client.post("/cart/update/", {"product_id": product.id, "quantity": 2})

    assert sentences(client) == ["Ihr Warenkorb ist leer."]


def test_a_removed_line_can_be_put_back(client: Client, product: Product) -> None:
    add(client, quantity=3)

    client.post("/cart/remove/", {"product_id": product.id, "quantity": 3})
    page = client.get("/cart/")

    assert catalogue.find(product.id).available == 10  # type: ignore[union-attr]
    assert page.context["removed"] == {"product_id": "prod-1", "quantity": 3}
    assert "Aus Versehen entfernt?" in page.content.decode()
    assert client.get("/cart/").context["removed"] is None


def test_removing_without_saying_what_is_refused(client: Client, product: Product) -> None:
    add(client)

    assert client.post("/cart/remove/").status_code == 422
    assert client.get("/cart/").context["basket"].units == 1


def test_the_page_says_until_when_the_cart_is_held(client: Client, product: Product) -> None:
    add(client)

    page = client.get("/cart/").content.decode()

    assert "Für Sie reserviert bis" in page
    assert 'action="/cart/extend/"' in page
    assert 'href="/checkout/"' in page


def test_extending_starts_the_hold_anew(client: Client, product: Product, later: Callable[..., None]) -> None:
    add(client)
    later(minutes=100)

    client.post("/cart/extend/")

    assert client.get("/cart/").context["basket"].minutes_left >= 119


def test_an_ended_hold_offers_to_reserve_again(client: Client, product: Product, later: Callable[..., None]) -> None:
    add(client)
    later(hours=3)

    page = client.get("/cart/").content.decode()

    assert "Ihre Reservierung ist abgelaufen" in page
    assert 'action="/cart/reserve/"' in page
    assert 'href="/checkout/"' not in page


@pytest.mark.parametrize("price_cents", [9999, 8999])
def test_adding_when_the_hold_has_ended_holds_all_at_the_prices_of_today(
    client: Client, make_product: MakeProduct, later: Callable[..., None], price_cents: int
) -> None:
    make_product(id="prod-1"), make_product(id="prod-2")
    add(client, "prod-1", quantity=2)
    later(hours=3)
    products.save("prod-1", version=1, by="dana", price_cents=price_cents)

    add(client, "prod-2")

    basket = client.get("/cart/").context["basket"]
    assert basket.is_held
    assert basket.total_cents == 2 * price_cents + 9999


def test_reserving_again_says_what_became_less(
    client: Client, product: Product, later: Callable[..., None], bob: object
) -> None:
    add(client, quantity=8)
    later(hours=3)
    reservations.reserve("bob", product.id, quantity=5)

    client.post("/cart/reserve/")

    assert client.get("/cart/").context["basket"].units == 5
    assert client.get("/cart/").context["basket"].is_held


@pytest.mark.parametrize("address", ["/cart/extend/", "/cart/reserve/"])
def test_a_visitor_without_a_cart_is_told_so(client: Client, address: str) -> None:
    assert client.post(address)["Location"] == "/cart/"
    assert sentences(client) == ["Ihr Warenkorb ist leer."]


def test_a_lower_price_is_said_at_the_line(client: Client, make_product: MakeProduct) -> None:
    product = make_product(price_cents=9999)
    add(client)
    product.update(actions=[Product.price_cents.set(7999)])

    page = client.get("/cart/").content.decode()

    assert page.count("79,99\N{NO-BREAK SPACE}€") >= 2
    assert "Der Preis beträgt jetzt" in page or "Der Preis ist jetzt" in page


def test_two_guests_have_two_carts(client: Client, product: Product) -> None:
    add(client)

    assert Client().get("/cart/").context["basket"] is None

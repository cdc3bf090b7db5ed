"""The home page, the catalogue and its products, as a visitor sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from inventory.models import Product, ProductText, Translations

MakeProduct = Callable[..., Product]


@pytest.fixture
def shelf(make_product: MakeProduct) -> None:
    make_product(id="luchs", name="Laufschuh Luchs", price_cents=9999, category="shoes")
    make_product(id="dachs", name="Wanderstiefel Dachs", price_cents=19999, category="shoes", stock=3)
    make_product(id="fuchs", name="Laufshirt Fuchs", price_cents=2999, category="apparel", stock=0)


def names(answer: object) -> list[str]:
    return [product.id for product, _ in answer.context["cards"]]  # type: ignore[attr-defined]


def test_home_shows_categories_bestsellers_and_promises(client: Client, shelf: None) -> None:
    page = client.get("/")

    assert page.status_code == 200
    assert {product.id for product, _ in page.context["bestsellers"]} == {"luchs", "dachs", "fuchs"}
    assert "/products/?category=shoes" in page.content.decode()


def test_home_of_an_empty_shop_stands(client: Client) -> None:
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"luchs", "dachs", "fuchs"}),
        ("q=lauf", {"luchs", "fuchs"}),
        ("category=shoes", {"luchs", "dachs"}),
        ("min_price=29,99&max_price=99.99", {"luchs", "fuchs"}),
        ("max_price=30 €", {"fuchs"}),
        ("in_stock=1", {"luchs", "dachs"}),
        ("q=gibtsnicht", set()),
    ],
)
def test_filters_narrow_the_list(client: Client, shelf: None, query: str, found: set[str]) -> None:
    answer = client.get(f"/products/?{query}")

    assert answer.status_code == 200
    assert set(names(answer)) == found


def test_list_is_sorted_as_asked(client: Client, shelf: None) -> None:
    assert names(client.get("/products/?sort=price")) == ["fuchs", "luchs", "dachs"]


def test_every_filter_that_is_on_can_be_taken_off(client: Client, shelf: None) -> None:
    page = client.get("/products/?q=lauf&category=shoes&in_stock=1").content.decode()

    assert 'href="/products/?q=lauf&amp;category=shoes"' in page
    assert 'href="/products/?q=lauf&amp;in_stock=1"' in page
    assert 'href="/products/?category=shoes&amp;in_stock=1"' in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("min_price=abc", "Bitte schreiben Sie den Preis in Euro"),
        ("min_price=20&max_price=10", "Der höchste Preis liegt unter dem niedrigsten."),
        ("min_price=9999999999", "Bitte schreiben Sie den Preis in Euro"),
        ("category=unknown", "Diese Kategorie gibt es nicht."),
        ("sort=foo", "Diese Sortierung gibt es nicht."),
        ("page=-5", "Diese Seite gibt es nicht."),
        ("page=two", "Diese Seite gibt es nicht."),
        (f"q={'x' * 101}", "höchstens 100 Zeichen"),
        ("q=%00", "Nullzeichen"),
    ],
)
def test_a_filter_that_makes_no_sense_is_said_and_left_out(
    client: Client, shelf: None, query: str, sentence: str
) -> None:
    answer = client.get(f"/products/?{query}")

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert len(names(answer)) == 3


def test_a_page_past_the_end_is_not_found(client: Client, shelf: None) -> None:
    assert client.get("/products/?page=2").status_code == 404


def test_pages_keep_the_filters(client: Client, make_product: MakeProduct) -> None:
    for number in range(25):
        make_product(id=f"p-{number}", name=f"Socke {number}")

    page = client.get("/products/?q=socke").content.decode()

    assert 'href="/products/?q=socke&amp;page=2"' in page


def test_an_empty_result_says_what_to_do_next(client: Client, shelf: None) -> None:
    page = client.get("/products/?q=gibtsnicht&in_stock=1").content.decode()

    assert "Dazu passt nichts" in page
    assert 'href="/products/?q=gibtsnicht"' in page


def test_a_sold_out_product_stays_listed_and_says_so(client: Client, shelf: None) -> None:
    page = client.get("/products/?q=fuchs").content.decode()

    assert "Ausverkauft" in page


def test_product_page_has_what_a_buyer_asks(client: Client, shelf: None) -> None:
    page = client.get("/products/dachs/").content.decode()

    assert "Wanderstiefel Dachs" in page
    assert "199,99\N{NO-BREAK SPACE}€" in page
    assert "inkl. MwSt." in page
    assert "3" in page
    assert 'action="/cart/add/"' in page


def test_a_sold_out_product_cannot_be_put_into_the_cart(client: Client, shelf: None) -> None:
    page = client.get("/products/fuchs/").content.decode()

    assert "Ausverkauft" in page
    assert 'action="/cart/add/"' not in page


def test_product_page_speaks_the_visitors_language(client: Client, make_product: MakeProduct) -> None:
    english = Translations(en=ProductText(name="Lynx running shoe", description="Fast."))
    make_product(id="luchs", name="Laufschuh Luchs", translations=english)

    page = client.get("/products/luchs/", headers={"accept-language": "en"}).content.decode()

    assert "Lynx running shoe" in page
    assert "€99.99" in page


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_a_product_that_is_not_for_sale_is_not_found(client: Client, make_product: MakeProduct, status: str) -> None:
    make_product(id="luchs", status=status)

    assert client.get("/products/luchs/").status_code == 404


def test_product_texts_are_escaped(client: Client, make_product: MakeProduct) -> None:
    make_product(id="luchs", name="<b>fett</b>", description="<script>alert(1)</script>")

    page = client.get("/products/luchs/").content.decode()

    assert "<b>fett</b>" not in page
    assert "<script>alert" not in page


def test_a_facet_without_values_is_left_out(client: Client, product: Product) -> None:
    """A heading with nothing under it would be all that an empty answer's filters have to say."""
    found = client.get("/products/", {"q": "laufschuh"}).content.decode()
    nothing = client.get("/products/", {"q": "zzzzqqqq"}).content.decode()

    assert 'id="filter-category"' in found
    assert 'id="filter-' not in nothing

"""What every page of the shop has in common: frame, languages, legal pages, error pages."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from ecokart import icons
from inventory.models import Product
from shop.views.info import TITLES

PAGES = [
    "/",
    "/products/",
    "/products/prod-1/",
    "/cart/",
    "/orders/",
    "/account/login/",
    "/account/register/",
    "/account/password/forgotten/",
    "/account/verify/",
]
INFO = [f"/info/{slug}/" for slug in TITLES]
STYLES = ["tokens", "base", "components", "shop"]


@pytest.mark.parametrize("address", [*PAGES, *INFO, "/nowhere/"])
def test_every_page_has_one_heading_a_skip_link_and_the_legal_links(
    client: Client, product: Product, address: str
) -> None:
    page = client.get(address).content.decode()

    assert len(re.findall(r"<h1[ >]", page)) == 1
    assert 'class="skip-link" href="#main"' in page
    for slug in TITLES:
        assert f'href="/info/{slug}/"' in page


@pytest.mark.parametrize("address", [*PAGES, *INFO, "/nowhere/"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_no_page_has_inline_styles_or_scripts(client: Client, product: Product, address: str, language: str) -> None:
    page = client.get(address, headers={"accept-language": language}).content.decode()

    assert not re.search(r"<[^>]+ (style|on[a-z]+)=", page)
    assert "<style" not in page
    assert all(' src="' in script for script in re.findall(r"<script[^>]*>", page))


@pytest.mark.parametrize("address", [*PAGES, *INFO])
def test_ids_are_unique_and_labels_lead_somewhere(client: Client, product: Product, address: str) -> None:
    page = client.get(address).content.decode()
    ids = re.findall(r' id="([^"]+)"', page)

    assert len(ids) == len(set(ids))
    for target in re.findall(r' (?:for|aria-labelledby|aria-describedby)="([^"]+)"', page):
        assert target in ids


@pytest.mark.parametrize("address", PAGES)
def test_first_view_stays_within_its_budget(client: Client, product: Product, address: str) -> None:
    assert len(gzip.compress(client.get(address).content)) <= 14 * 1024


def test_styles_and_script_stay_within_their_budget() -> None:
    static = Path(settings.BASE_DIR) / "static"
    styles = b"".join((static / "css" / f"{name}.css").read_bytes() for name in STYLES)

    assert len(gzip.compress(styles)) <= 15 * 1024
    assert len((static / "js" / "shop.js").read_bytes()) <= 6 * 1024


@pytest.mark.parametrize(("accepts", "language"), [("de", "de"), ("en-GB", "en"), ("fr", "de"), ("", "de")])
def test_the_browser_chooses_the_language(client: Client, accepts: str, language: str) -> None:
    page = client.get("/", headers={"accept-language": accepts}).content.decode()

    assert f'<html lang="{language}">' in page


def test_the_switch_beats_the_browser_and_leads_back(client: Client) -> None:
    answer = client.post("/language/", {"language": "en", "next": "/products/?q=lauf"})

    page = client.get("/products/").content.decode()

    assert answer["Location"] == "/products/?q=lauf"
    assert '<html lang="en">' in page
    assert "All products" in page


def test_a_page_that_answered_a_form_lets_the_switch_lead_somewhere(client: Client, product: Product) -> None:
    page = client.post("/cart/add/", {"product_id": product.id, "quantity": "abc"}).content.decode()

    assert f'name="next" value="/products/{product.id}/"' in page


@pytest.mark.parametrize("slug", TITLES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_legal_pages_are_written_in_both_languages(client: Client, slug: str, language: str) -> None:
    page = client.get(f"/info/{slug}/", headers={"accept-language": language})

    assert page.status_code == 200
    assert any(template.name == f"shop/info/{language}/{slug}.html" for template in page.templates)


def test_the_withdrawal_page_has_the_model_form(client: Client) -> None:
    assert "Muster-Widerrufsformular" in client.get("/info/withdrawal/").content.decode()


@pytest.mark.parametrize(
    "address", ["/nowhere/", "/info/nothing/", "/products/nothing/", "/orders/nothing/", "/info/a_b/"]
)
def test_what_is_not_there_is_said_in_the_shops_frame(client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 404
    assert "Hier ist nichts" in answer.content.decode()
    assert 'name="q"' in answer.content.decode()


def test_the_page_for_our_mistakes_needs_no_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError

    monkeypatch.setattr("inventory.catalogue.highlights", broken)
    client.raise_request_exception = False

    answer = client.get("/")

    assert answer.status_code == 500
    assert "Das war unser Fehler" in answer.content.decode()


def test_icons_that_pages_ask_for_are_in_the_sprite() -> None:
    sprite = (Path(settings.BASE_DIR) / "templates" / "icons.svg").read_text()
    templates = (Path(settings.BASE_DIR) / "templates").rglob("*.html")
    asked = {name for page in templates for name in re.findall(r'{% icon "([^"]+)"', page.read_text())}

    assert {name for name in asked if f'id="{name}"' not in sprite} == set()


def test_the_file_of_drawings_may_be_kept_for_good(client: Client) -> None:
    answer = client.get(icons.address())

    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b'id="cart"' in answer.content


def test_the_switch_never_leads_to_an_address_that_only_takes_forms(client: Client) -> None:
    page = client.post("/cart/add/", {"product_id": "nothing", "quantity": 1}).content.decode()

    assert 'name="next" value="/"' in page

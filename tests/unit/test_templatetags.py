"""How prices, moments, stock and pictures look on every page."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.template import engines
from django.test.utils import override_script_prefix
from django.urls import reverse
from django.utils import translation

from ecokart.templatetags import ecokart as tags
from inventory.models import Product, ProductText, Translations

NBSP = "\N{NO-BREAK SPACE}"
HOSTILE = '"><script>alert(1)</script>'
KEY = "products/0123456789abcdef0123"


def rendered(source: str, **context: object) -> str:
    return engines["django"].from_string(source).render(context)


def test_templates_need_no_load():
    with translation.override("en"):
        assert rendered("{{ cents|price }}", cents=14999) == "€149.99"


# Moments


def test_a_moment_is_shown_in_german_at_berlin_time_in_winter():
    with translation.override("de"):
        shown = tags.when(datetime(2026, 11, 22, 13, 32, 59, tzinfo=UTC))

    assert shown == f'<time datetime="2026-11-22T14:32+01:00">22.11.2026, 14:32{NBSP}Uhr</time>'


def test_a_moment_is_shown_in_english_at_berlin_time_in_summer():
    with translation.override("en"):
        shown = tags.when(datetime(2026, 7, 5, 22, 5, tzinfo=UTC))

    assert shown == '<time datetime="2026-07-06T00:05+02:00">6 Jul 2026, 00:05</time>'


def test_no_moment_shows_nothing():
    assert tags.when(None) == ""


# Stock


@pytest.mark.parametrize(
    ("available", "words", "level"),
    [
        (-1, "Sold out", "out"),
        (0, "Sold out", "out"),
        (1, "Only 1 left", "few"),
        (5, "Only 5 left", "few"),
        (6, "In stock", "in"),
        (223, "In stock", "in"),
    ],
)
def test_stock_is_told_in_words(available: int, words: str, level: str):
    with translation.override("en"):
        assert tags.stock_words(available) == words

    assert tags.stock_level(available) == level


def test_lookup_gives_what_stands_under_a_key_or_nothing():
    assert rendered("{{ stock|lookup:id }}", stock={"a": 3}, id="a") == "3"
    assert tags.lookup({"a": 3}, "b") is None


# Drawings


def test_an_icon_is_hidden_from_who_cannot_see_it():
    shown = rendered('{% icon "cart" %}')

    assert 'aria-hidden="true"' in shown
    assert re.search(r'href="/icons-\w+\.svg#cart"', shown)


def test_drawings_come_from_the_shops_own_address_with_its_prefix():
    before = tags.icon("cart")
    with override_script_prefix("/dev/"):
        behind = tags.icon("cart")

    assert behind == before.replace('"/icons-', '"/dev/icons-')


def test_an_icons_name_cannot_break_out():
    assert "<script>" not in tags.icon(HOSTILE)


# Addresses


@pytest.mark.parametrize("prefix", ["/", "/dev/"])
def test_a_products_address_is_the_one_that_django_finds(prefix: str):
    with override_script_prefix(prefix):
        shown = tags.product_url("prod-1_A")

        assert shown == reverse("shop:product-detail", args=["prod-1_A"])


def test_what_is_no_products_id_leads_nowhere_else():
    assert tags.product_url('../admin?"<') == "/products/..%2Fadmin%3F%22%3C/"


# Pictures


def with_picture(**fields: object) -> Product:
    return Product("p", **{"name": "Laufschuh", "image_url": KEY, **fields})


def test_a_picture_comes_in_modern_formats_and_two_widths():
    shown = rendered('{% picture product "card" %}', product=with_picture())

    assert shown.index("image/avif") < shown.index("image/webp") < shown.index("<img")
    for kind in ("avif", "webp", "jpg"):
        assert f"{KEY}-400.{kind} 400w" in shown
        assert f"{KEY}-800.{kind} 800w" in shown
    assert tags.SIZES["card"] in shown


def test_a_picture_keeps_its_place_while_it_loads():
    shown = tags.picture(with_picture(), "card")

    assert 'width="800" height="1000"' in shown
    assert 'loading="lazy"' in shown


def test_the_first_picture_of_a_page_is_fetched_at_once():
    shown = tags.picture(with_picture(), "detail", eager=True)

    assert 'loading="eager"' in shown
    assert "lazy" not in shown


def test_a_picture_is_described_in_the_active_language():
    english = Translations(en=ProductText(name="Running shoe"))

    with translation.override("en"):
        assert 'alt="Running shoe"' in tags.picture(with_picture(translations=english), "card")


def test_a_picture_beside_its_name_can_be_silent():
    assert 'alt=""' in tags.picture(with_picture(), "card", alt="")


def test_the_picture_of_an_order_line_needs_no_product():
    shown = tags.picture(None, "thumb", image_url=KEY, alt="Laufschuh")

    assert f"{KEY}-400.avif" in shown
    assert 'alt="Laufschuh"' in shown


def test_a_picture_of_nothing_says_nothing():
    assert 'alt=""' in tags.picture(None, "thumb")


@pytest.mark.parametrize("image_url", ["", "/pics/shoe1.jpg", "https://evil.example/x.jpg", "javascript:alert(1)"])
def test_a_drawing_stands_in_for_a_picture_that_is_not_ours(image_url: str):
    shown = tags.picture(with_picture(image_url=image_url), "card")

    assert "img/no-picture.svg" in shown
    assert 'alt="Laufschuh"' in shown
    assert "<picture" not in shown
    assert not image_url or image_url not in shown


@pytest.mark.parametrize("image_url", [KEY, ""])
def test_a_products_name_cannot_break_out_of_its_picture(image_url: str):
    shown = tags.picture(with_picture(name=HOSTILE, image_url=image_url), "card")

    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_a_pictures_key_cannot_break_out():
    shown = tags.picture(None, "thumb", image_url=f"products/{HOSTILE}")

    assert "<script>" not in shown
    assert shown.count("<") == shown.count(">") == 5


# What is the same for everybody


def test_what_is_common_is_made_once_for_the_values_that_it_shows(monkeypatch: pytest.MonkeyPatch):
    made = list[int]()
    monkeypatch.setattr(tags, "_price", lambda cents, _language: str(made.append(cents) or cents))
    table = engines["django"].from_string(
        "{% for a in all %}{% common cents=a %}<td>{{ cents|price }}</td>{% endcommon %}{% endfor %}"
    )

    first, second = (table.render({"all": some}) for some in ([1, 2, 1], [2, 3]))

    assert (first, second) == ("<td>1</td><td>2</td><td>1</td>", "<td>2</td><td>3</td>")
    assert made == [1, 2, 3]


def test_what_is_common_knows_nothing_of_its_visitor():
    assert (
        rendered("{% common a=name %}{{ a }}{{ name }}{{ csrf_token }}{% endcommon %}", name="<Dana>") == "&lt;Dana&gt;"
    )


def test_what_is_common_is_made_for_each_language():
    shown, page = [], engines["django"].from_string("{% common %}{{ 5|price }}{% endcommon %}")
    for language in ("de", "en"):
        with translation.override(language):
            shown.append(page.render())

    assert shown == [f"0,05{NBSP}€", "€0.05"]

"""The catalogue as people look through it: filters that combine, what is on and comes off again, words that suggest."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.visitor import Visitor

with_script = pytest.mark.parametrize("javascript", [True], ids=["with-js"])
without_script = pytest.mark.parametrize("javascript", [False], ids=["without-js"])


def told(visitor: Visitor) -> int:
    """How many products the page says that there are."""
    said = visitor.page.locator("main [role=status]").inner_text()
    return int(re.sub(r"\D", "", said))


def facet(visitor: Visitor, name: str) -> Locator:
    """The values of a facet that have a number."""
    return visitor.page.locator(f"nav[aria-labelledby=filter-{name}] a", has=visitor.page.locator(".number"))


def promised(link: Locator) -> int:
    """The number behind a filter's name."""
    return int(re.sub(r"\D", "", link.locator(".number").inner_text()))


def chips(visitor: Visitor) -> Locator:
    return visitor.page.locator("main .chip")


def type_into_the_search(visitor: Visitor, words: str) -> Locator:
    """Type at a person's pace; gives the list of suggestions."""
    field = visitor.page.get_by_role("search").locator("input[name=q]")
    field.click()
    field.press_sequentially(words, delay=20)
    suggestions = visitor.page.locator("#suggestions")
    expect(suggestions.get_by_role("option").first).to_be_visible()
    return suggestions


@pytest.mark.parametrize("language", ["de", "en"])
def test_each_filter_shows_as_many_products_as_it_promised(new_visitor: Callable[..., Visitor], language: str) -> None:
    visitor = new_visitor(language=language)
    visitor.open("/products/")
    # No other test puts apparel on the shelf: the demo's is one page.
    apparel = facet(visitor, "category").filter(has_text=visitor.words("Apparel"))
    for number_of_chips, link in enumerate((apparel, facet(visitor, "price").first), start=1):
        number = promised(link)
        link.click()

        expect(chips(visitor)).to_have_count(number_of_chips)
        expect(visitor.page.locator("main article")).to_have_count(number)
        assert told(visitor) == number


def test_a_filter_is_taken_off_by_its_chip_and_the_others_stay(visitor: Visitor) -> None:
    visitor.open("/products/?category=shoes&max_price=100&q=laufschuh")
    before = told(visitor)

    chips(visitor).filter(has_text=visitor.words("Shoes")).click()

    expect(chips(visitor)).to_have_count(2)
    visitor.is_at(r"/products/\?q=laufschuh&max_price=100$")
    assert told(visitor) >= before


def test_a_price_of_ones_own_is_typed(visitor: Visitor) -> None:
    visitor.open("/products/?category=shoes")
    visitor.fill(min_price="60", max_price="129,99")
    visitor.press("Apply")

    visitor.is_at(r"/products/\?category=shoes&min_price=60")
    expect(chips(visitor)).to_have_count(2)


def test_nothing_found_offers_shorter_queries_that_find_something(visitor: Visitor) -> None:
    visitor.open("/products/?q=laufschuh+zzzzqqqq")
    visitor.sees_words("Nothing fits all of that")

    visitor.page.locator("main .empty").get_by_role("link", name="laufschuh").click()

    assert visitor.page.locator("main article").count() > 0


@with_script
def test_words_are_suggested_and_the_arrows_and_enter_take_one(visitor: Visitor) -> None:
    visitor.open("/")
    suggestions = type_into_the_search(visitor, "laufs")

    visitor.page.keyboard.press("ArrowDown")
    chosen = suggestions.locator("[aria-selected=true]")
    expect(chosen).to_have_count(1)
    address = chosen.locator("a").get_attribute("href")
    visitor.page.keyboard.press("Enter")

    visitor.is_at(re.escape(str(address)) + "$")


@with_script
def test_escape_closes_the_suggestions_and_enter_searches_for_what_was_typed(visitor: Visitor) -> None:
    visitor.open("/")
    suggestions = type_into_the_search(visitor, "laufs")

    visitor.page.keyboard.press("Escape")
    expect(suggestions).to_be_hidden()
    visitor.page.keyboard.press("Enter")

    visitor.is_at(r"/products/\?q=")


@with_script
def test_a_suggested_product_is_opened_by_a_click(visitor: Visitor) -> None:
    visitor.open("/")
    suggestions = type_into_the_search(visitor, "morgenr")

    suggestions.get_by_role("option", name="Morgenrunde").first.click()

    visitor.is_at("/products/.+")


@without_script
def test_without_a_script_the_search_is_a_plain_form(visitor: Visitor) -> None:
    visitor.open("/")
    visitor.page.get_by_role("search").locator("input[name=q]").fill("morgenrunde")
    visitor.page.keyboard.press("Enter")

    expect(visitor.page.locator("#suggestions")).to_have_count(0)
    expect(visitor.page.locator("main article").first).to_contain_text("Morgenrunde")

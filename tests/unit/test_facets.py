"""Facets count right under every combination of filters, and pages show everything once, at any order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from inventory import catalogue
from inventory.catalogue import PER_PAGE, PRICE_RANGES, RATINGS
from inventory.categories import CATEGORIES
from inventory.replica.store import Replica

WORDS = ["luchs", "dachs", "fuchs", "adler"]
SORTS = ["relevance", "price", "-price", "-rating", "new", "name", "-updated"]
STATUSES = ("active", "draft", "archived")
MOST_CENTS = 300_00

goods = st.fixed_dictionaries(
    {
        "words": st.lists(st.sampled_from(WORDS), max_size=3),
        "price": st.integers(0, MOST_CENTS),
        "category": st.sampled_from([*CATEGORIES, "other", ""]),
        "rating": st.sampled_from([None, "0", "2.9", "3", "3.5", "4", "4.9", "5"]),
        "status": st.sampled_from(("active", "active", *STATUSES)),
        "stocked": st.booleans(),
    }
)
asked = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from([*WORDS, "luchs dachs", ""]),
        "category": st.sampled_from([*CATEGORIES, ""]),
        "min_cents": st.none() | st.integers(0, MOST_CENTS),
        "max_cents": st.none() | st.integers(0, MOST_CENTS),
        "rating": st.sampled_from([None, *RATINGS]),
        "in_stock": st.booleans(),
        "sort": st.sampled_from(SORTS),
    },
)


def raw(number: int, product: dict[str, Any], *, moment: int = 0) -> dict[str, Any]:
    rating = {"rating": {"N": product["rating"]}} if product["rating"] else {}
    return {
        "id": {"S": f"p-{number:03}"},
        "name": {"S": " ".join(product["words"])},
        "price": {"N": f"{product['price'] / 100:.2f}"},
        "category": {"S": product["category"]},
        "createdAt": {"S": f"2026-01-01T00:00:{number % 60:02}.000000Z"},
        "updatedAt": {"S": f"2026-01-02T00:00:00.{moment:06}Z"},
        "status": {"S": product["status"]},
        **rating,
    }


def mark(number: int, product: dict[str, Any], *, moment: int = 0) -> dict[str, Any]:
    at = {"S": f"2026-01-02T00:00:00.{moment:06}Z"}
    return {"id": {"S": f"p-{number:03}"}, "availabilityAt": at, **({"inStockSince": at} if product["stocked"] else {})}


def fits(product: dict[str, Any], wanted: dict[str, Any], *, without: str = "") -> bool:
    """The naive filter: one product after the other, by what each was asked for."""
    least, most = wanted.get("min_cents"), wanted.get("max_cents")
    checks = {
        "query": all(word in product["words"] for word in wanted.get("query", "").split()),
        "category": not wanted.get("category") or product["category"] == wanted["category"],
        "price": (least is None or product["price"] >= least) and (most is None or product["price"] <= most),
        "rating": not wanted.get("rating") or float(product["rating"] or 0) >= wanted["rating"],
        "in_stock": not wanted.get("in_stock") or product["stocked"],
    }
    return product["status"] == "active" and all(fit for name, fit in checks.items() if name != without)


def counted(shelf: list[dict[str, Any]], wanted: dict[str, Any]) -> dict[str, list[int]]:
    def count(without: str, **choice: Any) -> int:
        return sum(fits(one, wanted, without=without) and fits(one, choice) for one in shelf)

    return {
        "categories": [count("category", category=slug) for slug in CATEGORIES],
        "prices": [count("price", min_cents=least, max_cents=most) for least, most in PRICE_RANGES],
        "ratings": [count("rating", rating=stars) for stars in RATINGS],
        "in_stock": [count("in_stock", in_stock=True)],
    }


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Replica:
    """A copy of the catalogue without a database behind it."""
    replica = Replica()
    monkeypatch.setattr(catalogue, "_follower", _Still(replica))
    monkeypatch.setattr(catalogue.live_stock, "of", _one_each)
    return replica


class _Still:
    def __init__(self, replica: Replica) -> None:
        self.replica = replica

    def fresh(self) -> Replica:
        return self.replica


def everything_shown(wanted: dict[str, Any]) -> list[str]:
    first = catalogue.search(**wanted, per_page=7)
    pages = [catalogue.search(**wanted, per_page=7, page=page) for page in range(1, first.pages + 1)]
    return [one.id for page in pages for one in page.products]


def naive_order(shelf: list[dict[str, Any]], wanted: dict[str, Any], *, changed: Collection[int] = ()) -> list[str]:
    keys = {
        "price": lambda one: (shelf[one]["price"], one),
        "-price": lambda one: (-shelf[one]["price"], one),
        "new": lambda one: (-(one % 60), one),
        "name": lambda one: (" ".join(shelf[one]["words"]), one),
        "-updated": lambda one: (one not in changed, one),
        "-rating": lambda one: (-float(shelf[one]["rating"] or 0), one),
    }
    words = wanted.get("query", "").split()
    # Every word that is found stands in the name, so relevance is the rating alone.
    key = keys.get(wanted.get("sort", "relevance"), keys["-rating"])
    assert all(word in WORDS for word in words)
    return [f"p-{one:03}" for one in sorted((n for n, p in enumerate(shelf) if fits(p, wanted)), key=key)]


@hypothesis.given(shelf=st.lists(goods, max_size=40), wanted=asked, data=st.data())
@hypothesis.settings(max_examples=150, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_facets_and_pages_are_those_of_the_naive_filter(
    monkeypatch: pytest.MonkeyPatch, shelf: list[dict[str, Any]], wanted: dict[str, Any], data: st.DataObject
):
    """Also after products have changed, sold out and come back: the copy is patched, the naive filter starts anew."""
    replica = Replica()
    monkeypatch.setattr(catalogue, "_follower", _Still(replica))
    monkeypatch.setattr(catalogue.live_stock, "of", _one_each)
    before = [data.draw(goods) if data.draw(st.booleans()) else one for one in shelf]
    replica.mark(mark(number, one) for number, one in enumerate(before))
    half = data.draw(st.integers(0, len(before)))
    replica.add(raw(number, one) for number, one in enumerate(before[:half]))
    replica.add(raw(number, one) for number, one in enumerate(before[half:], start=half))
    replica.show()
    if shelf:
        catalogue.search(**wanted)
    changed = [number for number, one in enumerate(shelf) if before[number] is not one]
    replica.take(raw(number, shelf[number], moment=1) for number in changed)
    replica.mark(mark(number, shelf[number], moment=1) for number in changed)

    facets = catalogue.search(**wanted).facets

    found = {
        "categories": [one.count for one in facets.categories],
        "prices": [one.count for one in facets.prices],
        "ratings": [one.count for one in facets.ratings],
        "in_stock": [facets.in_stock.count],
    }
    assert found == counted(shelf, wanted)
    assert everything_shown(wanted) == naive_order(shelf, wanted, changed=changed)


def _one_each(product_ids: list[str]) -> dict[str, int]:
    return dict.fromkeys(product_ids, 1)


def test_a_chosen_value_says_that_it_is_chosen(shop: Replica):
    shop.take([raw(1, {"words": [], "price": 60_00, "category": "shoes", "rating": "4", "status": "active"})])

    facets = catalogue.search(category="shoes", min_cents=50_00, max_cents=99_99, rating=4, in_stock=True).facets

    every = [*facets.categories, *facets.prices, *facets.ratings, facets.in_stock]
    assert [one.filters for one in every if one.is_chosen] == [
        {"category": "shoes"},
        {"min_cents": 50_00, "max_cents": 99_99},
        {"rating": 4},
        {"in_stock": True},
    ]


@pytest.mark.parametrize("sort", ["relevance", "price", "new"])
def test_deep_pages_and_wide_results_keep_their_order(shop: Replica, sort: str):
    """More products than are sorted one by one, in more pages than are walked through from the first."""
    ware = {"words": ["luchs"], "category": "shoes", "rating": "4", "status": "active", "stocked": True}
    shelf = [{**ware, "price": 100 + number * 37 % 999} for number in range(600)]
    shop.take(raw(number, one) for number, one in enumerate(shelf[:450]))
    catalogue.search(sort=sort)
    for number, one in enumerate(shelf[450:], start=450):
        shop.take([raw(number, one)])

    listings = [catalogue.search(query="luchs", sort=sort, page=page) for page in range(1, 600 // PER_PAGE + 1)]

    shown = [one.id for listing in listings for one in listing.products]
    assert shown == naive_order(shelf, {"query": "luchs", "sort": sort})

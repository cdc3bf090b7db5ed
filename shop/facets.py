"""What a list can be narrowed to, as links: facets with their counts, the chips of what is on, canonical addresses."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from inventory.catalogue import CATEGORIES, Choice, Filters, Listing
from inventory.money import euros
from shop.forms import Question

_REST = ("category", "min_cents", "max_cents", "rating", "in_stock", "sort", "page")


@dataclass(frozen=True)
class Link:
    """One value of a facet: where it leads, and how many products are there."""

    url: str
    label: str
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class Group:
    """A facet. ``every`` leads to the same list without it."""

    name: str
    title: str
    every: Link | None
    links: list[Link]


def groups(listing: Listing, question: Question) -> list[Group]:
    """The facets of a list. A value that would show nothing is left out, unless it is the one that is on; so is a facet
    without values."""
    facets = listing.facets
    found = [
        Group("category", _("Category"), _every(question, "category"), _links(facets.categories, question)),
        Group("price", _("Price"), _every(question, "min_cents", "max_cents"), _links(facets.prices, question)),
        Group("rating", _("Rating"), _every(question, "rating"), _links(facets.ratings, question)),
        Group("in_stock", _("Availability"), None, _links([facets.in_stock], question)),
    ]
    return [group for group in found if group.links]


def chips(question: Question) -> list[tuple[str, str]]:
    """What is on: for each its name and the address without it."""
    return [(label, address({**question, **dict.fromkeys(names)})) for label, *names in _on(question)]


def address(question: Mapping[str, Any]) -> str:
    """The one address of a question: what says nothing is left out, the rest stands in one order."""
    # By hand and kept: a list has twenty of these, and ``reverse`` and ``urlencode`` would take longer than to search.
    rest = _rest(*(question[name] for name in _REST))
    asked = [*([_words(question["query"])] if question["query"] else []), *([rest] if rest else [])]
    return f"{_list(get_script_prefix())}?{'&'.join(asked)}" if asked else _list(get_script_prefix())


@functools.lru_cache(maxsize=256)
def _words(query: str) -> str:
    return f"q={quote_plus(query)}"


@functools.lru_cache(maxsize=4096)
def _rest(
    category: str, least: int | None, most: int | None, rating: int | None, in_stock: bool, sort: str, page: int | None
) -> str:
    values = {
        "category": category,
        "min_price": _plain(least),
        "max_price": _plain(most),
        "rating": rating,
        "in_stock": "1" if in_stock else "",
        "sort": "" if sort == "relevance" else sort,
        "page": "" if page in (1, None) else page,
    }
    return "&".join([f"{name}={quote_plus(str(value))}" for name, value in values.items() if value])


def pages(listing: Listing, question: Question) -> list[tuple[int | None, str]]:
    """The numbers of the pages to link and their addresses; None stands for a gap."""
    return [(number, address({**question, "page": number}) if number else "") for number in listing.page_numbers]


def _links(choices: list[Choice], question: Question) -> list[Link]:
    shown = [choice for choice in choices if choice.count or choice.is_chosen]
    return [Link(_toggled(question, one), label(one.filters), one.count, one.is_chosen) for one in shown]


def _toggled(question: Question, choice: Choice) -> str:
    """Where a choice leads; one that is on leads to the list without it."""
    filters = dict.fromkeys(choice.filters) if choice.is_chosen else choice.filters
    return address({**question, **filters, "page": 1})


def _every(question: Question, *names: str) -> Link:
    is_off = all(question[name] in (None, "") for name in names)  # type: ignore[literal-required]
    return Link(address({**question, **dict.fromkeys(names), "page": 1}), _("All"), 0, is_off)


def _on(question: Question) -> Iterator[tuple[str, ...]]:
    if question["query"]:
        yield _("“%(query)s”") % {"query": question["query"]}, "query", "page"
    if question["category"]:
        yield label({"category": question["category"]}), "category", "page"
    if question["min_cents"] is not None or question["max_cents"] is not None:
        price: Filters = {"min_cents": question["min_cents"], "max_cents": question["max_cents"]}
        yield label(price), "min_cents", "max_cents", "page"
    if question["rating"]:
        yield label({"rating": question["rating"]}), "rating", "page"
    if question["in_stock"]:
        yield label({"in_stock": True}), "in_stock", "page"


def label(filters: Filters) -> str:
    """What a filter is called, in the active language."""
    return _label(get_language() or settings.LANGUAGE_CODE, tuple(filters.items()))


@functools.lru_cache(maxsize=1024)
def _label(language: str, filters: tuple[tuple[str, Any], ...]) -> str:
    """Kept for each language: amounts and translations take long, for what is on every page."""
    asked = dict(filters)
    if "category" in asked:
        return str(CATEGORIES.get(asked["category"], asked["category"]))
    if "rating" in asked:
        return _("%(stars)s stars or more") % {"stars": asked["rating"]}
    if "in_stock" in asked:
        return _("In stock only")
    return _price(asked.get("min_cents"), asked.get("max_cents"))


def _price(least: int | None, most: int | None) -> str:
    if most is None:
        return _("from %(price)s") % {"price": euros(least or 0)}
    if least is None:
        return _("up to %(price)s") % {"price": euros(most)}
    return _("%(least)s to %(most)s") % {"least": euros(least), "most": euros(most)}


def _plain(cents: int | None) -> str:
    """An amount as it stands in an address: ``50`` or ``49.99``."""
    if cents is None:
        return ""
    return f"{cents // 100}" if cents % 100 == 0 else f"{cents // 100}.{cents % 100:02}"


@functools.cache
def _list(_prefix: str) -> str:
    return reverse("shop:product-list")

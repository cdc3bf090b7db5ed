"""The catalogue: what there is, found by words, category, price, rating and stock.

Answers come from this process's copy (``inventory.replica``), the live stock of what is shown from ``live_stock``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inventory import availability as marks
from inventory import dynamodb, live_stock
from inventory.categories import CATEGORIES
from inventory.errors import NoSuchPage
from inventory.models import Product
from inventory.replica import tail
from inventory.replica.listed import Listed
from inventory.replica.store import RATINGS, Found, Replica, Sets
from inventory.replica.words import folded, split

__all__ = ["CATEGORIES", "RATINGS", "Listed", "folded"]

# What customers may choose; ``search`` knows two more for the admin panel, ``name`` and ``-updated``.
SORTS: dict[str, Promise | str] = {
    "relevance": _("Relevance"),
    "price": _("Price: low to high"),
    "-price": _("Price: high to low"),
    "-rating": _("Best rated"),
    "new": _("Newest"),
}
#: Ranges of prices to choose from, in cents, both ends included; None where there is none.
PRICE_RANGES: tuple[tuple[int | None, int | None], ...] = (
    (None, 24_99),
    (25_00, 49_99),
    (50_00, 99_99),
    (100_00, 199_99),
    (200_00, None),
)
PER_PAGE = 24
_QUERY_WORDS = 12
_SUGGESTED = 6
_ORDERS = {"price", "-price", "new", "name", "-updated"}
#: What is shown for a product that is in stock when the database is away: more than "only a few are left".
_SOME = 1_000


class Filters(TypedDict, total=False):
    """What may be asked for beside words. Prices in cents, both ends included; ``rating`` in stars, at the least."""

    category: str
    min_cents: int | None
    max_cents: int | None
    rating: int | None
    in_stock: bool


@dataclass(frozen=True)
class Choice:
    """One value of a facet and how many products it would show. ``filters`` is what choosing it asks for."""

    filters: Filters
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class Facets:
    """What the answer can be narrowed to, each counted under all other filters."""

    categories: list[Choice]
    prices: list[Choice]
    ratings: list[Choice]
    in_stock: Choice


@dataclass(frozen=True)
class Listing:
    """One page of what was asked for.

    ``instead`` says which words were taken for typed ones that the catalogue does not know; ``fewer``, where nothing
    was found, which shorter queries would find something, and how much.
    """

    products: list[Listed]
    available: dict[str, int]
    total: int
    page: int
    pages: int
    query: str
    facets: Facets
    instead: dict[str, str] = field(default_factory=dict)
    fewer: list[tuple[str, int]] = field(default_factory=list)

    @property
    def page_numbers(self) -> tuple[int | None, ...]:
        return page_numbers(self.page, self.pages)


@dataclass(frozen=True)
class Highlights:
    """What the home page shows."""

    bestsellers: list[Listed]
    newest: list[Listed]
    available: dict[str, int]


@dataclass(frozen=True)
class Suggestions:
    """What somebody who is typing may mean: whole words for the last one, and products."""

    queries: list[str]
    products: list[Listed]


_follower = tail.Follower()


def search(
    *,
    query: str = "",
    sort: str = "relevance",
    page: int = 1,
    per_page: int = PER_PAGE,
    statuses: Iterable[str] = ("active",),
    with_stock: bool = True,
    **filters: Unpack[Filters],
) -> Listing:
    """The products that match everything asked for, a page of them. Raises NoSuchPage past the end.

    Each word of ``query`` must be found in the product's words in any language: in one of its forms, as a part of a
    compound, as a beginning, by a synonym or, where there is nothing like it, by the word that comes nearest.
    Relevance is how many words stand in the name, and then the rating.
    ``with_stock`` is for whoever shows ``available``.
    """
    replica = _follower.fresh()
    sets = replica.sets
    asked = _Asked(replica, query)
    narrowed = _Narrowed(replica, sets, asked.found & sets.having(statuses), filters)
    total = narrowed.all.bit_count()
    pages = max(1, -(-total // per_page))
    if not 1 <= page <= pages:
        raise NoSuchPage(pages)
    order = sort if sort in _ORDERS else "-rating"
    tiers = asked.tiers(narrowed.all) if sort not in {*_ORDERS, "-rating"} else [narrowed.all]
    positions = _page(replica, tiers, order, offset=(page - 1) * per_page, limit=per_page)
    shown = [replica.listed(position) for position in positions]
    fewer = asked.fewer(sets.having(statuses)) if query and not total else []
    available = availability(shown) if with_stock else {}
    return Listing(shown, available, total, page, pages, query, narrowed.facets(), asked.instead, fewer)


def suggest(typed: str) -> Suggestions:
    """What may be meant by what was typed so far."""
    replica = _follower.fresh()
    *before, last = split(typed) or [""]
    if not last:
        return Suggestions([], [])
    asked = _Asked(replica, typed)
    tiers = asked.tiers(asked.found & replica.sets.having(["active"]))
    positions = _page(replica, tiers, "-rating", offset=0, limit=_SUGGESTED)
    shown = [replica.listed(position) for position in positions]
    return Suggestions([" ".join([*before, one]) for one in _completions(last, shown)], shown)


def highlights(limit: int = 4) -> Highlights:
    """The best sold and the newest products. Reviews stand for sales: they grow with them."""
    replica = _follower.fresh()
    active = replica.sets.having(["active"])
    best = replica.pick(active, "-reviews", offset=0, limit=limit)
    new = [one for one in replica.pick(active, "new", offset=0, limit=2 * limit) if one not in best][:limit]
    bestsellers, newest = ([replica.listed(position) for position in some] for some in (best, new))
    return Highlights(bestsellers, newest, availability([*bestsellers, *newest]))


def related(product: Product | Listed, limit: int = 4) -> list[Listed]:
    """Other products of the same category, the nearest in price first."""
    replica = _follower.fresh()
    sets = replica.sets
    others = sets.having(["active"]) & sets.category.get(product.category, 0)
    cheaper, dearer = (
        others & replica.priced(None, product.price_cents),
        others & replica.priced(product.price_cents, None),
    )
    near = {
        *replica.pick(cheaper, "-price", offset=0, limit=limit + 1),
        *replica.pick(dearer, "price", offset=0, limit=limit + 1),
    }
    found = [one for one in map(replica.listed, near) if one.id != product.id]
    return sorted(found, key=lambda other: (abs(other.price_cents - product.price_cents), other.id))[:limit]


def find(product_id: str) -> Product | None:
    """One product with its live stock, as it stands now, or None."""
    return dynamodb.get(Product, product_id) if product_id else None


def availability(products: Sequence[Product | Listed]) -> dict[str, int]:
    """How many units of each product anybody may still take, as it stood a second ago at the most.

    Where the database is away, what the copy knows: whether there are any.
    """
    live = live_stock.of([product.id for product in products])
    replica = _follower.replica
    return {
        product.id: live[product.id] or 0 if product.id in live else _SOME * replica.is_stocked(product.id)
        for product in products
    }


def everything() -> list[Listed]:
    """All products in the catalogue, whatever their status: for staff, who have lists of their own."""
    replica = _follower.fresh()
    every = replica.sets.having(Product.STATUSES)
    return [replica.listed(position) for position in replica.pick(every, "name", offset=0, limit=replica.sets.size)]


def version() -> tuple[int, int]:
    """Changes whenever an answer of this module may have changed, live stock apart."""
    return _follower.fresh().version


def take(product: Product) -> None:
    """Take in a product that this process has just written: its next page shows it."""
    _follower.replica.take([product.serialize()])
    live_stock.forget([product.id])


def forget() -> None:
    """Throw the copy away, and read all of it at the next question."""
    global _follower
    _follower = tail.Follower()
    live_stock.forget()


def page_numbers(page: int, pages: int) -> tuple[int | None, ...]:
    """The pages to link: the first, the last, those around this one; None where some are left out."""
    near = [number for number in range(page - 1, page + 2) if 1 < number < pages]
    numbers: list[int | None] = []
    for number in [*([1] if pages else []), *near, *([pages] if pages > 1 else [])]:
        if numbers and numbers[-1] is not None and number - numbers[-1] > 1:
            numbers.append(None)
        numbers.append(number)
    return tuple(numbers)


class _Asked:
    """A query, word by word: what was found, where, and what was taken for what."""

    def __init__(self, replica: Replica, query: str) -> None:
        # A query without a word in it, such as "%", asks for something that nothing has.
        self.words = split(query)[:_QUERY_WORDS]
        meanings = [replica.vocabulary.meaning(word) for word in self.words]
        self.instead = {word: one.instead for word, one in zip(self.words, meanings, strict=True) if one.instead}
        self._found: list[Found] = [replica.words(meaning) for meaning in meanings]
        self.found = -1 if self.words or not query.strip() else 0
        for one in self._found:
            self.found &= one.anywhere

    def tiers(self, wanted: int) -> list[int]:
        """The same products, parted by how much of the query stands in their names, the most first."""
        levels = [wanted]
        for one in self._found:
            for boost in (one.name, one.exact):
                for level in reversed(range(len(levels))):
                    more = levels[level] & boost
                    if level + 1 < len(levels):
                        levels[level + 1] |= more
                    elif more:
                        levels.append(more)
        return [level & ~above for level, above in zip(levels, [*levels[1:], 0], strict=True)][::-1]

    def fewer(self, shown: int) -> list[tuple[str, int]]:
        """The query without one of its words, where that finds something, and how much."""
        found = []
        for left_out in range(len(self.words) if len(self.words) > 1 else 0):
            rest = shown
            for number, one in enumerate(self._found):
                rest &= one.anywhere if number != left_out else -1
            if rest:
                words = [self.instead.get(word, word) for word in self.words]
                found.append((" ".join(words[:left_out] + words[left_out + 1 :]), rest.bit_count()))
        return sorted(found, key=lambda one: -one[1])


class _Narrowed:
    """What was found, under each filter, and under all of them."""

    def __init__(self, replica: Replica, sets: Sets, found: int, filters: Filters) -> None:
        self._replica, self._sets, self._found, self._filters = replica, sets, found, filters
        category, least, most = filters.get("category"), filters.get("min_cents"), filters.get("max_cents")
        self._under = {
            "category": sets.category.get(category, 0) if category else -1,
            "price": -1 if least is None and most is None else replica.priced(least, most),
            "rating": sets.rating.get(filters.get("rating") or 0, -1),
            "in_stock": sets.stocked if filters.get("in_stock") else -1,
        }
        self.all = self._without("")

    def facets(self) -> Facets:
        asked, sets = self._filters, self._sets
        by_category, by_price, by_rating = (self._without(kind) for kind in ("category", "price", "rating"))
        price = (asked.get("min_cents"), asked.get("max_cents"))
        return Facets(
            [
                Choice(
                    {"category": slug}, _count(by_category, sets.category.get(slug, 0)), asked.get("category") == slug
                )
                for slug in CATEGORIES
            ],
            [
                Choice(
                    {"min_cents": least, "max_cents": most},
                    _count(by_price, self._replica.priced(least, most)),
                    price == (least, most),
                )
                for least, most in PRICE_RANGES
            ],
            [
                Choice({"rating": stars}, _count(by_rating, sets.rating.get(stars, 0)), asked.get("rating") == stars)
                for stars in RATINGS
            ],
            Choice({"in_stock": True}, _count(self._without("in_stock"), sets.stocked), bool(asked.get("in_stock"))),
        )

    def _without(self, kind: str) -> int:
        found = self._found
        for one, allowed in self._under.items():
            if one != kind:
                found &= allowed
        return found


def _count(found: int, having: int) -> int:
    return (found & having).bit_count()


def _page(replica: Replica, tiers: list[int], order: str, *, offset: int, limit: int) -> list[int]:
    """A page out of several sets, one after the other."""
    found: list[int] = []
    for tier in tiers:
        count = tier.bit_count()
        if offset < count:
            found += replica.pick(tier, order, offset=offset, limit=limit - len(found))
            if len(found) == limit:
                break
        offset = max(0, offset - count)
    return found


def _completions(last: str, shown: Sequence[Listed]) -> list[str]:
    """Whole words for one that is being typed, as the names of the products have them."""
    found: dict[str, None] = {}
    for product in shown:
        for word in product.title.split():
            if folded(word).startswith(last) and folded(word) != last:
                found[word.strip(".,()").lower()] = None
    return list(found)[:3]


def _saw(units: Mapping[str, int | None]) -> None:
    replica = _follower.replica
    replica.saw({one: number for one, number in units.items() if number is not None})
    replica.drop(one for one, number in units.items() if number is None)


def _wrote(updates: dynamodb.Updates, is_done: bool) -> None:
    """This process has moved stock: its next page shows it."""
    moved = {item.id: actions for item, actions in updates if isinstance(item, Product)}
    live_stock.forget(moved)
    if is_done:
        said = {product_id: marks.said(actions) for product_id, actions in moved.items()}
        _follower.replica.saw(
            {product_id: int(is_stocked) for product_id, is_stocked in said.items() if is_stocked is not None}
        )


live_stock.listeners.append(_saw)
dynamodb.listeners.append(_wrote)

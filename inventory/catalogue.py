"""The catalogue: what there is, found by words, category, price and stock.

Each process keeps the catalogue's own attributes (never stock) for a moment; live stock is read for what is shown.
"""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inventory import dynamodb
from inventory.errors import NoSuchPage
from inventory.models import CATALOGUE, Product

CATEGORIES: dict[str, Promise | str] = {
    "shoes": _("Shoes"),
    "apparel": _("Apparel"),
    "accessories": _("Accessories"),
    "equipment": _("Equipment"),
}
# What customers may choose; ``search`` knows two more for the admin panel, ``name`` and ``-updated``.
SORTS: dict[str, Promise | str] = {
    "relevance": _("Relevance"),
    "price": _("Price: low to high"),
    "-price": _("Price: high to low"),
    "-rating": _("Best rated"),
    "new": _("Newest"),
}
PER_PAGE = 24
FRESH_SECONDS = 2.0
_QUERY_WORDS = 12


@dataclass(frozen=True)
class Listing:
    """One page of what was asked for. ``facets`` counts each category under all other filters."""

    products: list[Product]
    available: dict[str, int]
    total: int
    page: int
    pages: int
    query: str
    facets: list[tuple[str, str, int]]

    @property
    def page_numbers(self) -> list[int | None]:
        return page_numbers(self.page, self.pages)


@dataclass(frozen=True)
class Highlights:
    """What the home page shows."""

    bestsellers: list[Product]
    newest: list[Product]
    available: dict[str, int]


@dataclass
class _Snapshot:
    products: list[Product] = field(default_factory=list)
    read_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


_snapshot = _Snapshot()


def search(
    *,
    query: str = "",
    category: str = "",
    min_cents: int | None = None,
    max_cents: int | None = None,
    in_stock: bool = False,
    sort: str = "relevance",
    page: int = 1,
    per_page: int = PER_PAGE,
    statuses: Iterable[str] = ("active",),
) -> Listing:
    """The products that match everything asked for, a page of them. Raises NoSuchPage past the end.

    Prices in cents, both ends included. ``query`` matches where each of its words is part of the product's words in any
    language; case and the ways to write an umlaut make no difference.
    """
    words, allowed = folded(query).split()[:_QUERY_WORDS], set(statuses)
    wanted = [
        product
        for product in everything()
        if product.status in allowed
        and (min_cents is None or product.price_cents >= min_cents)
        and (max_cents is None or product.price_cents <= max_cents)
        and all(word in _haystack(product) for word in words)
    ]
    if in_stock:
        available = availability(wanted)
        wanted = [product for product in wanted if available[product.id] > 0]
    facets = [
        (slug, str(label), sum(product.category == slug for product in wanted)) for slug, label in CATEGORIES.items()
    ]
    if category:
        wanted = [product for product in wanted if product.category == category]
    wanted.sort(key=_order(sort, words))
    pages = max(1, -(-len(wanted) // per_page))
    if not 1 <= page <= pages:
        raise NoSuchPage(pages)
    shown = wanted[(page - 1) * per_page : page * per_page]
    return Listing(shown, availability(shown), len(wanted), page, pages, query, facets)


def highlights(limit: int = 4) -> Highlights:
    """The best sold and the newest products. Reviews stand for sales: they grow with them."""
    active = [product for product in everything() if product.is_active]
    best = sorted(active, key=lambda product: -product.review_count)[:limit]
    rest = [product for product in active if product not in best]
    newest = sorted(rest, key=lambda product: product.created_at, reverse=True)[:limit]
    return Highlights(best, newest, availability([*best, *newest]))


def related(product: Product, limit: int = 4) -> list[Product]:
    """Other products of the same category, the nearest in price first."""
    others = [
        other
        for other in everything()
        if other.is_active and other.category == product.category and other.id != product.id
    ]
    return sorted(others, key=lambda other: abs(other.price_cents - product.price_cents))[:limit]


def find(product_id: str) -> Product | None:
    """One product with its live stock, as it stands now, or None."""
    return dynamodb.get(Product, product_id) if product_id else None


def availability(products: Iterable[Product]) -> dict[str, int]:
    """How many units of each product anybody may still take, as it stands now."""
    ids = [product.id for product in products]
    (found,) = dynamodb.get_many((Product, ids))
    return {product_id: found[product_id].available if product_id in found else 0 for product_id in ids}


def everything() -> list[Product]:
    """All products in the catalogue, whatever their status, without stock; at most ``FRESH_SECONDS`` old."""
    with _snapshot.lock:
        if time.monotonic() - _snapshot.read_at > FRESH_SECONDS:
            _snapshot.products = list(Product.catalogue_index.query(CATALOGUE))
            _snapshot.read_at = time.monotonic()
        return _snapshot.products


def forget() -> None:
    """Read the catalogue anew at the next question: called by whoever changes it."""
    _snapshot.read_at = float("-inf")


def folded(text: str) -> str:
    """Text in the form in which words are compared: ``Größe``, ``GROESSE`` and ``grosse`` are one."""
    text = unicodedata.normalize("NFKC", text).casefold()
    for written, plain in (("ä", "a"), ("ö", "o"), ("ü", "u"), ("ae", "a"), ("oe", "o"), ("ue", "u")):
        text = text.replace(written, plain)
    return text


def page_numbers(page: int, pages: int) -> list[int | None]:
    """The pages to link: the first, the last, those around this one; None where some are left out."""
    shown = [number for number in range(1, pages + 1) if number in (1, pages) or abs(number - page) <= 1]
    numbers: list[int | None] = []
    for number in shown:
        if numbers and numbers[-1] is not None and number - numbers[-1] > 1:
            numbers.append(None)
        numbers.append(number)
    return numbers


def _texts(product: Product) -> tuple[str, str]:
    english = product.translations.en if product.translations else None
    names = [product.name, (english and english.name) or "", product.sku]
    rest = [product.description, (english and english.description) or "", str(CATEGORIES.get(product.category, ""))]
    return folded(" ".join(names)), folded(" ".join(rest))


def _haystack(product: Product) -> str:
    return " ".join(_texts(product))


def _order(sort: str, words: list[str]) -> Callable[[Product], tuple[object, ...]]:
    def rating(product: Product) -> Decimal:
        return product.rating or Decimal(0)

    def relevance(product: Product) -> tuple[object, ...]:
        names, _rest = _texts(product)
        return (-sum(word in names for word in words), -rating(product), product.id)

    orders: dict[str, Callable[[Product], tuple[object, ...]]] = {
        "name": lambda product: (folded(product.title), product.id),
        "-updated": lambda product: (-product.updated_at.timestamp(), product.id),
        "price": lambda product: (product.price_cents, product.id),
        "-price": lambda product: (-product.price_cents, product.id),
        "-rating": lambda product: (-rating(product), -product.review_count, product.id),
        "new": lambda product: (-product.created_at.timestamp(), product.id),
    }
    return orders.get(sort, relevance)

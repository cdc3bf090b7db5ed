"""A product as lists show it, and how it is read out of what DynamoDB answers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, override

from inventory.attributes import EuroCentsAttribute
from inventory.categories import CATEGORIES
from inventory.replica import words

Raw = dict[str, Any]

_TYPES = {
    "id": "TEXT",
    "name": "TEXT",
    "name_en": "TEXT",
    "price": "INTEGER",
    "image_url": "TEXT",
    "category": "TEXT",
    "rating": "TEXT",
    "reviews": "INTEGER",
    "created": "REAL",
    "updated": "REAL",
    "status": "TEXT",
    "sku": "TEXT",
    "version": "INTEGER",
    "low_stock_at": "INTEGER",
    "stars": "REAL",
    "folded": "TEXT",
}
#: The columns of a row, as SQLite's.
NAMES = tuple(_TYPES)
COLUMNS = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
#: Those that ``product`` wants.
SHOWN = ", ".join(NAMES[: NAMES.index("stars")])

_cents = EuroCentsAttribute().deserialize


@dataclass(frozen=True, slots=True)
class Listed:
    """A product as lists show it: no stock, no description. Prices in cents."""

    position: int
    id: str
    name: str
    name_en: str
    price_cents: int
    image_url: str
    category: str
    rating: Decimal | None
    review_count: int
    created_at: datetime
    updated_at: datetime
    status: str
    sku: str
    version: int
    low_stock_at: int

    @property
    def title(self) -> str:
        """The name in the active language, or in the shop's first where it has none."""
        language = (get_language() or settings.LANGUAGE_CODE).partition("-")[0]
        return (getattr(self, f"name_{language}", "") or self.name) if language != "de" else self.name


def product(position: int, row: tuple[Any, ...]) -> Listed:
    """The product in a row of ``SHOWN``."""
    product_id, name, name_en, price, image_url, category, rating, reviews, created, updated, *rest = row
    return Listed(
        position,
        product_id,
        name,
        name_en,
        price,
        image_url,
        category,
        None if rating is None else Decimal(rating),
        reviews,
        datetime.fromtimestamp(created, UTC),
        datetime.fromtimestamp(updated, UTC),
        *rest,
    )


def row(raw: Raw) -> dict[str, Any]:
    """The columns for an item of ``catalogue-index``, and what goes elsewhere: its moment and its words."""
    english = raw.get("translations", {}).get("M", {}).get("en", {}).get("M", {})
    name, name_en, rating = _text(raw, "name"), _text(english, "name"), raw.get("rating", {}).get("N")
    category, sku, moment = _text(raw, "category"), _text(raw, "sku"), raw["updatedAt"]["S"]
    in_name = words.distinct(f"{name} {name_en}").union(_sku_words(sku))
    in_text = words.distinct(f"{_text(raw, 'description')} {_text(english, 'description')}")
    return {
        "id": raw["id"]["S"],
        "name": name,
        "name_en": name_en,
        "price": _cents(raw["price"]["N"]) if "price" in raw else 0,
        "image_url": _text(raw, "imageUrl"),
        "category": category,
        "rating": rating,
        "reviews": _number(raw, "reviewCount", 0),
        "created": _seconds(_text(raw, "createdAt") or moment),
        "updated": _seconds(moment),
        "status": _text(raw, "status") or "active",
        "sku": sku,
        "version": _number(raw, "version", 1),
        "low_stock_at": _number(raw, "lowStockAt", 5),
        "stars": float(rating or 0),
        "folded": words.folded(name),
        "moment": moment,
        "in_name": in_name,
        "anywhere": in_text.union(in_name, _category_words(category)),
    }


def _text(raw: Raw, name: str) -> str:
    return raw[name].get("S", "") if name in raw else ""


def _number(raw: Raw, name: str, default: int) -> int:
    number = raw[name]["N"] if name in raw else default
    return int(number) if str(number).isdecimal() else int(Decimal(number))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _sku_words(sku: str) -> list[str]:
    """An article number is typed with its dashes or without."""
    parts = words.split(sku)
    return [*parts, "".join(parts)] if len(parts) > 1 else parts


@functools.cache
def _category_words(category: str) -> tuple[str, ...]:
    """What a category is called, in every language."""
    found: list[str] = []
    for language, _ in settings.LANGUAGES:
        with override(language):
            found += words.split(str(CATEGORIES.get(category, "")))
    return tuple(dict.fromkeys(found))

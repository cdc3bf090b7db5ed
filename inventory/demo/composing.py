"""Composes sports gear that nobody makes, from the lists of ``words.json``: any number of products, for trying size.

The same seed and number always give the same product, whatever else is made.
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from inventory import availability
from inventory.attributes import iso
from inventory.models import Movement, Product, ProductText, Translations

BY = "seed_catalogue"
# A fixed day: were it today, the same product would be another one tomorrow.
_NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
_OLDEST_DAYS = 3 * 365
_LEAST_WORDS, _MOST_WORDS = 30, 60
_MOST_REVIEWS = 20_000
_SOLD_OUT, _UNRATED, _DRAFT, _ARCHIVED = 0.08, 0.06, 0.01, 0.01

Pair = dict[str, str]


def product_id(seed: int, number: int) -> str:
    """The id of a composed product."""
    return f"prod-{seed}-{number:06}"


def product(seed: int, number: int, *, pictures: Mapping[str, str], at: datetime) -> Product:
    """A composed product with its first units, unsaved. ``pictures`` are keys of pictures by the demo's names of them.

    Its last change is ``at``, from ``products.next_moment``, so that no copy of the catalogue misses it.
    """
    choice = random.Random(f"{seed}-{number}")
    kind = choice.choice(words()["kinds"])
    name, name_en, description, description_en = _texts(choice, kind)
    reviews = _reviews(choice)
    units = 0 if choice.random() < _SOLD_OUT else 1 + int(choice.expovariate(1 / 60))
    composed = Product(
        product_id(seed, number),
        name=name,
        description=description,
        translations=Translations(en=ProductText(name=name_en, description=description_en)),
        price_cents=choice.randint(*kind["euros"]) * 100 + 99,
        image_url=pictures.get(kind["picture"], ""),
        category=kind["category"],
        sku=f"EK-{kind['code']}-{seed}-{number:06}",
        rating=_rating(choice) if reviews else None,
        review_count=reviews,
        low_stock_at=choice.choice((5, 10, 15, 20)),
        status=choice.choices(("draft", "archived", "active"), (_DRAFT, _ARCHIVED, 1 - _DRAFT - _ARCHIVED))[0],
        created_at=_NEWEST - timedelta(seconds=choice.randrange(_OLDEST_DAYS * 24 * 3600)),
        updated_at=at,
        stock=units,
        available=units,
    )
    return availability.begin(composed)


def first_movement(product: Product) -> Movement | None:
    """What brought a composed product's units, if it has any. Always the same one: to write it again adds nothing."""
    if not product.stock:
        return None
    time = f"{iso(product.created_at)}#{product.id.rpartition('-')[2]:>08}"
    return Movement(product.id, time, kind="received", quantity=product.stock, by=BY)


@functools.cache
def words() -> dict[str, Any]:
    """The lists."""
    lists: dict[str, Any] = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
    return lists


def _texts(choice: random.Random, kind: dict[str, Any]) -> tuple[str, str, str, str]:
    """Name and description, each in German and in English."""
    lists = words()
    brand, colour = choice.choice(lists["brands"]), choice.choice(lists["colours"])
    material = choice.choice(lists["materials"][kind["category"]])
    model = f"{choice.choice(lists['models'])} {choice.choice(lists['versions'])}".strip()
    first = {
        "de": f"{kind['de']} {model} von {brand} in {colour['de']}, gemacht für {kind['use_de']}."
        f" Gefertigt aus {material['de']}.",
        "en": f"The {model} {kind['en']} by {brand} in {colour['en']}, made for {kind['use_en']}."
        f" It consists of {material['en']}.",
    }
    texts = _described(choice, first, lists["features"][kind["category"]])
    name, name_en = f"{brand} {kind['de']} {model} {colour['de']}", f"{brand} {model} {kind['en']}, {colour['en']}"
    return name, name_en, texts["de"], texts["en"]


def _described(choice: random.Random, first: Pair, features: list[Pair]) -> Pair:
    """The first sentence and as many features as make neither language too short or too long."""
    text, wanted = dict(first), choice.randint(_LEAST_WORDS, _MOST_WORDS - 10)
    for feature in choice.sample(features, len(features)):
        longer = {language: f"{text[language]} {feature[language]}" for language in text}
        if min(map(_word_count, text.values())) < wanted and max(map(_word_count, longer.values())) <= _MOST_WORDS:
            text = longer
    return text


def _word_count(text: str) -> int:
    return len(text.split())


def _reviews(choice: random.Random) -> int:
    """Few for most, thousands for a handful."""
    if choice.random() < _UNRATED:
        return 0
    return min(_MOST_REVIEWS, int(4 * choice.paretovariate(0.8)))


def _rating(choice: random.Random) -> Decimal:
    """Between 3 and 5 stars, most of them above 4."""
    return Decimal(round(30 + 20 * choice.betavariate(5, 2))) / 10

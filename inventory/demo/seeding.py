"""Puts the demo catalogue into the shop: the products of ``products.json`` with the pictures beside it, and more."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.files import File

from inventory import bulk, catalogue, clock, dynamodb, pictures, products
from inventory.demo import composing
from inventory.errors import ProductChanged
from inventory.models import Product, ProductText, Translations
from inventory.tables import Progress

_HERE = Path(__file__).parent
_CHUNK = 100


def seed() -> Iterator[Progress]:
    """Write the demo products that are not there yet, each with its picture and first stock."""
    entries = _entries()
    (there,) = dynamodb.get_many((Product, [entry["id"] for entry in entries]))
    for number, entry in enumerate(entries, start=1):
        if entry["id"] not in there:
            _add(entry, age=timedelta(days=3 * (len(entries) - number)))
        yield Progress("demo products", number, len(entries))


def seed_many(count: int, *, seed_number: int) -> Iterator[Progress]:
    """Add composed products to the demo's, until there are ``count`` in all; they show the demo's pictures.

    Each chunk is looked up before it is written, and only what is not there is: what was sold, edited or archived since
    stays as it is. Batches know no conditions, so this must not run twice at the same time; where it was cut off, it is
    run again. A product is written after the movement of its first units, and that is the same one every time, so that
    nothing is brought twice and no product stands there without what brought it. Raises Contention.
    """
    yield from seed()
    total = max(0, count - len(_entries()))
    write, done = functools.partial(_write, seed_number, _picture_keys()), 0
    for written in bulk.in_parallel(write, range(total), size=_CHUNK):
        done += written
        yield Progress("composed products", done, total)
    catalogue.forget()


def _write(seed_number: int, keys: Mapping[str, str], numbers: list[int]) -> int:
    """Write those of a chunk that are not there; says how many there are now."""
    ids = [composing.product_id(seed_number, number) for number in numbers]
    (there,) = dynamodb.get_many((Product, ids))
    absent = [number for product_id, number in zip(ids, numbers, strict=True) if product_id not in there]
    if absent:
        moment = products.next_moment()
        missing = [composing.product(seed_number, number, pictures=keys, at=moment) for number in absent]
        bulk.put([movement for movement in map(composing.first_movement, missing) if movement])
        bulk.put(missing)
    return len(numbers)


def _picture_keys() -> dict[str, str]:
    """The keys of the pictures that the demo products show, by the pictures' names."""
    entries = _entries()
    (there,) = dynamodb.get_many((Product, [entry["id"] for entry in entries]))
    return {entry["picture"]: there[entry["id"]].image_url for entry in entries if entry["id"] in there}


def _entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((_HERE / "products.json").read_text(encoding="utf-8"))
    return entries


def _add(entry: dict[str, Any], *, age: timedelta) -> None:
    with (_HERE / "pictures" / f"{entry['picture']}.webp").open("rb") as file:
        key = pictures.store(File(file))
    born = clock.now() - age
    product = Product(
        entry["id"],
        name=entry["name"],
        description=entry["description"],
        translations=Translations(en=ProductText(name=entry["name_en"], description=entry["description_en"])),
        price_cents=int(Decimal(entry["price"]) * 100),
        image_url=key,
        category=entry["category"],
        sku=entry["sku"],
        rating=Decimal(entry["rating"]),
        review_count=entry["review_count"],
        low_stock_at=entry["low_stock_at"],
        created_at=born,
        updated_at=born,
    )
    try:
        products.add(product, units=entry["stock"], by=composing.BY)
    except ProductChanged:
        return  # Another seeding was faster.

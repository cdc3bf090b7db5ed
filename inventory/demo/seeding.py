"""Puts the demo catalogue into the shop: the products of ``products.json`` with the pictures beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.files import File

from inventory import clock, dynamodb, pictures, products
from inventory.errors import ProductChanged
from inventory.models import Product, ProductText, Translations
from inventory.tables import Progress

_HERE = Path(__file__).parent
_BY = "seed_catalogue"


def seed() -> Iterator[Progress]:
    """Write the demo products that are not there yet, each with its picture and first stock."""
    entries = json.loads((_HERE / "products.json").read_text(encoding="utf-8"))
    (there,) = dynamodb.get_many((Product, [entry["id"] for entry in entries]))
    for number, entry in enumerate(entries, start=1):
        if entry["id"] not in there:
            _add(entry, age=timedelta(days=3 * (len(entries) - number)))
        yield Progress("demo products", number, len(entries))


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
        products.add(product, units=entry["stock"], by=_BY)
    except ProductChanged:
        return  # Another seeding was faster.

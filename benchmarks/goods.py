"""Forty products as a real shop has them: the demo catalogue's texts, prices and pictures' addresses."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

from inventory import checkout, demo, products
from inventory.models import Product, ProductText, Translations

PLENTY = 1_000_000
CONTACT = checkout.Contact("Karla Sommer", "karla.sommer@example.com", "Ulmenweg 12", "10115", "Berlin", "DE")


def stocked(count: int = 40, *, called: str = "prod") -> list[Product]:
    """So many products on the shelf, none of which runs out."""
    entries = json.loads(Path(demo.__file__).with_name("products.json").read_text(encoding="utf-8"))
    return [
        products.add(
            _product(f"{called}-{number:03}", entries[number % len(entries)]), units=PLENTY, by="seed_catalogue"
        )
        for number in range(count)
    ]


def owner() -> str:
    """A guest who was never here before."""
    return f"guest-{uuid.uuid4().hex}"


def _product(product_id: str, entry: dict[str, Any]) -> Product:
    words = ProductText(name=entry["name_en"], description=entry["description_en"])
    return Product(
        product_id,
        name=entry["name"],
        description=entry["description"],
        translations=Translations(en=words),
        price_cents=int(Decimal(entry["price"]) * 100),
        image_url=f"products/{uuid.uuid4().hex[:20]}",
        category=entry["category"],
        sku=entry["sku"],
        rating=Decimal(entry["rating"]),
        review_count=entry["review_count"],
        low_stock_at=entry["low_stock_at"],
    )

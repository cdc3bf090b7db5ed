"""The demo catalogue: what it promises, and that it comes into the shop once."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from inventory import catalogue, dynamodb, pictures, products, stock
from inventory.demo import seeding
from inventory.models import Product
from tests.unit import wire

HERE = Path(seeding.__file__).parent
ENTRIES: list[dict[str, Any]] = json.loads((HERE / "products.json").read_text(encoding="utf-8"))
BRANDS = ("nike", "adidas", "puma", "jordan", "reebok", "asics", "salomon", "under armour", "new balance")


@pytest.fixture
def quick_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are read and kept, but not encoded: that takes a good part of a second for each."""
    monkeypatch.setattr(pictures, "_encoded", lambda picture, kind: f"{picture.size} {kind}".encode())


@pytest.fixture
def two_entries(quick_pictures: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A small catalogue."""
    (tmp_path / "pictures").symlink_to(HERE / "pictures")
    (tmp_path / "products.json").write_text(json.dumps(ENTRIES[:2]), encoding="utf-8")
    monkeypatch.setattr(seeding, "_HERE", tmp_path)


def every(field: str) -> list[Any]:
    return [entry[field] for entry in ENTRIES]


# What is in it


def test_there_are_31_products_in_four_categories():
    assert Counter(every("category")) == {"shoes": 15, "apparel": 10, "accessories": 4, "equipment": 2}


def test_prices_and_stock_are_those_of_the_first_version():
    prices = [Decimal(price) for price in every("price")]

    assert (min(prices), max(prices)) == (Decimal("19.99"), Decimal("279.99"))
    assert (min(every("stock")), max(every("stock"))) == (25, 223)
    assert all(price.as_tuple().exponent == -2 for price in prices)


@pytest.mark.parametrize("field", ["id", "sku", "name", "name_en", "picture", "description", "description_en"])
def test_every_product_has_its_own(field: str):
    values = every(field)

    assert all(values)
    assert len(set(values)) == 31


def test_every_product_has_a_picture_of_the_shops_shape():
    for entry in ENTRIES:
        with Image.open(HERE / "pictures" / f"{entry['picture']}.webp") as picture:
            assert abs(picture.width / picture.height - 0.8) < 0.01, entry["picture"]
            assert picture.width >= max(pictures.WIDTHS), entry["picture"]


def test_no_picture_is_left_over():
    assert {path.stem for path in (HERE / "pictures").glob("*.webp")} == set(every("picture"))


def test_no_two_pictures_are_the_same():
    assert len({path.read_bytes() for path in (HERE / "pictures").glob("*.webp")}) == 31


def test_ratings_and_reviews_look_real():
    ratings = [Decimal(rating) for rating in every("rating")]

    assert all(Decimal("3.5") <= rating <= 5 for rating in ratings)
    assert len(set(ratings)) > 4
    assert all(count > 0 for count in every("review_count"))


def test_the_dashboard_has_something_to_show_and_not_too_much():
    low = [entry for entry in ENTRIES if entry["stock"] <= entry["low_stock_at"]]

    assert 1 <= len(low) <= 5


def test_no_brand_of_others_is_used():
    words = " ".join(str(entry) for entry in ENTRIES).casefold()

    assert [brand for brand in BRANDS if brand in words] == []


# How it comes into the shop


def test_the_whole_catalogue_stands_in_the_shop_with_its_numbers_and_pictures(quick_pictures: None):
    steps = list(seeding.seed())

    listing = catalogue.search(per_page=100)
    found = stock.products(product.id for product in listing.products)
    assert [(step.done, step.total) for step in steps] == [(number, 31) for number in range(1, 32)]
    assert {one.id: (one.stock, one.reserved, one.available) for one in found} == {
        entry["id"]: (entry["stock"], 0, entry["stock"]) for entry in ENTRIES
    }
    assert {one.id: f"{Decimal(one.price_cents) / 100:.2f}" for one in found} == dict(
        zip(every("id"), every("price"), strict=True)
    )
    assert len(default_storage.listdir("products")[1]) == 31 * 6


def test_a_product_brings_its_words_picture_and_first_movement(two_entries: None):
    list(seeding.seed())

    entry, product = ENTRIES[0], catalogue.find(ENTRIES[0]["id"])
    assert (product.name, product.translations.en.name) == (entry["name"], entry["name_en"])
    assert (product.description, product.translations.en.description) == (entry["description"], entry["description_en"])
    assert (product.rating, product.review_count) == (Decimal(entry["rating"]), entry["review_count"])
    assert default_storage.exists(pictures.file_name(product.image_url, 400, "avif"))
    assert [(one.kind, one.quantity, one.by) for one in stock.movements(product.id)] == [
        ("received", entry["stock"], "seed_catalogue")
    ]


def test_products_differ_in_age_so_that_newest_means_something(two_entries: None):
    list(seeding.seed())

    first, second = (catalogue.find(entry["id"]) for entry in ENTRIES[:2])
    assert first.created_at < second.created_at


def test_the_second_time_touches_nothing(two_entries: None):
    list(seeding.seed())
    products.save(ENTRIES[0]["id"], version=1, name="Mein Name", status="archived")
    stock.adjust(ENTRIES[1]["id"], by=-3, reason="damaged", note="", who="dana")

    with wire.heard() as calls:
        steps = list(seeding.seed())

    assert [name for name, _ in calls] == ["BatchGetItem"]
    assert catalogue.find(ENTRIES[0]["id"]).name == "Mein Name"
    assert catalogue.find(ENTRIES[1]["id"]).stock == ENTRIES[1]["stock"] - 3
    assert steps[-1].done == steps[-1].total == 2


def test_what_an_interrupted_seeding_left_out_is_brought_by_the_next(two_entries: None):
    steps = seeding.seed()
    next(steps)
    steps.close()

    list(seeding.seed())

    assert [catalogue.find(entry["id"]).stock for entry in ENTRIES[:2]] == [entry["stock"] for entry in ENTRIES[:2]]
    assert [len(stock.movements(entry["id"])) for entry in ENTRIES[:2]] == [1, 1]


def test_of_two_seedings_at_once_one_brings_each_product(two_entries: None):
    def another_is_faster() -> None:
        products.add(Product(ENTRIES[0]["id"], name="Schneller"), units=1, by="another")

    with wire.just_before("TransactWriteItems", another_is_faster):
        list(seeding.seed())

    assert dynamodb.get(Product, ENTRIES[0]["id"]).name == "Schneller"
    assert dynamodb.get(Product, ENTRIES[1]["id"]).stock == ENTRIES[1]["stock"]

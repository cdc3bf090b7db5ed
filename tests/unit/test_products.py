"""Products as the shopkeeper edits them: never their stock, never over another admin's work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from inventory import catalogue, dynamodb, products, reservations, stock
from inventory.errors import Busy, NoSuchProduct, ProductChanged, Unsure
from inventory.models import Product
from tests.unit import wire
from tests.unit.test_reservations import lose_answer

__all__ = ["lose_answer"]

MakeProduct = Callable[..., Product]
FORM: dict[str, Any] = {
    "name": "Laufschuh Luchs",
    "description": "Leicht.",
    "price_cents": 9999,
    "category": "shoes",
    "status": "active",
    "sku": "EK-1",
    "low_stock_at": 5,
    "name_en": "Lynx running shoe",
    "description_en": "Light.",
    "image_url": "products/abc",
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)


@pytest.fixture
def product() -> Product:
    """A product as an admin's form would write it, with ten units on the shelf."""
    product = products.create(**FORM)
    return stock.adjust(product.id, by=10, reason="received", note="", who="dana")


def now(product: Product) -> Product:
    return dynamodb.get(Product, product.id)


def numbers(product: Product) -> tuple[int, int, int]:
    product = now(product)
    return product.stock, product.reserved, product.available


def written(calls: list[wire.Call]) -> set[str]:
    """The attributes that the transactions among these calls set in products."""
    sent = [item for name, call in calls if name == "TransactWriteItems" for item in call["TransactItems"]]
    updates = [item["Update"] for item in sent if "Update" in item]
    return {name for update in updates for name in update["ExpressionAttributeNames"].values()}


# Creating


def test_create_writes_what_the_form_said_and_no_stock():
    product = now(products.create(**FORM))

    english = {"name_en": product.translations.en.name, "description_en": product.translations.en.description}
    assert {**{name: getattr(product, name, None) for name in FORM}, **english} == FORM
    assert (product.stock, product.reserved, product.available, product.version) == (0, 0, 0, 1)
    assert stock.movements(product.id) == []


def test_create_needs_no_english_words():
    product = now(products.create(**{**FORM, "name_en": "", "description_en": ""}))

    with translation.override("en"):
        assert (product.title, product.text) == ("Laufschuh Luchs", "Leicht.")


def test_create_gives_every_product_an_id_of_its_own_and_shows_it_at_once():
    catalogue.everything()

    first, second = products.create(**FORM), products.create(**FORM)

    assert first.id != second.id
    assert {product.id for product in catalogue.everything()} == {first.id, second.id}


def test_add_brings_the_first_units_with_their_movement():
    product = products.add(Product("prod-9", name="Hut"), units=7, by="seed")

    assert numbers(product) == (7, 0, 7)
    assert [(one.kind, one.quantity, one.by) for one in stock.movements("prod-9")] == [("received", 7, "seed")]


@pytest.mark.parametrize("units", [0, 7])
def test_a_new_product_says_whether_there_is_any(units: int):
    products.add(Product("prod-9", name="Hut"), units=units, by="seed")

    product = dynamodb.get(Product, "prod-9")
    assert product.in_stock_since == (product.availability_at if units else None)
    assert product.availability_at is not None


def test_add_never_overwrites_a_product(product: Product):
    with pytest.raises(ProductChanged) as caught:
        products.add(Product(product.id, name="Hut"), units=99, by="seed")

    assert caught.value.current.name == "Laufschuh Luchs"
    assert now(product).name == "Laufschuh Luchs"
    assert numbers(product) == (10, 0, 10)
    assert [one.quantity for one in stock.movements(product.id)] == [10]


def test_add_finds_out_that_it_worked_when_the_answer_is_lost():
    with wire.losing_answers():
        products.add(Product("prod-9"), units=7, by="seed")

    assert numbers(Product("prod-9")) == (7, 0, 7)
    assert len(stock.movements("prod-9")) == 1


@pytest.mark.parametrize("losing", [wire.losing_requests, wire.losing_answers])
def test_add_writes_one_product_whatever_gets_lost(losing: Callable[[], Any]):
    with losing():
        products.add(Product("prod-9"), units=7, by="seed")

    assert dynamodb.get(Product, "prod-9").stock == 7
    assert len(stock.movements("prod-9")) == 1


# Saving


CHANGES = [
    ("name", "Laufschuh Fuchs", "name"),
    ("description", "Schwer.", "description"),
    ("price_cents", 10_000, "price"),
    ("category", "apparel", "category"),
    ("status", "draft", "status"),
    ("sku", "", "sku"),
    ("low_stock_at", 0, "lowStockAt"),
    ("image_url", "", "imageUrl"),
]


@pytest.mark.parametrize(("field", "value", "attribute"), CHANGES)
def test_save_writes_the_field_that_changed_and_no_other(product: Product, field: str, value: Any, attribute: str):
    with wire.heard() as calls:
        products.save(product.id, version=1, **{**FORM, field: value})

    assert getattr(now(product), field) == value
    assert written(calls) == {attribute, "version", "updatedAt"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name_en": "Fox shoe"}, ("Fox shoe", "Light.")),
        ({"description_en": "Heavy."}, ("Lynx running shoe", "Heavy.")),
        ({"name_en": ""}, ("Laufschuh Luchs", "Light.")),
        ({"name_en": "", "description_en": ""}, ("Laufschuh Luchs", "Leicht.")),
    ],
)
def test_save_changes_the_english_words_it_was_given(product: Product, fields: Any, words: tuple[str, str]):
    with wire.heard() as calls:
        products.save(product.id, version=1, **fields)

    with translation.override("en"):
        assert (now(product).title, now(product).text) == words
    assert written(calls) == {"translations", "version", "updatedAt"}
    assert now(product).name == "Laufschuh Luchs"


def test_save_gives_the_first_english_words_to_a_product_without(make_product: MakeProduct):
    product = make_product()

    products.save(product.id, version=1, name_en="Lynx")

    with translation.override("en"):
        assert now(product).title == "Lynx"


def test_save_counts_versions_and_stamps_the_time(product: Product):
    saved = products.save(product.id, version=1, name="Zwei")
    saved = products.save(product.id, version=saved.version, name="Drei")

    assert (saved.version, now(product).version, now(product).name) == (3, 3, "Drei")
    assert now(product).updated_at == saved.updated_at > product.updated_at
    assert now(product).created_at == product.created_at


def test_save_without_a_change_writes_nothing(product: Product):
    with wire.heard() as calls:
        saved = products.save(product.id, version=1, **FORM)

    assert [name for name, _ in calls] == ["GetItem"]
    assert saved.version == now(product).version == 1


def test_save_without_a_change_writes_nothing_to_a_product_without_english_words(make_product: MakeProduct):
    """The form sends its empty English fields along; that must not make another admin's page old."""
    product = make_product()

    products.save(product.id, version=1, name=product.name, name_en="", description_en="")

    assert now(product).version == 1


def test_save_shows_the_change_in_the_catalogue_at_once(product: Product):
    catalogue.search()

    products.save(product.id, version=1, name="Laufschuh Fuchs")

    assert [found.name for found in catalogue.search().products] == ["Laufschuh Fuchs"]


# Stock that moves meanwhile


def test_save_keeps_stock_that_moved_since_the_form_was_opened(product: Product):
    reservations.reserve("alice", product.id, quantity=3)
    stock.adjust(product.id, by=5, reason="received", note="", who="dana")

    products.save(product.id, version=1, **{**FORM, "price_cents": 5000})

    assert numbers(product) == (15, 3, 12)
    assert now(product).price_cents == 5000


def test_save_keeps_stock_that_moves_between_its_reading_and_its_writing(product: Product):
    def alice_is_faster() -> None:
        stock.adjust(product.id, by=-4, reason="damaged", note="", who="dana")

    with wire.just_before("TransactWriteItems", alice_is_faster):
        products.save(product.id, version=1, name="Hut")

    assert numbers(product) == (6, 0, 6)
    assert now(product).name == "Hut"


def test_save_touches_no_stock_even_if_told_to(product: Product):
    products.save(product.id, version=1, name="Hut", stock=99, available=99, reserved=0)

    assert numbers(product) == (10, 0, 10)


# Other admins


def test_save_refuses_when_another_admin_saved_first_and_shows_what_stands_there(product: Product):
    products.save(product.id, version=1, name="Bobs Name", price_cents=1)

    with pytest.raises(ProductChanged) as caught:
        products.save(product.id, version=1, name="Danas Name")

    assert (caught.value.current.name, caught.value.current.version) == ("Bobs Name", 2)
    assert (now(product).name, now(product).price_cents, now(product).version) == ("Bobs Name", 1, 2)


def test_save_refuses_when_another_admin_saves_between_its_reading_and_its_writing(product: Product):
    def bob_is_faster() -> None:
        products.save(product.id, version=1, description="Bobs Text")

    with wire.just_before("TransactWriteItems", bob_is_faster), pytest.raises(ProductChanged) as caught:
        products.save(product.id, version=1, name="Danas Name")

    assert caught.value.current.description == now(product).description == "Bobs Text"
    assert now(product).name == "Laufschuh Luchs"


@pytest.mark.parametrize("version", [0, 2, -1])
def test_save_refuses_a_version_that_never_stood_there(product: Product, version: int):
    with pytest.raises(ProductChanged):
        products.save(product.id, version=version, name="Hut")

    assert now(product).name == "Laufschuh Luchs"


def test_save_refuses_even_an_unchanged_form_when_another_admin_saved_first(product: Product):
    products.save(product.id, version=1, name="Bobs Name")

    with pytest.raises(ProductChanged):
        products.save(product.id, version=1, **FORM)


def test_save_refuses_a_product_that_does_not_exist():
    with pytest.raises(NoSuchProduct):
        products.save("nobody", version=1, name="Hut")


def test_save_never_brings_a_product_back_that_was_deleted_meanwhile(product: Product):
    with wire.just_before("TransactWriteItems", product.delete), pytest.raises(NoSuchProduct):
        products.save(product.id, version=1, name="Hut")

    assert dynamodb.get(Product, product.id) is None


# Faults


def test_save_gives_up_with_nothing_written_when_others_stay_in_the_way(product: Product):
    with wire.cancelling("TransactionConflict", times=99), pytest.raises(Busy):
        products.save(product.id, version=1, name="Hut")

    assert (now(product).name, now(product).version) == ("Laufschuh Luchs", 1)


def test_save_finds_out_that_it_worked_when_the_answer_is_lost(product: Product):
    with wire.losing_answers():
        saved = products.save(product.id, version=1, name="Hut")

    assert (now(product).name, now(product).version, saved.version) == ("Hut", 2, 2)


@pytest.mark.parametrize("losing", [wire.losing_requests, wire.losing_answers])
def test_save_saves_once_whatever_gets_lost(product: Product, losing: Callable[[], Any]):
    with losing():
        products.save(product.id, version=1, name="Hut")

    assert (now(product).name, now(product).version) == ("Hut", 2)


def test_save_does_not_take_another_admins_save_for_its_own(product: Product):
    def bob_is_faster() -> None:
        Product(product.id).update([Product.name.set("Bobs Name"), Product.version.set(2)])

    faster = wire.just_before("TransactWriteItems", bob_is_faster)
    with faster, wire.losing_requests(), pytest.raises(ProductChanged):
        products.save(product.id, version=1, name="Danas Name")

    assert now(product).name == "Bobs Name"


# Archiving


def test_archive_takes_a_product_off_the_shelves_and_keeps_it(product: Product):
    archived = products.archive(product.id, version=1)

    assert (archived.status, now(product).status) == ("archived", "archived")
    assert catalogue.search().products == []
    assert numbers(product) == (10, 0, 10)


def test_archive_refuses_when_another_admin_saved_first(product: Product):
    products.save(product.id, version=1, name="Bobs Name")

    with pytest.raises(ProductChanged):
        products.archive(product.id, version=1)

    assert now(product).status == "active"


def test_save_does_not_say_that_nothing_was_saved_when_others_saved_behind_a_lost_answer(
    product: Product, lose_answer: Any
):
    lose_answer(after=True, then=lambda: products.save(product.id, version=2, name="Theirs"))

    with pytest.raises(Unsure):
        products.save(product.id, version=1, category="apparel")

    saved = dynamodb.get(Product, product.id)
    assert (saved.version, saved.name, saved.category) == (3, "Theirs", "apparel")


def test_save_says_that_somebody_was_first_when_the_request_was_lost(product: Product, lose_answer: Any):
    lose_answer(after=False, then=lambda: products.save(product.id, version=1, name="Theirs"))

    with pytest.raises(ProductChanged):
        products.save(product.id, version=1, category="apparel")

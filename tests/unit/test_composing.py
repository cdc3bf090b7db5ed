"""Composed products look like a shop's, are the same every time, and bring their stock properly."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from ecokart.converters import KeyConverter
from inventory import bulk, catalogue, checkout, dynamodb, products, reservations, stock
from inventory.demo import composing, seeding
from inventory.models import Movement, Product
from inventory.proof.proving import Proof
from tests.unit import wire

SOME = 200
NOW = datetime(2026, 5, 5, tzinfo=UTC)
PICTURES = {"running-shoe": "products/shoe"}


@pytest.fixture(scope="module")
def composed() -> list[Product]:
    return [composing.product(1, number, pictures=PICTURES, at=NOW) for number in range(1_000)]


@pytest.fixture(autouse=True)
def _one_picture_and_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are drawn in test_seeding.py; the database of these tests takes one writer at a time."""
    monkeypatch.setattr(seeding.pictures, "store", lambda file: "products/one-for-all")
    monkeypatch.setattr(bulk, "WRITERS", 1)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("seed_catalogue", *arguments, stdout=out)
    return out.getvalue()


def stored(product: Product) -> dict[str, object]:
    marks = {"availabilityAt", "inStockSince"}
    return {name: value for name, value in product.serialize().items() if name not in marks}


# What they look like


def test_the_same_seed_and_number_give_the_same_product(composed: list[Product]):
    again = composing.product(1, 17, pictures=PICTURES, at=NOW)

    assert stored(again) == stored(composed[17])
    assert composing.first_movement(again).serialize() == composing.first_movement(composed[17]).serialize()


def test_another_seed_gives_other_products_with_ids_of_their_own(composed: list[Product]):
    others = [composing.product(2, number, pictures=PICTURES, at=NOW) for number in range(100)]

    assert {one.id for one in others}.isdisjoint(one.id for one in composed)
    assert [one.name for one in others] != [one.name for one in composed[:100]]


@pytest.mark.parametrize("field", ["id", "sku", "description"])
def test_every_composed_product_has_its_own(composed: list[Product], field: str):
    assert len({getattr(product, field) for product in composed}) == len(composed)


def test_ids_can_stand_in_an_address(composed: list[Product]):
    assert KeyConverter().to_python(composed[0].id) == composed[0].id


def test_both_languages_have_a_name_and_30_to_60_words(composed: list[Product]):
    texts = [text for one in composed for text in (one.description, one.translations.en.description)]

    assert all(one.name and one.translations.en.name != one.name for one in composed)
    assert all(30 <= len(text.split()) <= 60 for text in texts)


def test_prices_categories_and_pictures_are_those_of_a_shop(composed: list[Product]):
    assert all(product.price_cents % 100 == 99 for product in composed)
    assert all(900 < product.price_cents < 30_000 for product in composed)
    assert {product.category for product in composed} == set(catalogue.CATEGORIES)
    assert {product.image_url for product in composed} == {"products/shoe", ""}


def test_every_kind_shows_a_picture_that_the_demo_has():
    shown = {kind["picture"] for kind in composing.words()["kinds"]}

    assert shown <= {entry["picture"] for entry in seeding._entries()}


def test_most_are_rated_above_four_and_few_have_many_reviews(composed: list[Product]):
    ratings = [product.rating for product in composed if product.rating is not None]
    reviews = sorted(product.review_count for product in composed)

    assert all(3 <= rating <= 5 for rating in ratings)
    assert sum(rating >= 4 for rating in ratings) > 0.7 * len(ratings)
    assert 0 < sum(product.rating is None for product in composed) < 0.1 * len(composed)
    assert reviews[len(reviews) // 2] < 20 < 500 < reviews[-1]


def test_some_are_sold_out_and_a_few_are_not_on_the_shelves(composed: list[Product]):
    sold_out = sum(product.available == 0 for product in composed)
    statuses = Counter(product.status for product in composed)

    assert 0.06 < sold_out / len(composed) < 0.10
    assert 0.01 < (statuses["draft"] + statuses["archived"]) / len(composed) < 0.03
    assert min(statuses["draft"], statuses["archived"]) > 0


def test_their_ages_span_three_years(composed: list[Product]):
    born = [product.created_at for product in composed]

    assert 1_000 < (max(born) - min(born)).days <= 3 * 365


# How they come into the shop


def test_the_shop_has_as_many_products_as_asked_for_and_all_stock_is_right():
    printed = run("--products", str(31 + SOME))

    proof = Proof()
    list(proof.steps())
    assert printed == f"  demo products: 31 of 31\n  composed products: {SOME} of {SOME}\n"
    assert (proof.report.products, proof.report.state, proof.report.wrong_count) == (31 + SOME, "right", 0)


def test_the_command_knows_seeds_and_leaves_out_what_the_demo_has():
    run("--products", "33", "--seed", "7")
    run("--products", "5")

    (found,) = dynamodb.get_many((Product, ["prod-7-000000", "prod-7-000001", "prod-7-000002", "prod-1-000000"]))
    assert set(found) == {"prod-7-000000", "prod-7-000001"}


def test_the_second_time_changes_nothing_that_was_sold_or_edited(contact: checkout.Contact):
    run("--products", "60")
    sold, edited = _two_on_the_shelf()
    cart = reservations.reserve("alice", sold.id, quantity=1)
    checkout.place_order("alice", token=str(cart.order_id), contact=contact)
    products.save(edited.id, version=1, name="Mein Name")

    with wire.heard() as calls:
        run("--products", "60")

    assert {name for name, _ in calls} == {"BatchGetItem"}
    assert stock.products([sold.id])[0].stock == sold.stock - 1
    assert catalogue.find(edited.id).name == "Mein Name"


def test_where_it_was_cut_off_between_movement_and_product_the_movement_stays_one():
    (product,) = (one for one in [composing.product(1, 3, pictures={}, at=NOW)] if one.stock)
    composing.first_movement(product).save()

    run("--products", "40")

    assert [movement.quantity for movement in stock.movements(product.id)] == [product.stock]
    assert stock.products([product.id])[0].stock == product.stock


def _two_on_the_shelf() -> list[Product]:
    composed = [composing.product(1, number, pictures={}, at=NOW) for number in range(29)]
    return [one for one in composed if one.stock > 1 and one.is_active][:2]


# Many items at once


def test_what_a_batch_leaves_over_is_sent_again(monkeypatch: pytest.MonkeyPatch, pauses: list[float]):
    client, left = dynamodb.connection().client, []
    real = client.batch_write_item

    def half(RequestItems: dict) -> dict:
        ((table, requests),) = RequestItems.items()
        real(RequestItems={table: requests[::2]})
        left.append(len(requests[1::2]))
        return {"UnprocessedItems": {table: requests[1::2]} if requests[1::2] else {}}

    monkeypatch.setattr(client, "batch_write_item", half)

    bulk.put([Movement.of("prod-1", "received", quantity=1, by="test") for _ in range(30)])

    assert len(stock.movements("prod-1")) == 30
    assert left == [12, 6, 3, 1, 0, 2, 1, 0]
    assert len(pauses) == 6


def test_a_batch_that_is_not_answered_is_sent_again(pauses: list[float]):
    with wire.refusing("BatchWriteItem", "ProvisionedThroughputExceededException", times=2):
        bulk.put([Movement.of("prod-1", "received", quantity=1, by="test")])

    assert len(stock.movements("prod-1")) == 1


def test_batches_that_are_never_taken_end_in_contention(pauses: list[float]):
    with (
        wire.refusing("BatchWriteItem", "ThrottlingException", times=1_000),
        pytest.raises(dynamodb.Contention),
    ):
        bulk.put([Movement.of("prod-1", "received", quantity=1, by="test")])

    assert stock.movements("prod-1") == []


def test_a_mistake_of_ours_is_not_tried_again(pauses: list[float]):
    with (
        wire.refusing("BatchWriteItem", "ValidationException"),
        pytest.raises(dynamodb.connection().client.exceptions.ClientError),
    ):
        bulk.put([Movement.of("prod-1", "received", quantity=1, by="test")])

    assert pauses == []


def test_work_in_parallel_gives_its_results_in_order_and_misses_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk, "WRITERS", 3)

    sums = list(bulk.in_parallel(sum, range(1_000), size=7))

    assert sums == [sum(range(start, min(start + 7, 1_000))) for start in range(0, 1_000, 7)]

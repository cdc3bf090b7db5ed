"""What stands in the tables: read as raw items, not through the models that wrote them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import dynamodb
from inventory.attributes import CountAttribute, DecimalAttribute, EuroCentsAttribute, MomentAttribute, iso
from inventory.models import Product

BERLIN_WINTER = timezone(timedelta(hours=1))


def stored(product_id: str) -> dict[str, Any]:
    """The item as it stands in the table."""
    return dynamodb.connection().client.get_item(TableName="ecokart-products", Key={"id": {"S": product_id}})["Item"]


def put(**attributes: dict[str, str]) -> Product:
    """Write an item past the models, read it through them."""
    item = {"id": {"S": "prod-1"}, **attributes}
    dynamodb.connection().client.put_item(TableName="ecokart-products", Item=item)
    return Product.get("prod-1")


# Prices


def test_prices_up_to_ten_thousand_euros_survive_to_the_cent():
    """Every price below a hundred euros, and every 37th above: all last digits come up."""
    price, prices = EuroCentsAttribute(), [*range(1, 10_000), *range(10_000, 1_000_000, 37), 999_999]

    wrong = [cents for cents in prices if price.deserialize(price.serialize(cents)) != cents]

    assert wrong == []


@pytest.mark.parametrize(
    ("cents", "text"),
    [(1, "0.01"), (10, "0.10"), (17999, "179.99"), (999_999, "9999.99"), (0, "0.00"), (-250, "-2.50")],
)
def test_a_price_is_stored_as_exact_euros(cents: int, text: str):
    assert EuroCentsAttribute().serialize(cents) == text


@pytest.mark.parametrize(
    ("text", "cents"), [("179.99", 17999), ("180", 18000), ("0.1", 10), ("1.7999E+2", 17999), ("359.98", 35998)]
)
def test_a_price_of_the_first_version_is_read_exactly(text: str, cents: int):
    product = put(price={"N": text})

    assert product.price_cents == cents
    assert isinstance(product.price_cents, int)


@pytest.mark.parametrize(("text", "cents"), [("19.989999999999998", 1999), ("0.005", 1), ("0.0049", 0)])
def test_what_arithmetic_with_floats_left_in_the_table_is_rounded_to_the_cent(text: str, cents: int):
    assert EuroCentsAttribute().deserialize(text) == cents


def test_a_price_stands_in_the_table_as_a_number_under_the_first_versions_name():
    Product("prod-1", price_cents=17999).save()

    assert stored("prod-1")["price"]["N"] in {"179.99"}
    assert "price_cents" not in stored("prod-1")


def test_a_price_can_be_compared_in_a_condition():
    Product("prod-1", price_cents=999).save()

    Product("prod-1").update([Product.price_cents.set(1000)], condition=Product.price_cents < 1000)

    assert stored("prod-1")["price"]["N"] in {"10.00", "10"}


# Counts and ratings


def test_a_count_is_a_whole_number():
    product = put(stock={"N": "50"}, reserved={"N": "5.0"}, reviewCount={"N": "1E+2"})

    assert (product.stock, product.reserved, product.review_count) == (50, 5, 100)
    assert all(type(count) is int for count in (product.stock, product.reserved, product.review_count))


def test_a_count_is_stored_without_a_point():
    assert CountAttribute().serialize(50) == "50"
    assert CountAttribute().serialize(True) == "1"


def test_a_count_can_be_added_to_where_it_stands():
    Product("prod-1", stock=50).save()

    Product("prod-1").update([Product.stock.add(-3)])

    assert stored("prod-1")["stock"] == {"N": "47"}


@pytest.mark.parametrize("text", ["4.5", "0", "5", "4.33"])
def test_a_rating_stays_the_decimal_that_it_is(text: str):
    rating = put(rating={"N": text}).rating

    assert rating == Decimal(text)
    assert isinstance(rating, Decimal)
    assert DecimalAttribute().serialize(rating) == text


# Moments


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-11-20T10:00:00Z", datetime(2025, 11, 20, 10, tzinfo=UTC)),
        ("2025-11-20T10:00:00.123Z", datetime(2025, 11, 20, 10, 0, 0, 123_000, tzinfo=UTC)),
        ("2025-11-20T10:00:00.123456Z", datetime(2025, 11, 20, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2025-11-20T11:00:00+01:00", datetime(2025, 11, 20, 10, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_every_form_that_stands_in_the_tables(text: str, moment: datetime):
    read = put(createdAt={"S": text}).created_at

    assert read == moment
    assert read.tzinfo is UTC


def test_a_moment_is_stored_in_utc_with_microseconds_and_z():
    moment = datetime(2025, 11, 20, 11, 0, 0, 7, tzinfo=BERLIN_WINTER)

    Product("prod-1", created_at=moment).save()

    assert stored("prod-1")["createdAt"] == {"S": "2025-11-20T10:00:00.000007Z"}


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), min_size=2))
def test_the_texts_of_moments_sort_as_time_does(moments: list[datetime]):
    texts = sorted(iso(moment) for moment in moments)

    assert [MomentAttribute().deserialize(text) for text in texts] == sorted(moments)

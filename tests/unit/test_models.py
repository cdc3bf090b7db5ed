"""What items say of themselves, and how their tables are made."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation
from pynamodb.exceptions import PutError

from inventory import clock, dynamodb
from inventory.models import (
    HELD,
    Cart,
    EmailGuard,
    Line,
    Movement,
    Order,
    Product,
    ProductText,
    Translations,
    User,
    tables,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def described(model: type) -> dict[str, Any]:
    return dynamodb.connection().client.describe_table(TableName=model.Meta.table_name)["Table"]


def line(product_id: str = "prod-1", *, quantity: int = 2, price_cents: int = 1000) -> Line:
    return Line(product_id=product_id, quantity=quantity, price_cents=price_cents)


# Products


def in_two_languages() -> Product:
    english = ProductText(name="Running shoe", description="Light.")
    return Product("p", name="Laufschuh", description="Leicht.", translations=Translations(en=english))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ("Laufschuh", "Leicht.")),
        ("en", ("Running shoe", "Light.")),
        ("en-gb", ("Running shoe", "Light.")),
        ("fr", ("Laufschuh", "Leicht.")),
        (None, ("Laufschuh", "Leicht.")),
    ],
)
def test_a_product_speaks_the_active_language(language: str | None, words: tuple[str, str]):
    with translation.override(language):
        product = in_two_languages()

        assert (product.title, product.text) == words


@pytest.mark.parametrize(
    "translations",
    [None, Translations(), Translations(en=ProductText()), Translations(en=ProductText(name="", description=""))],
)
def test_a_product_without_english_words_speaks_german(translations: Translations | None):
    product = Product("p", name="Laufschuh", description="Leicht.", translations=translations)

    with translation.override("en"):
        assert (product.title, product.text) == ("Laufschuh", "Leicht.")


def test_a_product_with_half_its_words_in_english_mixes():
    product = Product("p", name="Laufschuh", description="Leicht.", translations={"en": {"name": "Running shoe"}})

    with translation.override("en"):
        assert (product.title, product.text) == ("Running shoe", "Leicht.")


@pytest.mark.parametrize(("status", "active"), [("active", True), ("draft", False), ("archived", False)])
def test_only_an_active_product_is_active(status: str, active: bool):
    assert Product("p", status=status).is_active is active


@pytest.mark.parametrize(("available", "low"), [(6, False), (5, True), (0, True)])
def test_a_product_is_low_at_its_mark_and_below(available: int, low: bool):
    product = Product("p", stock=100, reserved=100 - available, available=available, low_stock_at=5)

    assert product.is_low is low


def test_a_product_starts_with_nothing_on_the_shelf():
    product = Product("p")

    assert (product.stock, product.reserved, product.available, product.version) == (0, 0, 0, 1)
    assert product.created_at.tzinfo is UTC


def test_the_words_of_a_product_survive_the_table():
    in_two_languages().save()

    product = dynamodb.get(Product, "p")

    assert product.translations.en.name == "Running shoe"


# Accounts


@pytest.mark.parametrize(("role", "is_admin"), [("user", False), ("admin", True), ("Admin", False), ("", False)])
def test_only_the_role_admin_is_admin(role: str, is_admin: bool):
    assert User("u", email="a@example.com", password="x", role=role).is_admin is is_admin


def test_a_guard_is_named_after_its_address():
    assert EmailGuard.key("alice@example.com") == "email#alice@example.com"


# Carts


def held_cart(**fields: Any) -> Cart:
    defaults = {"lines": [line()], "hold": HELD, "expires_at": NOON, "version": 3, "order_id": "generation-3"}
    return Cart("alice", **{**defaults, **fields})


def test_a_cart_adds_up_its_lines():
    cart = Cart("alice", lines=[line("a", quantity=2, price_cents=1999), line("b", quantity=3, price_cents=1)])

    assert (cart.units, cart.total_cents) == (5, 4001)
    assert cart.line("b").quantity == 3
    assert cart.line("c") is None


def test_an_empty_cart_comes_to_nothing():
    cart = Cart("alice")

    assert (cart.units, cart.total_cents, cart.is_held, cart.held) == (0, 0, False, {})


@pytest.mark.parametrize(("minutes", "live"), [(-1, True), (0, False), (1, False)])
def test_a_hold_ends_at_its_moment(minutes: int, live: bool):
    cart, at = held_cart(), NOON + timedelta(minutes=minutes)

    assert cart.is_live(at) is live
    assert cart.has_expired(at) is not live


def test_a_cart_that_holds_nothing_is_neither_live_nor_expired():
    cart = held_cart(hold=None, expires_at=None)

    assert not cart.is_live(NOON)
    assert not cart.has_expired(NOON)
    assert cart.held == {}


def test_a_hold_without_an_end_is_over():
    cart = held_cart(expires_at=None)

    assert cart.has_expired(NOON)
    assert not cart.is_live(NOON)


def test_the_next_version_of_a_held_cart_is_a_new_offer_that_never_vanishes_by_itself():
    before = held_cart()

    after = before.rewritten([line("b")], until=NOON)

    assert (after.user_id, after.version, after.hold, after.expires_at) == ("alice", 4, HELD, NOON)
    assert after.order_id not in {before.order_id, None}
    assert after.held == {"b": 2}
    assert after.delete_at is None


def test_the_next_version_of_a_cart_that_holds_nothing_is_swept_away_in_a_month():
    after = held_cart().rewritten([line()], until=None)

    assert (after.hold, after.expires_at, after.held) == (None, None, {})
    assert timedelta(days=29) < after.delete_at - clock.now() <= timedelta(days=30)


def test_unchanged_holds_for_the_cart_as_it_was_read():
    cart = held_cart()
    cart.save()

    cart.save(cart.unchanged())

    assert dynamodb.get(Cart, "alice").version == 3


@pytest.mark.parametrize("change", [{"version": 4}, {"order_id": "another"}, {"version": 4, "order_id": "another"}])
def test_unchanged_fails_when_somebody_wrote_the_cart_meanwhile(change: dict[str, Any]):
    held_cart(**change).save()

    with pytest.raises(PutError):
        held_cart().save(held_cart().unchanged())

    assert dynamodb.get(Cart, "alice").order_id == change.get("order_id", "generation-3")


# Orders


def test_every_step_of_an_order_leads_to_a_state_that_there_is():
    assert set(Order.STEPS) == set(Order.STATUSES)
    assert {step for steps in Order.STEPS.values() for step in steps} <= set(Order.STATUSES)


@pytest.mark.parametrize(
    ("status", "steps", "can_cancel"),
    [
        ("pending", ["paid", "cancelled"], True),
        ("paid", ["shipped", "cancelled"], True),
        ("shipped", ["delivered"], False),
        ("delivered", [], False),
        ("cancelled", [], False),
        ("from another world", [], False),
    ],
)
def test_an_order_knows_what_may_come_next(status: str, steps: list[str], can_cancel: bool):
    order = Order("o", user_id="alice", status=status)

    assert order.next_steps == steps
    assert order.can_cancel is can_cancel


def test_an_order_counts_units_not_lines():
    assert Order("o", user_id="alice", items=[line(quantity=2), line("b", quantity=5)]).units == 7


def test_an_order_names_its_state_and_never_stays_silent():
    with translation.override("en"):
        assert Order("o", user_id="alice", status="paid").status_label == "Paid"
        assert Order("o", user_id="alice", status="lost").status_label == "lost"


# Movements


def test_movements_of_one_moment_stay_apart_and_in_time():
    first, second = (Movement.of("prod-1", "received", quantity=1, by="dana") for _ in range(2))

    assert first.time != second.time
    assert abs(first.at - clock.now()) < timedelta(seconds=5)
    assert first.at.tzinfo is not None


def test_a_movement_names_its_kind_and_never_stays_silent():
    with translation.override("en"):
        assert Movement.of("p", "damaged", quantity=-1, by="dana").kind_label == "Damaged"
        assert Movement.of("p", "eaten", quantity=-1, by="dana").kind_label == "eaten"


# Tables


@pytest.mark.parametrize(
    ("model", "keys"),
    [(Product, ["id"]), (User, ["id"]), (Cart, ["userId"]), (Order, ["id"]), (Movement, ["productId", "time"])],
)
def test_tables_have_the_first_versions_keys(model: type, keys: list[str]):
    assert [key["AttributeName"] for key in described(model)["KeySchema"]] == keys


@pytest.mark.parametrize(
    ("model", "indexes"),
    [
        (
            Product,
            {"catalogue-index": ["catalogue", "updatedAt"], "availability-index": ["catalogue", "availabilityAt"]},
        ),
        (User, {"email-index": ["email"]}),
        (Cart, {"expiry-index": ["hold", "expiresAt"]}),
        (Order, {"userId-index": ["userId", "createdAt"], "status-index": ["status", "createdAt"]}),
    ],
)
def test_tables_have_the_indexes_of_the_design(model: type, indexes: dict[str, list[str]]):
    there = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in described(model)["GlobalSecondaryIndexes"]
    }

    assert there == indexes


def test_the_indexes_of_products_leave_the_stock_out():
    """Else every reservation would cost two writes."""
    indexes = {one["IndexName"]: one["Projection"] for one in described(Product)["GlobalSecondaryIndexes"]}

    projected = {name: set(projection["NonKeyAttributes"]) for name, projection in indexes.items()}

    assert {projection["ProjectionType"] for projection in indexes.values()} == {"INCLUDE"}
    assert not (projected["catalogue-index"] | projected["availability-index"]) & {"stock", "reserved", "available"}
    assert projected["catalogue-index"] >= {"name", "price", "status", "category", "translations", "sku", "version"}
    assert projected["availability-index"] == {"inStockSince"}


def test_the_expiry_index_names_only_carts_that_hold_stock():
    held_cart().save()
    Cart("bob", lines=[line()]).save()

    found = [cart.user_id for cart in Cart.expiry_index.query(HELD)]

    assert found == ["alice"]


@pytest.mark.parametrize("model", list(tables()))
def test_tables_are_paid_by_request(model: type):
    assert described(model)["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"

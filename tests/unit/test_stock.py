"""Stock changes by an amount with a reason; every change is a movement, and the movements add up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import translation

from inventory import catalogue, clock, products, reservations, stock
from inventory.errors import Busy, NoSuchPage, NoSuchProduct, ReasonDoesNotFit, StockTooLow, Unsure
from inventory.models import HELD, Cart, Movement, Product
from tests.unit import wire

MakeProduct = Callable[..., Product]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)


def adjust(by: int, reason: str, *, id: str = "prod-1") -> Product:
    return stock.adjust(id, by=by, reason=reason, note="Regal 3", who="dana@example.com")


def numbers(id: str = "prod-1") -> tuple[int, int, int]:
    product = catalogue.find(id)
    assert sum(movement.quantity for movement in stock.movements(id)) == product.stock
    return product.stock, product.reserved, product.available


# Adjusting


@pytest.mark.parametrize(
    ("by", "reason", "after"),
    [
        (5, "received", 15),
        (1, "returned", 11),
        (3, "corrected", 13),
        (-3, "corrected", 7),
        (-10, "damaged", 0),
        (100_000, "received", 100_010),
    ],
)
def test_adjust_moves_stock_and_available_by_the_amount(product: Product, by: int, reason: str, after: int):
    changed = adjust(by, reason)

    assert (changed.stock, changed.reserved, changed.available) == (after, 0, after)
    assert numbers() == (after, 0, after)


def test_adjust_writes_who_changed_what_and_why(product: Product):
    adjust(-2, "damaged")

    movement = stock.movements(product.id)[0]
    assert (movement.kind, movement.quantity, movement.by, movement.why) == (
        "damaged",
        -2,
        "dana@example.com",
        "Regal 3",
    )
    assert movement.order_id is None
    assert clock.now() - movement.at < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (0, "corrected"),
        (0, "received"),
        (-1, "received"),
        (-1, "returned"),
        (1, "damaged"),
        (1, ""),
        (1, "gift"),
        (1, "sold"),
        (-1, "sold"),
        (1, "opening"),
    ],
)
def test_adjust_refuses_a_reason_that_does_not_fit(product: Product, by: int, reason: str):
    with pytest.raises(ReasonDoesNotFit):
        adjust(by, reason)

    assert numbers() == (10, 0, 10)
    assert len(stock.movements(product.id)) == 1


def test_adjust_never_takes_what_carts_hold_although_there_is_more_in_stock(product: Product):
    reservations.reserve("alice", product.id, quantity=7)

    with pytest.raises(StockTooLow) as caught:
        adjust(-4, "damaged")

    assert caught.value.available == 3
    assert numbers() == (10, 7, 3)


def test_adjust_takes_all_that_carts_do_not_hold(product: Product):
    reservations.reserve("alice", product.id, quantity=7)

    adjust(-3, "damaged")

    assert numbers() == (7, 7, 0)


@pytest.mark.parametrize(("by", "reason"), [(-11, "damaged"), (-11, "corrected"), (-(10**9), "damaged")])
def test_adjust_never_goes_below_nothing(product: Product, by: int, reason: str):
    with pytest.raises(StockTooLow) as caught:
        adjust(by, reason)

    with translation.override("en"):
        assert caught.value.sentence.startswith("Only 10 of Laufschuh Luchs are left")
    assert numbers() == (10, 0, 10)


@pytest.mark.parametrize(("by", "reason"), [(5, "received"), (-5, "damaged")])
def test_adjust_makes_no_product_out_of_nothing(by: int, reason: str):
    with pytest.raises(NoSuchProduct):
        adjust(by, reason, id="nobody")

    assert catalogue.find("nobody") is None
    assert stock.movements("nobody") == []


def test_adjust_counts_a_sale_that_was_faster(product: Product):
    def alice_is_faster() -> None:
        reservations.reserve("alice", product.id, quantity=8)

    with wire.just_before("TransactWriteItems", alice_is_faster), pytest.raises(StockTooLow) as caught:
        adjust(-5, "damaged")

    assert caught.value.available == 2
    assert numbers() == (10, 8, 2)


def test_adjust_writes_numbers_movement_and_audit_entry_in_one_transaction(product: Product):
    with wire.heard() as calls:
        adjust(5, "received")

    ((_, call),) = [(name, call) for name, call in calls if name != "GetItem"]
    assert sorted((kind, one["TableName"]) for item in call["TransactItems"] for kind, one in item.items()) == [
        ("Put", "ecokart-audit"),
        ("Put", "ecokart-movements"),
        ("Update", "ecokart-products"),
    ]


def test_adjust_leaves_the_version_alone_so_that_no_admins_form_grows_old(product: Product):
    before = catalogue.find(product.id)

    after = adjust(5, "received")

    assert (after.version, after.updated_at) == (before.version, before.updated_at)


def test_adjust_happens_once_when_others_get_in_its_way(product: Product):
    with wire.cancelling("None", "TransactionConflict", times=4):
        adjust(5, "received")

    assert numbers() == (15, 0, 15)
    assert len(stock.movements(product.id)) == 2


def test_adjust_that_never_gets_through_writes_nothing(product: Product):
    with wire.cancelling("ThrottlingError", "None", times=99), pytest.raises(Busy):
        adjust(5, "received")

    assert numbers() == (10, 0, 10)


def test_adjust_happens_once_when_its_answer_is_lost(product: Product):
    with wire.losing_answers():
        changed = adjust(5, "received")

    assert changed.stock == 15
    assert numbers() == (15, 0, 15)


@pytest.mark.parametrize("losing", [wire.losing_requests, wire.losing_answers])
def test_adjust_books_once_whatever_gets_lost(product: Product, losing: Callable[[], Any]):
    with losing():
        adjust(5, "received")

    assert numbers() == (15, 0, 15)
    assert len(stock.movements(product.id)) == 2


def test_adjust_does_not_say_that_nothing_changed_when_it_cannot_be_looked_at(product: Product):
    with wire.failing("GetItem", nth=2), pytest.raises(Unsure):
        adjust(5, "received")

    assert numbers() == (15, 0, 15)


# Movements


def test_movements_are_told_newest_first_and_no_more_than_asked_for(product: Product):
    for by in (1, 2, 3):
        adjust(by, "received")

    assert [movement.quantity for movement in stock.movements(product.id)] == [3, 2, 1, 10]
    assert [movement.quantity for movement in stock.movements(product.id, limit=2)] == [3, 2]


def test_movements_are_those_of_one_product(make_product: MakeProduct):
    make_product(id="prod-1", stock=1)
    make_product(id="prod-11", stock=2)

    assert [movement.quantity for movement in stock.movements("prod-1")] == [1]


# Holds


def test_holds_tells_who_holds_how_many_since_when_and_until_when(product: Product):
    cart = reservations.reserve("alice", product.id, quantity=3)

    (hold,) = stock.holds(product.id)

    assert (hold.owner_id, hold.quantity, hold.until) == ("alice", 3, cart.expires_at)
    assert hold.until - hold.since == timedelta(minutes=120)


def test_holds_puts_the_one_that_ends_first_on_top(make_product: MakeProduct, later: Callable[..., None]):
    make_product(id="prod-1")
    make_product(id="prod-2")
    reservations.reserve("bob", "prod-1", quantity=2)
    later(minutes=10)
    reservations.reserve("alice", "prod-1", quantity=1)
    reservations.reserve("charlie", "prod-2", quantity=4)

    holds = stock.holds("prod-1")

    assert [(hold.owner_id, hold.quantity) for hold in holds] == [("bob", 2), ("alice", 1)]
    assert sum(hold.quantity for hold in holds) == catalogue.find("prod-1").reserved


def test_holds_leaves_out_carts_whose_hold_is_over(product: Product, later: Callable[..., None]):
    reservations.reserve("alice", product.id, quantity=3)
    later(hours=3)
    reservations.release_expired()

    assert stock.holds(product.id) == []


def test_holds_survives_a_hold_without_an_end(product: Product):
    """Such a cart is not in the index at all; the rule must not depend on that."""
    Cart("alice", lines=[], hold=HELD).save()

    assert stock.holds(product.id) == []


# Overview


def test_overview_shows_what_is_short_first_with_its_numbers_of_now(make_product: MakeProduct):
    make_product(id="prod-1", stock=50, low_stock_at=5)
    make_product(id="prod-2", stock=8, low_stock_at=10)
    make_product(id="prod-3", stock=20, low_stock_at=5)
    reservations.reserve("alice", "prod-3", quantity=18)

    page = stock.overview()

    assert [row.id for row in page.rows] == ["prod-3", "prod-2", "prod-1"]
    assert (page.rows[0].stock, page.rows[0].reserved, page.rows[0].available) == (20, 18, 2)
    assert (page.total, page.page, page.pages, page.page_numbers) == (3, 1, 1, (1,))


def test_overview_can_show_only_what_is_low(make_product: MakeProduct):
    make_product(id="prod-1", stock=6, low_stock_at=5)
    make_product(id="prod-2", stock=5, low_stock_at=5)

    page = stock.overview(low_only=True)

    assert [row.id for row in page.rows] == ["prod-2"]
    assert page.total == 1


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("größe", {"prod-1"}),
        ("GROESSE", {"prod-1"}),
        ("ek-2", {"prod-2"}),
        ("hut ek", {"prod-2"}),
        ("hut größe", set()),
        ("  ", {"prod-1", "prod-2"}),
    ],
)
def test_overview_finds_by_name_and_sku(make_product: MakeProduct, query: str, ids: set[str]):
    make_product(id="prod-1", name="Schuh Größe", sku="EK-1")
    make_product(id="prod-2", name="Hut", sku="EK-2")

    assert {row.id for row in stock.overview(query=query).rows} == ids


def test_overview_shows_drafts_and_hides_what_is_archived(make_product: MakeProduct):
    make_product(id="prod-1", status="draft")
    make_product(id="prod-2")
    products.archive("prod-2", version=1)

    assert [row.id for row in stock.overview().rows] == ["prod-1"]


def test_overview_has_pages(make_product: MakeProduct):
    for number in range(5):
        make_product(id=f"prod-{number}")

    shown = [[row.id for row in stock.overview(page=page, per_page=2).rows] for page in (1, 2, 3)]

    assert shown == [["prod-0", "prod-1"], ["prod-2", "prod-3"], ["prod-4"]]
    assert stock.overview(page=2, per_page=2).pages == 3


@pytest.mark.parametrize("page", [0, -1, 2, 10**9])
def test_overview_refuses_a_page_that_does_not_exist(product: Product, page: int):
    with pytest.raises(NoSuchPage) as caught:
        stock.overview(page=page)

    assert caught.value.pages == 1


def test_overview_of_an_empty_shop_is_one_empty_page():
    page = stock.overview()

    assert (page.rows, page.total, page.pages) == ([], 0, 1)


def test_products_come_in_the_order_asked_for_without_those_that_are_gone(make_product: MakeProduct):
    make_product(id="prod-1")
    make_product(id="prod-2")

    assert [found.id for found in stock.products(["prod-2", "gone", "prod-1"])] == ["prod-2", "prod-1"]


def test_a_movement_can_be_made_in_the_same_microsecond_as_another(product: Product):
    with time_machine.travel(clock.now(), tick=False):
        adjust(1, "received")
        adjust(2, "received")

    assert numbers() == (13, 0, 13)
    assert len({movement.time for movement in Movement.query(product.id)}) == 3


def test_a_product_of_the_first_version_is_not_adjusted_before_it_is_upgraded(product: Product):
    product.update([Product.available.remove()])

    with pytest.raises(StockTooLow):
        stock.adjust(product.id, by=5, reason="received", note="", who="dana")

    assert stock.products([product.id])[0].stock == product.stock


# Whether there is any at all, as the product's item says it


def test_what_is_taken_out_to_the_last_unit_is_sold_out(product: Product):
    adjust(-9, "damaged")
    one_left = catalogue.find(product.id)

    none_left = adjust(-1, "damaged")

    assert one_left.in_stock_since == one_left.availability_at == product.in_stock_since
    assert none_left.in_stock_since is None
    assert none_left.availability_at > one_left.availability_at


def test_what_is_received_after_the_last_unit_is_in_stock_again(product: Product):
    sold_out = adjust(-10, "damaged")

    came, more = adjust(1, "received"), adjust(5, "received")

    assert came.in_stock_since == came.availability_at > sold_out.availability_at
    assert (more.in_stock_since, more.availability_at) == (came.in_stock_since, came.availability_at)


def test_taking_out_the_last_is_tried_again_when_a_customer_was_faster(product: Product):
    reservations.reserve("alice", product.id, quantity=4)

    with wire.just_before("TransactWriteItems", lambda: reservations.reserve("alice", product.id, quantity=1)):
        adjust(-5, "damaged")

    assert numbers() == (5, 5, 0)
    assert catalogue.find(product.id).in_stock_since is None


def test_taking_out_the_last_is_tried_again_when_more_have_come(product: Product):
    with wire.just_before("TransactWriteItems", lambda: adjust(1, "received")):
        adjust(-10, "damaged")

    assert numbers() == (1, 0, 1)
    assert catalogue.find(product.id).in_stock_since is not None


def test_what_is_adjusted_is_read_before(product: Product):
    with wire.heard() as more:
        adjust(1, "received")
    with wire.heard() as less:
        adjust(-1, "damaged")

    assert [name for name, _ in more] == [name for name, _ in less] == ["GetItem", "TransactWriteItems", "GetItem"]

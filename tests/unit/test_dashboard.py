"""The figures of the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from inventory import dashboard, orders, products, reservations
from inventory.models import Order, Product
from tests.unit import wire

MakeProduct = Callable[..., Product]
# In Berlin it is already tomorrow: half past midnight on the 23rd.
NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _at_midnight() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def place(id: str, *, cents: int, status: str = "paid", at: datetime = NOW) -> Order:
    order = Order(id, user_id="alice", total_cents=cents, status=status, created_at=at)
    order.save()
    return order


def test_a_new_shop_has_nothing_to_show():
    figures = dashboard.figures()

    assert (figures.orders_today, figures.revenue_today_cents, figures.revenue_30_days_cents) == (0, 0, 0)
    assert (figures.open_orders, figures.to_ship, figures.units_held) == (0, 0, 0)
    assert (figures.low_stock, figures.newest_orders) == ([], ())
    assert {cents for _, cents in figures.revenue_by_day} == {0}


def test_orders_of_today_are_counted_in_every_state():
    for number, status in enumerate(orders.STATUSES):
        place(f"today-{number}", cents=100, status=status)
    place("yesterday", cents=100, at=NOW - timedelta(days=1))

    assert dashboard.figures().orders_today == len(orders.STATUSES)


def test_revenue_is_what_was_paid_not_what_is_hoped_for_or_given_back():
    for number, status in enumerate(["pending", "paid", "shipped", "delivered", "cancelled"]):
        place(status, cents=10**number, status=status)

    assert dashboard.figures().revenue_today_cents == 10 + 100 + 1000


def test_today_begins_at_midnight_in_the_shops_own_time():
    place("before", cents=1, at=datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC))
    place("after", cents=10, at=datetime(2026, 11, 22, 23, 0, tzinfo=UTC))

    figures = dashboard.figures()

    assert (figures.orders_today, figures.revenue_today_cents) == (1, 10)
    assert dict(figures.revenue_by_day) | {TODAY: 10, date(2026, 11, 22): 1} == dict(figures.revenue_by_day)


def test_revenue_of_thirty_days_counts_today_and_the_twenty_nine_before():
    place("first", cents=1, at=datetime(2026, 10, 24, 22, 0, tzinfo=UTC))  # Midnight of the 25th, in summer time.
    place("too-old", cents=10, at=datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC))
    place("today", cents=100)

    assert dashboard.figures().revenue_30_days_cents == 101


def test_the_chart_has_a_value_for_each_of_fourteen_days():
    place("today", cents=5, at=NOW)
    place("also-today", cents=7, status="shipped")
    place("first-day", cents=11, at=NOW - timedelta(days=13))
    place("before-it", cents=13, at=NOW - timedelta(days=14))

    by_day = dashboard.figures().revenue_by_day

    assert [day for day, _ in by_day] == [TODAY - timedelta(days=back) for back in range(13, -1, -1)]
    assert [cents for _, cents in by_day] == [11, *[0] * 12, 12]


def test_open_orders_wait_for_money_or_for_a_parcel_however_old_they_are():
    place("old", cents=1, status="pending", at=NOW - timedelta(days=400))
    place("new", cents=1, status="paid")
    place("done", cents=1, status="delivered")

    figures = dashboard.figures()

    assert (figures.open_orders, figures.to_ship) == (2, 1)


def test_units_held_are_those_in_all_carts(make_product: MakeProduct):
    make_product(id="prod-1")
    make_product(id="prod-2")
    reservations.reserve("alice", "prod-1", quantity=3)
    reservations.reserve("bob", "prod-2", quantity=4)

    assert dashboard.figures().units_held == 7


def test_low_stock_is_what_is_at_its_mark_the_shortest_first(make_product: MakeProduct):
    make_product(id="enough", stock=6, low_stock_at=5)
    make_product(id="low", stock=5, low_stock_at=5)
    make_product(id="held", stock=90, low_stock_at=5)
    make_product(id="gone", stock=0, low_stock_at=5)
    reservations.reserve("alice", "held", quantity=88)

    assert [(short.product.id, short.available) for short in dashboard.figures().low_stock] == [
        ("gone", 0),
        ("held", 2),
        ("low", 5),
    ]


def test_what_is_archived_is_not_missed(make_product: MakeProduct):
    make_product(stock=0)
    products.archive("prod-1", version=1)

    assert dashboard.figures().low_stock == []


def test_the_newest_orders_are_eight_of_any_state_newest_first():
    states = list(orders.STATUSES)
    for age in range(10):
        place(f"order-{age}", cents=1, status=states[age % 5], at=NOW - timedelta(hours=age))

    assert [order.id for order in dashboard.figures().newest_orders] == [f"order-{age}" for age in range(8)]


def test_the_figures_never_scan_a_table_and_cost_no_more_for_more_orders(make_product: MakeProduct):
    make_product()
    place("order", cents=1)
    with wire.heard() as few:
        dashboard.figures()
    for number in range(30):
        place(f"order-{number}", cents=1)

    with wire.heard() as many:
        dashboard.figures()

    assert {name for name, _ in few + many} <= {"Query", "BatchGetItem"}
    assert len(many) <= len(few) <= 20

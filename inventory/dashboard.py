"""The figures of the day for the shopkeeper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from inventory import catalogue, orders, stock
from inventory.models import Order, Product

DAYS_OF_REVENUE = 30
DAYS_OF_CHART = 14
_EARNED = ("paid", "shipped", "delivered")


@dataclass(frozen=True)
class Figures:
    """Revenue is what paid, shipped and delivered orders come to, by the day they were placed, in cents."""

    orders_today: int
    revenue_today_cents: int
    revenue_30_days_cents: int
    open_orders: int
    unpaid: int
    to_ship: int
    units_held: int
    low_stock: list[Product]
    newest_orders: list[Order]
    revenue_by_day: list[tuple[date, int]]


def figures() -> Figures:
    """Today, and the last weeks. Asks the index of orders by state; the stock of what is not archived is read anew."""
    today, waiting = timezone.localdate(), orders.waiting()
    recent = {status: list(_since(status, today - timedelta(days=DAYS_OF_REVENUE - 1))) for status in orders.STATUSES}
    by_day: dict[date, int] = {}
    for status in _EARNED:
        for order in recent[status]:
            day = timezone.localdate(order.created_at)
            by_day[day] = by_day.get(day, 0) + order.total_cents
    days = [today - timedelta(days=back) for back in range(DAYS_OF_CHART - 1, -1, -1)]
    products = stock.products(product.id for product in catalogue.everything() if product.status != "archived")
    return Figures(
        orders_today=sum(timezone.localdate(order.created_at) == today for found in recent.values() for order in found),
        revenue_today_cents=by_day.get(today, 0),
        revenue_30_days_cents=sum(by_day.values()),
        open_orders=sum(waiting.values()),
        unpaid=waiting["pending"],
        to_ship=waiting["paid"],
        units_held=sum(product.reserved for product in products),
        low_stock=sorted((product for product in products if product.is_low), key=lambda product: product.available),
        newest_orders=orders.list_by_status(None, limit=8),
        revenue_by_day=[(day, by_day.get(day, 0)) for day in days],
    )


def _since(status: str, day: date) -> Iterator[Order]:
    start = datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
    return iter(Order.status_index.query(status, Order.created_at >= start))

"""The figures of the day for the shopkeeper."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from inventory import catalogue, dynamodb, orders
from inventory.models import Order, Product

DAYS_OF_REVENUE = 30
DAYS_OF_CHART = 14
NEWEST = 8
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
    today = timezone.localdate()
    since = datetime.combine(today - timedelta(days=DAYS_OF_REVENUE - 1), time.min, timezone.get_default_timezone())
    found = {status: _placed(status, since) for status in orders.STATUSES}
    recent = {status: [order for order in some if order.created_at >= since] for status, some in found.items()}
    by_day: dict[date, int] = {}
    for status in _EARNED:
        for order in recent[status]:
            day = timezone.localdate(order.created_at)
            by_day[day] = by_day.get(day, 0) + order.total_cents
    days = [today - timedelta(days=back) for back in range(DAYS_OF_CHART - 1, -1, -1)]
    newest = heapq.nlargest(NEWEST, itertools.chain(*recent.values()), key=lambda order: order.created_at)
    products, shown = _read([order.id for order in newest])
    return Figures(
        orders_today=sum(timezone.localdate(order.created_at) == today for order in itertools.chain(*recent.values())),
        revenue_today_cents=by_day.get(today, 0),
        revenue_30_days_cents=sum(by_day.values()),
        open_orders=sum(len(found[status]) for status in orders.WAITING),
        unpaid=len(found["pending"]),
        to_ship=len(found["paid"]),
        units_held=sum(product.reserved for product in products),
        low_stock=sorted((product for product in products if product.is_low), key=lambda product: product.available),
        newest_orders=shown,
        revenue_by_day=[(day, by_day.get(day, 0)) for day in days],
    )


def _placed(status: str, since: datetime) -> list[Order]:
    """Orders in a state with what the figures need of them: of those that wait for the shop all, else the recent."""
    when = None if status in orders.WAITING else Order.created_at >= since
    return list(Order.status_index.query(status, when, attributes_to_get=["id", "createdAt", "totalAmount"]))


def _read(newest: list[str]) -> tuple[list[Product], list[Order]]:
    """All products with their stock of now, and the newest orders, which are among the recent where those are many."""
    listed = [product.id for product in catalogue.everything() if product.status != "archived"]
    products, found = dynamodb.get_many((Product, listed), (Order, newest))
    if len(newest) < NEWEST:
        return [*products.values()], orders.list_by_status(None, limit=NEWEST)
    return [*products.values()], [found[one] for one in newest if one in found]

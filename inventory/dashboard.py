"""The figures of the day for the shopkeeper."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils import timezone

from inventory import catalogue, dynamodb, orders
from inventory.attributes import iso
from inventory.catalogue import Listed
from inventory.dynamodb import Raw
from inventory.models import Note, Order, Product
from inventory.proof import reports
from inventory.proof.reports import Report

DAYS_OF_REVENUE = 30
DAYS_OF_CHART = 14
NEWEST = 8
_EARNED = ("paid", "shipped", "delivered")
_PLACED = ("id", "createdAt", "totalAmount")
_NUMBERS = ("id", "reserved", "available", "lowStockAt")


@dataclass(frozen=True)
class Short:
    """A product of which no more units are available than its limit says."""

    product: Listed
    available: int


@dataclass(frozen=True)
class Figures:
    """Revenue is what paid, shipped and delivered orders come to, by the day they were placed, in cents.

    ``proof`` is what the last full proof of the stock has found.
    """

    orders_today: int
    revenue_today_cents: int
    revenue_30_days_cents: int
    open_orders: int
    unpaid: int
    to_ship: int
    units_held: int
    low_stock: list[Short]
    newest_orders: tuple[orders.Row, ...]
    revenue_by_day: list[tuple[date, int]]
    proof: Report | None


@dataclass(frozen=True, slots=True)
class _Placed:
    """Of an order what the figures need."""

    id: str
    at: datetime
    day: date
    cents: int


def figures() -> Figures:
    """Today, and the last weeks. Asks the index of orders by state; the stock of what is not archived is read anew."""
    today = timezone.localdate()
    since = datetime.combine(today - timedelta(days=DAYS_OF_REVENUE - 1), time.min, timezone.get_default_timezone())
    found = {status: _placed(status, since) for status in orders.STATUSES}
    recent = {status: [order for order in some if order.at >= since] for status, some in found.items()}
    by_day: dict[date, int] = {}
    for order in itertools.chain(*(recent[status] for status in _EARNED)):
        by_day[order.day] = by_day.get(order.day, 0) + order.cents
    days = [today - timedelta(days=back) for back in range(DAYS_OF_CHART - 1, -1, -1)]
    newest = heapq.nlargest(NEWEST, itertools.chain(*recent.values()), key=lambda order: order.at)
    listed = {product.id: product for product in catalogue.everything() if product.status != "archived"}
    numbers, rows, notes = dynamodb.get_raw(
        (Product, listed, _NUMBERS),
        (Order, [order.id for order in newest], orders.ROW),
        (Note, [reports.NOTE], ()),
    )
    return Figures(
        orders_today=sum(order.day == today for order in itertools.chain(*recent.values())),
        revenue_today_cents=by_day.get(today, 0),
        revenue_30_days_cents=sum(by_day.values()),
        open_orders=sum(len(found[status]) for status in orders.WAITING),
        unpaid=len(found["pending"]),
        to_ship=len(found["paid"]),
        units_held=sum(_number(raw, "reserved") for raw in numbers.values()),
        low_stock=_low(listed, numbers),
        newest_orders=_newest([rows[order.id] for order in newest if order.id in rows]),
        revenue_by_day=[(day, by_day.get(day, 0)) for day in days],
        proof=reports.of(notes.get(reports.NOTE)),
    )


def _placed(status: str, since: datetime) -> list[_Placed]:
    """Orders in a state: of those that wait for the shop all, else the recent."""
    when = "" if status in orders.WAITING else iso(since)
    found = []
    for raw in dynamodb.query_raw(Order, Order.status_index, status, _PLACED, since=when):
        at = orders.moment(raw)
        found.append(_Placed(raw["id"]["S"], at, timezone.localdate(at), orders.cents(raw)))
    return found


def _newest(recent: list[Raw]) -> tuple[orders.Row, ...]:
    """The newest orders, which are among the recent where those are many."""
    return tuple(map(orders.row, recent)) if len(recent) == NEWEST else orders.listing(limit=NEWEST).rows


def _low(listed: Mapping[str, Listed], numbers: Mapping[str, Raw]) -> list[Short]:
    found = [
        Short(listed[product_id], _number(raw, "available"))
        for product_id, raw in numbers.items()
        if _number(raw, "available") <= _number(raw, "lowStockAt", listed[product_id].low_stock_at)
    ]
    return sorted(found, key=lambda short: short.available)


def _number(raw: Raw, name: str, default: int = 0) -> int:
    return int(Decimal(raw[name]["N"])) if name in raw else default

"""Orders as they are taken out of the shop, a month at a time. Each time stands in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from inventory import audit, dynamodb
from inventory.errors import TooManyOrders
from inventory.models import Order

#: More are no month of a shop like this, and would take a function longer than it has.
MOST = 10_000


class Sold(NamedTuple):
    """What is told of an order."""

    number: str
    at: datetime
    status: str
    email: str
    country: str
    units: int
    total_cents: int


def orders(month: str, *, by: str) -> list[Sold]:
    """What was ordered in a month (``2026-11``) of the shop's time, oldest first.

    Raises TooManyOrders, Contention where the database does not answer, and Busy where the entry in the audit log could
    not be written: then nobody gets anything.
    """
    found: dict[str, Sold] = {}
    with dynamodb.reading():
        # In the order of an order's life: one that goes on meanwhile is found twice rather than never.
        for status in Order.STATUSES:
            for order in _placed(status, month):
                found[order.id] = _told(order)
                if len(found) > MOST:
                    raise TooManyOrders(MOST)
    _note(month, by=by)
    return sorted(found.values(), key=lambda sold: sold.at)


def _placed(status: str, month: str) -> Iterator[Order]:
    first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=timezone.get_default_timezone())
    following = (first + timedelta(days=31)).replace(day=1)
    last = following.astimezone(UTC) - timedelta(microseconds=1)
    return iter(Order.status_index.query(status, Order.created_at.between(first, last)))


def _told(order: Order) -> Sold:
    return Sold(
        number=order.number or order.id,
        at=order.created_at,
        status=order.status_label,
        email=order.email,
        country=str(order.address.country) if order.address else "",
        units=order.units,
        total_cents=order.total_cents,
    )


@dynamodb.retry_while_busy
def _note(month: str, *, by: str) -> None:
    """A try whose answer got lost leaves a second entry, which is better than none."""
    with dynamodb.transaction() as tx:
        audit.write(tx, "order.exported", by=by, note=month)

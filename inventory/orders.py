"""Orders after they were placed: whose they are, and their way from pending to delivered or cancelled."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice

from pynamodb.expressions.update import Action

from inventory import audit, availability, clock, dynamodb, mails
from inventory.attributes import EuroCentsAttribute, MomentAttribute
from inventory.errors import NotPossible
from inventory.models import Movement, Order, Product, Step

STATUSES = Order.STATUSES
WAITING = ("pending", "paid")
#: What an order becomes that its customer gets a mail about.
TOLD = ("shipped", "cancelled")
#: What a row wants.
ROW = ("id", "number", "status", "createdAt", "address", "email", "userId", "items", "totalAmount")
_cents, _moment = EuroCentsAttribute().deserialize, MomentAttribute().deserialize


@dataclass(frozen=True, slots=True)
class Row:
    """An order as lists of the shop's staff show it. ``customer`` is their e-mail address, or what else tells them."""

    id: str
    number: str
    status: str
    created_at: datetime
    name: str
    customer: str
    units: int
    total_cents: int

    @property
    def status_label(self) -> str:
        return str(Order.STATUSES.get(self.status, self.status))


@dataclass(frozen=True)
class Listing:
    """Orders, newest first, and how many there are in each state that waits for the shop."""

    rows: tuple[Row, ...]
    waiting: dict[str, int]


def find(order_id: str) -> Order | None:
    """The order as it stands now, or None."""
    return dynamodb.get(Order, order_id) if order_id else None


def list_for(owner_id: str, *, limit: int = 50) -> list[Order]:
    """An owner's orders, newest first."""
    return list(Order.owner_index.query(owner_id, scan_index_forward=False, limit=limit))


def all_for(owner_id: str) -> list[Order]:
    """All of an owner's orders, newest first, however many."""
    with dynamodb.reading():
        return list(Order.owner_index.query(owner_id, scan_index_forward=False))


def listing(status: str | None = None, *, limit: int = 50) -> Listing:
    """Orders in one state, or in any, newest first.

    Of the finished ones nobody counts more than are shown: that would read all there ever were.
    """
    found = {one: _newest(one, limit) for one in ([status] if status else STATUSES)}
    rows = heapq.merge(*found.values(), key=lambda order: order.created_at, reverse=True)
    # Who has read fewer than they asked for has read all.
    waiting = {
        one: len(found[one]) if one in found and len(found[one]) < limit else Order.status_index.count(one)
        for one in WAITING
    }
    return Listing((*islice(rows, limit),), waiting)


def row(raw: dynamodb.Raw) -> Row:
    """An order as DynamoDB sends it, with the attributes that are named in ``ROW``."""
    return Row(
        raw["id"]["S"],
        _text(raw, "number"),
        _text(raw, "status"),
        moment(raw),
        _text(raw.get("address", {}).get("M", {}), "name"),
        _text(raw, "email") or _text(raw, "userId"),
        sum(int(Decimal(line["M"]["quantity"]["N"])) for line in raw.get("items", {}).get("L", [])),
        cents(raw),
    )


def moment(raw: dynamodb.Raw) -> datetime:
    """When an order was placed."""
    return _moment(raw["createdAt"]["S"])


def cents(raw: dynamodb.Raw) -> int:
    """What an order comes to."""
    return _cents(raw["totalAmount"]["N"]) if "totalAmount" in raw else 0


def cancel(order: Order, *, by: str, note: str = "", by_staff: bool = False) -> Order:
    """Cancel an order and put its units back on the shelf, once. Raises NotPossible once it is shipped, and Busy."""
    return _take(order.id, Step(status="cancelled", at=clock.now(), by=by, note=note), by_staff=by_staff)


def advance(order: Order, *, to: str, by: str, tracking: str = "") -> Order:
    """Take an order to its next state. Raises NotPossible when its state by now does not allow that, and Busy."""
    return _take(order.id, Step(status=to, at=clock.now(), by=by, note=tracking), tracking=tracking, by_staff=True)


def forget_customer(owner_id: str, *, beside: Iterable[str] = ()) -> None:
    """Take the e-mail address out of an owner's orders: at once, or when one that is under way has come to its end.

    ``beside`` are ids of orders that may be theirs. Name and delivery address stay: they belong to the invoice, which
    must be kept. May be repeated. Raises Busy.
    """
    for order_id in {*(order.id for order in all_for(owner_id)), *beside}:
        _forget(order_id, owner_id)


@dynamodb.retry_while_busy
def _forget(order_id: str, owner_id: str) -> None:
    order = dynamodb.get(Order, order_id)
    if order is None or order.user_id != owner_id or order.is_forgotten:
        return
    actions: list[Action] = [Order.is_forgotten.set(True)]
    if not order.next_steps:
        actions += [Order.email.set(""), Order.history.set(_without_address(order))]
    with dynamodb.transaction() as tx:
        unmoved = Order.status == order.status
        tx.update(Order(order_id), actions, condition=unmoved, otherwise=dynamodb.contended)


def _without_address(order: Order) -> list[Step]:
    """What happened to an order, with its owner's id where their e-mail address stood."""
    for step in order.history:
        step.by = order.user_id if step.by == order.email else step.by
    return order.history


@dynamodb.retry_while_busy
def _take(order_id: str, step: Step, *, tracking: str = "", by_staff: bool) -> Order:
    order = dynamodb.get(Order, order_id)
    if order is not None and step.at in [one.at for one in order.history if one.by == step.by]:
        return order  # An earlier try has happened after all.
    if order is None or step.status not in order.next_steps:
        raise _not_possible(order, order_id)
    # A movement names its customer by id, so that it can stay when the person goes.
    mover = order.user_id if step.by == order.email else step.by
    actions: list[Action] = [Order.status.set(step.status)]
    if order.is_forgotten and not Order.STEPS[step.status]:
        actions += [Order.email.set(""), Order.history.set([*_without_address(order), step])]
    else:
        actions.append(Order.history.set(Order.history.append([step])))
    if tracking:
        actions.append(Order.tracking.set(tracking))
    with dynamodb.transaction() as tx:
        same = Order.status == order.status
        tx.update(Order(order_id), actions, condition=same, otherwise=dynamodb.contended)
        if step.status == "cancelled":
            _return_stock(tx, order, by=mover)
        if step.status in TOLD and order.email:
            mails.write(tx, f"order-{step.status}", to=order.email, about={"order": order.id}, language=order.language)
        if by_staff:
            _write_down(tx, order, step)
    order.status, order.tracking, order.history = step.status, tracking or order.tracking, [*order.history, step]
    return order


def _write_down(tx: dynamodb.transaction, order: Order, step: Step) -> None:
    what = "order.cancelled" if step.status == "cancelled" else "order.moved"
    changes = [("status", order.status, step.status)]
    audit.write(tx, what, by=step.by, target=f"order#{order.id}", changes=changes, note=step.note)


def _return_stock(tx: dynamodb.transaction, order: Order, *, by: str) -> None:
    for line in order.items:
        tx.update(
            Product(line.product_id),
            [*availability.raised(line.quantity), Product.stock.add(line.quantity)],
            condition=Product.id.exists(),
            otherwise=dynamodb.contended,
        )
        back = Movement.of(line.product_id, "returned", quantity=line.quantity, by=by, order_id=order.id)
        tx.put(back, condition=Movement.product_id.does_not_exist(), otherwise=dynamodb.contended)


def _not_possible(order: Order | None, order_id: str) -> NotPossible:
    if order is None:
        return NotPossible(order_id, status="?")
    return NotPossible(order.number, status=order.status_label)


def _newest(status: str, limit: int) -> list[Row]:
    found = dynamodb.query_raw(Order, Order.status_index, status, ROW, newest=limit)
    return [row(raw) for raw in islice(found, limit)]


def _text(raw: Mapping[str, dynamodb.Raw], name: str) -> str:
    return str(raw.get(name, {}).get("S", ""))

"""What the proof needs to know of an item, read from what DynamoDB sends.

Not through the models: their conversion would cost more than everything else, and a damaged item must not stop the
proof. What is not there or makes no sense counts as 0 or nothing, and then does not add up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from inventory.models import HELD
from inventory.tables import UPGRADER

Raw = dict[str, Any]
#: What a shelf is read from.
SHELF = ("id", "name", "stock", "reserved", "available", "moves", "inStockSince", "availabilityAt")


@dataclass(frozen=True, slots=True)
class Shelf:
    """A product's numbers, in units. ``is_old`` if it was never brought up to date from the first version.

    ``in_stock_since`` and ``availability_at`` are its marks, as text or nothing.
    """

    name: str
    stock: int
    reserved: int
    available: int
    moves: int
    is_old: bool
    in_stock_since: str
    availability_at: str

    @property
    def is_marked(self) -> bool:
        """Whether its marks say what its numbers say."""
        return self.says(self.available)

    def says(self, available: int) -> bool:
        """Whether its marks are right for so many available units."""
        return bool(self.availability_at) and bool(self.in_stock_since) == (available > 0)


@dataclass(frozen=True, slots=True)
class Basket:
    """A cart that holds stock: units by product, when it was written, until when (text, or nothing) it holds them."""

    owner_id: str
    held: dict[str, int]
    written: str
    until: str
    vanishes: bool


@dataclass(frozen=True, slots=True)
class Sale:
    """An order: units by product, and what its movements should say.

    The first version wrote no movements; what it had cancelled by then was never returned to this shop's stock.
    """

    id: str
    number: str
    ordered: dict[str, int]
    status: str
    last_step: str
    is_old: bool
    was_cancelled_before: bool
    total_cents: int
    sum_cents: int

    @property
    def is_cancelled(self) -> bool:
        return self.status == "cancelled"


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement, in units with their sign. Its time is its key among the product's movements.

    ``by`` and ``why`` are for whoever shows it: they are empty where all movements are read.
    """

    product_id: str
    time: str
    kind: str
    quantity: int
    order_id: str
    by: str = ""
    why: str = ""


@dataclass(slots=True)
class Account:
    """What the movements of one product say of one order: units, and how many movements say so."""

    sold: int = 0
    sales: int = 0
    returned: int = 0
    returns: int = 0

    def enter(self, moved: Moved) -> None:
        if moved.kind == "sold":
            self.sold -= moved.quantity
            self.sales += 1
        elif moved.kind == "returned":
            self.returned += moved.quantity
            self.returns += 1


@dataclass(slots=True)
class Seen:
    """One product at one moment. ``baskets`` or ``movements`` are None if they could not be seen at that moment."""

    shelf: Shelf | None
    baskets: dict[str, Basket] | None
    movements: list[Moved] | None
    sales: dict[str, Sale] = field(default_factory=dict)


def shelf(raw: Raw) -> Shelf:
    return Shelf(
        _text(raw, "name"),
        stock=_number(raw, "stock"),
        reserved=_number(raw, "reserved"),
        available=_number(raw, "available"),
        moves=_number(raw, "moves"),
        is_old="available" not in raw,
        in_stock_since=_text(raw, "inStockSince"),
        availability_at=_text(raw, "availabilityAt"),
    )


def basket(raw: Raw) -> Basket | None:
    """A cart as far as it holds stock; None if it does not."""
    if _text(raw, "hold") != HELD:
        return None
    return Basket(_text(raw, "userId"), units(raw), _text(raw, "updatedAt"), _text(raw, "expiresAt"), "deleteAt" in raw)


def sale(raw: Raw) -> Sale:
    steps = [step.get("M", {}) for step in raw.get("history", {}).get("L", [])]
    is_old = not steps or _text(steps[0], "by") == UPGRADER
    status = _text(raw, "status")
    return Sale(
        _text(raw, "id"),
        _text(raw, "number"),
        units(raw),
        status,
        last_step=_text(steps[-1], "status") if steps else "",
        is_old=is_old,
        was_cancelled_before=is_old and (_text(steps[0], "status") if steps else status) == "cancelled",
        total_cents=_cents(raw, "totalAmount"),
        sum_cents=sum(_cents(line, "price") * _number(line, "quantity") for line in _lines(raw)),
    )


def moved(raw: Raw) -> Moved:
    product_id, time, kind = _text(raw, "productId"), _text(raw, "time"), _text(raw, "kind")
    by, why = _text(raw, "by"), _text(raw, "why")
    return Moved(product_id, time, kind, _number(raw, "quantity"), _text(raw, "order"), by, why)


def units(raw: Raw) -> dict[str, int]:
    """How many of each product the lines of a cart or an order come to."""
    found: Counter[str] = Counter()
    for line in _lines(raw):
        found[_text(line, "productId")] += _number(line, "quantity")
    return found


def accounts(movements: list[Moved]) -> dict[str, Account]:
    """What one product's movements say of each order that they name."""
    found: dict[str, Account] = {}
    for movement in movements:
        if movement.order_id:
            found.setdefault(movement.order_id, Account()).enter(movement)
    return found


def _lines(raw: Raw) -> list[Raw]:
    return [line.get("M", {}) for line in raw.get("items", {}).get("L", [])]


def _text(raw: Raw, name: str) -> str:
    return raw[name].get("S", "") if name in raw else ""


def _number(raw: Raw, name: str) -> int:
    number = raw[name].get("N", "0") if name in raw else "0"
    # As all of ours are. To make a decimal of it first takes three times as long.
    return int(number) if number.isdecimal() else int(Decimal(number))


def _cents(raw: Raw, name: str) -> int:
    return int((_decimal(raw, name) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _decimal(raw: Raw, name: str) -> Decimal:
    return Decimal(raw.get(name, {}).get("N", 0))

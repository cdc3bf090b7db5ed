"""What is wrong with what was read. Pure rules; nothing here reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum

from inventory import clock
from inventory.proof import facts, findings
from inventory.proof.facts import Account, Basket, Moved, Sale, Seen, Shelf
from inventory.proof.findings import Finding

#: The findings that need to know every cart which holds a product.
KINDS_OF_CARTS = {"held", "gone_held"}
#: Holds take hours (RESERVATION_MINUTES). One that goes on for longer than this was not made by the shop.
_LONGEST_HOLD = timedelta(days=60)


class Question(Enum):
    """What is asked of a product. Each may have its answer at another moment than the others."""

    NUMBERS = "numbers"
    CARTS = "carts"
    MOVEMENTS = "movements"
    ORDERS = "orders"


def answers(product_id: str, seen: Seen, orders: Collection[str]) -> dict[Question, list[Finding] | None]:
    """What is wrong with a product, by question: an empty list if nothing, None if this look could not tell."""
    return {
        Question.NUMBERS: of_numbers(product_id, seen.shelf),
        Question.CARTS: _of_baskets(product_id, seen),
        Question.MOVEMENTS: _of_movements(product_id, seen),
        Question.ORDERS: _of_orders(product_id, seen, orders),
    }


def of_numbers(product_id: str, shelf: Shelf | None) -> list[Finding]:
    if shelf is None:
        return []
    if shelf.is_old:
        return [Finding("old", product_id, shelf.name)]
    numbers = {"stock": shelf.stock, "reserved": shelf.reserved, "available": shelf.available}
    found = []
    if min(numbers.values()) < 0:
        found.append(Finding("negative", product_id, shelf.name, numbers))
    if shelf.stock != shelf.available + shelf.reserved:
        total = shelf.available + shelf.reserved
        found.append(Finding("split", product_id, shelf.name, {**numbers, "sum": total}))
    return found + _of_mark(product_id, shelf)


def _of_mark(product_id: str, shelf: Shelf) -> list[Finding]:
    """Whether its item says that it is in stock exactly when it is."""
    if shelf.is_marked:
        return []
    kind = "undated"
    if shelf.availability_at:
        kind = "sold_out" if shelf.in_stock_since else "in_stock"
    return [Finding(kind, product_id, shelf.name, {"available": shelf.available, "since": shelf.in_stock_since})]


def of_holders(product_id: str, shelf: Shelf | None, holders: Mapping[str, int]) -> list[Finding]:
    """``holders`` are the units that each cart holds of the product."""
    words = findings.of_holders(holders)
    if shelf is None:
        return [Finding("gone_held", product_id, "", words)] if holders else []
    if shelf.is_old or shelf.reserved == words["held"]:
        return []
    off = shelf.reserved - words["held"]
    return [Finding("held", product_id, shelf.name, {**words, "reserved": shelf.reserved, "off": off})]


def of_sum(product_id: str, shelf: Shelf | None, moved: int, *, count: int) -> list[Finding]:
    """``moved`` is what the product's movements add up to; there are ``count`` of them."""
    if shelf is None:
        return [Finding("gone_moved", product_id, "", {"moved": moved})] if count else []
    if shelf.is_old or shelf.stock == moved:
        return []
    return [Finding("moved", product_id, shelf.name, {"stock": shelf.stock, "moved": moved})]


def of_order_line(product_id: str, name: str, order_id: str, sale: Sale | None, account: Account) -> list[Finding]:
    """Whether a product's movements say of an order what its lines say."""
    data = {
        "order_id": order_id, "order": order_id, "ordered": 0, "sold": account.sold, "returned": account.returned,
    }  # fmt: skip
    if sale is None:
        return [Finding("no_order", product_id, name, data)] if account.sales or account.returns else []
    ordered = sale.ordered.get(product_id, 0)
    data |= {"order": sale.number or order_id, "ordered": ordered}
    kinds = (_sold(sale, ordered, account), _returned(sale, ordered, account))
    counts = (account.sales, account.returns)
    return [
        Finding(kind, product_id, name, {**data, "count": count})
        for kind, count in zip(kinds, counts, strict=True)
        if kind
    ]


def of_order(sale: Sale) -> list[Finding]:
    found = []
    if sale.total_cents != sale.sum_cents:
        found.append(Finding("total", sale.id, sale.number, {"cents": [sale.total_cents, sale.sum_cents]}))
    if sale.last_step and sale.status != sale.last_step:
        found.append(Finding("status", sale.id, sale.number, {"status": sale.status, "last": sale.last_step}))
    return found


def of_basket(basket: Basket) -> list[Finding]:
    found = [
        Finding("nothing_held", basket.owner_id, "", {"product": product_id, "units": units})
        for product_id, units in basket.held.items()
        if units < 1
    ]
    if not _ends(basket.until):
        found.append(Finding("endless", basket.owner_id))
    if basket.vanishes:
        found.append(Finding("vanishing", basket.owner_id))
    return found


def _ends(until: str) -> bool:
    """Whether this is a moment, and not one so far off that nobody will see it."""
    try:
        return datetime.fromisoformat(until) <= clock.now() + _LONGEST_HOLD
    except (ValueError, TypeError):
        return False


def of_unnamed_sales(product_id: str, name: str, movements: Iterable[Moved]) -> list[Finding]:
    return [
        Finding("unnamed_sale", product_id, name, {"order_id": moved.time, "time": moved.time, "sold": -moved.quantity})
        for moved in movements
        if moved.kind == "sold" and not moved.order_id
    ]


def holders_of(product_id: str, baskets: Mapping[str, Basket]) -> dict[str, int]:
    return {owner_id: basket.held[product_id] for owner_id, basket in baskets.items() if product_id in basket.held}


def _of_baskets(product_id: str, seen: Seen) -> list[Finding] | None:
    if seen.baskets is None:
        return None
    return of_holders(product_id, seen.shelf, holders_of(product_id, seen.baskets))


def _of_movements(product_id: str, seen: Seen) -> list[Finding] | None:
    if seen.movements is None:
        return None
    moved = sum(movement.quantity for movement in seen.movements)
    return of_sum(product_id, seen.shelf, moved, count=len(seen.movements))


def _of_orders(product_id: str, seen: Seen, orders: Collection[str]) -> list[Finding] | None:
    if seen.movements is None:
        return None
    name = seen.shelf.name if seen.shelf else ""
    accounts = facts.accounts(seen.movements)
    found = of_unnamed_sales(product_id, name, seen.movements)
    for order_id in orders:
        account = accounts.get(order_id, Account())
        found += of_order_line(product_id, name, order_id, seen.sales.get(order_id), account)
    return found


def _sold(sale: Sale, ordered: int, account: Account) -> str:
    if sale.is_old:
        return "sold_before" if account.sales else ""
    if ordered and not account.sales:
        return "not_sold"
    once = (account.sales, account.sold) == (1 if ordered else 0, ordered)
    return "" if once else "sold_otherwise"


def _returned(sale: Sale, ordered: int, account: Account) -> str:
    if not sale.is_cancelled or sale.was_cancelled_before or not ordered:
        return "returned_too_early" if account.returns else ""
    if not account.returns:
        return "not_returned"
    return "" if (account.returns, account.returned) == (1, ordered) else "returned_otherwise"

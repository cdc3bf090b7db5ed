"""How a product's available units change, and the mark on it that says whether there are any.

Whoever wants to know which of 100,000 products are sold out cannot read the stock of them all. So each carries
``inStockSince``, which is there exactly while units are available, in an index that leaves the numbers out. The mark
moves in the same write as the number. To keep it costs nothing until a product sells out or comes back.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action, RemoveAction

from inventory import clock
from inventory.models import Product


def raised(units: int) -> list[Action]:
    """What puts units on the shelf (at least one). The mark needs no condition: what is in stock stays so."""
    return [Product.available.add(units), Product.moves.add(1), *_in_stock()]


def lowered(units: int, *, seen: Product | None) -> tuple[list[Action], Condition]:
    """What takes units off the shelf, and the condition under which it may.

    ``seen`` is the product as it was read. If these were its last units the write sells it out, and demands that they
    still are the last; every other write demands that some are left. So where the condition fails although there are
    enough units, what was read is old: ``is_enough`` tells.
    """
    actions: list[Action] = [Product.available.add(-units), Product.moves.add(1)]
    if seen is not None and seen.available == units:
        return [*actions, *_sold_out()], Product.available == units
    return actions, Product.available > units


def is_enough(units: int, *, found: Product | None) -> bool:
    """Whether a write of ``lowered`` that failed only has to be done again, with what stands there now."""
    return found is not None and found.available >= units


def marks(available: int) -> list[Action]:
    """What marks a product that has so many available units, however it was marked before."""
    return _in_stock() if available > 0 else _sold_out()


def begin(product: Product) -> Product:
    """Mark a product that is about to be written for the first time, by the units that it begins with."""
    product.availability_at = clock.now()
    product.in_stock_since = product.availability_at if product.available > 0 else None
    return product


def _in_stock() -> list[Action]:
    """Since when it was, if it was, and else since now."""
    since = Product.in_stock_since | clock.now()
    return [Product.availability_at.set(since), Product.in_stock_since.set(since)]


def _sold_out() -> list[Action]:
    return [Product.availability_at.set(clock.now()), Product.in_stock_since.remove()]


def said(actions: Sequence[Action]) -> bool | None:
    """Whether a product that was just written so has units; None where that is not known from the write alone."""
    if any(isinstance(action, RemoveAction) for action in actions):
        return False
    return True if any(str(action.values[0]) == Product.in_stock_since.attr_name for action in actions) else None

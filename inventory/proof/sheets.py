"""What pages show of products' stock: of each at one moment, where it stands still."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from inventory import dynamodb, stock
from inventory.models import Note, Product
from inventory.proof import facts, looks, reports
from inventory.proof.facts import Moved
from inventory.proof.looks import Begun, Verdict
from inventory.proof.reports import Report
from inventory.stock import Hold, Ledger


@dataclass(frozen=True)
class Sheet:
    """A product with the numbers that the verdict is about, a page of its movements, and who holds it."""

    product: Product
    verdict: Verdict
    ledger: Ledger
    holds: list[Hold]


def find(product_id: str, *, before: str = "") -> Sheet | None:
    """The sheet of a product, with its newest movements or those older than the key ``before``; None if there is none.

    The orders that these movements name are compared with them.
    """

    def named(movements: list[Moved]) -> Collection[str]:
        return {entry.order_id for entry in stock.ledger_of(movements, before=before).entries if entry.order_id}

    (raws,) = dynamodb.get_raw((Product, [product_id], ()))
    if product_id not in raws:
        return None
    product, shelf = Product.from_raw_data(raws[product_id]), facts.shelf(raws[product_id])
    holds = stock.holds(product_id)
    begun = Begun({product_id: shelf}, {product_id: {hold.owner_id for hold in holds}})
    verdict = looks.verdicts([product_id], begun=begun, orders=named)[product_id]
    shelf, movements = verdict.shelf or shelf, verdict.movements
    product.stock, product.reserved, product.available = shelf.stock, shelf.reserved, shelf.available
    ledger = (
        stock.ledger_of(movements, before=before) if movements is not None else stock.ledger(product_id, before=before)
    )
    return Sheet(product, verdict, ledger, holds)


def verdicts(product_ids: Collection[str]) -> tuple[dict[str, Verdict], Report | None]:
    """A look at each of some products, and what the last full proof has found."""
    raws, notes = dynamodb.get_raw((Product, product_ids, facts.SHELF), (Note, [reports.NOTE], ()))
    begun = Begun({product_id: facts.shelf(raw) for product_id, raw in raws.items()})
    return looks.verdicts(product_ids, begun=begun), reports.of(notes.get(reports.NOTE))

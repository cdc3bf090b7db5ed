"""The shopkeeper: restocks, takes stock away, changes prices, takes products off the shelves and puts them back."""

from __future__ import annotations

from inventory import products, stock
from inventory.errors import ProductChanged, StockTooLow
from inventory.models import Product
from tests.proofs.operations.books import Try
from tests.proofs.operations.floor import Shop, expect_busy
from tests.proofs.operations.plans import Step
from tests.proofs.operations.shelf import DONE, REFUSED, Booking, Shortage


def restock(shop: Shop, step: Step) -> None:
    product, by, note = shop.product(step), step.quantity, f"step {step.number}"
    reason = "received" if by > 0 else "damaged" if step.chance < 0.5 else "corrected"
    tried = shop.attempt(
        step, Try("restock", ""), lambda: stock.adjust(product, by=by, reason=reason, note=note, who="dana")
    )
    if tried.refusal and not isinstance(tried.refusal, StockTooLow):
        expect_busy(tried)
    if isinstance(tried.refusal, StockTooLow):
        shop.shelf.claims.append(Shortage(product, -by, tried.began, tried.ended, str(step)))
    shop.shelf.bookings.append(Booking(product, by, note, tried.began, tried.ended, tried.outcome))


def edit(shop: Shop, step: Step) -> None:
    product = shop.product(step)
    fields: products.Fields = {}

    def rule() -> Product:
        (found,) = stock.products([product])
        if found.status == "archived" or step.chance < 0.15:
            fields["status"] = "active" if found.status == "archived" else "archived"
        else:
            price = 1000 + int(step.chance * 9000)
            fields["price_cents"] = price + (price == found.price_cents)
        return products.save(product, version=found.version, **fields)

    tried = shop.attempt(step, Try("edit", "", product), rule)
    if fields and tried.outcome != REFUSED:
        sure = tried.outcome == DONE
        if "status" in fields:
            shop.shelf.status[product].set(fields["status"], began=tried.began, ended=tried.ended, sure=sure)
        else:
            shop.shelf.price[product].set(fields["price_cents"], began=tried.began, ended=tried.ended, sure=sure)
    if fields:
        shop.saves[product].append(tried)
    if tried.refusal and not isinstance(tried.refusal, ProductChanged):
        expect_busy(tried)

"""Putting right what can be: shown first, then written in one transaction, if nothing has moved since it was seen.

The stock is the number that counts: what sold and what packed goods goes by it. So the movements get a correcting one,
what is reserved follows the carts, the rest is available, and the product's marks say whether any is. Where carts hold
more than there is, the newest holds end.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pynamodb.expressions.condition import Condition

from inventory import audit, availability, carts, dynamodb
from inventory.models import HELD, Cart, Movement, Product
from inventory.proof import findings, judging, looks, reading
from inventory.proof.books import Suspect
from inventory.proof.facts import Basket, Seen, Shelf
from inventory.proof.findings import Finding

BY = "prove_stock"
_TRIES = 5
_PAUSE_SECONDS = 0.2
_MOST_WRITES = 100
_NUMBERS = {"negative", "split", "held", "moved", "gone_held", "in_stock", "sold_out", "undated"}
_ADVICE = {
    "old": "Run manage.py upgrade_tables.",
    "gone_moved": "Its movements are its history and stay. Was the product deleted by hand?",
    "status": "Its history says who did what and when: ask them, then set the order's step in the admin panel.",
    "total": "What was agreed stands in the order confirmation and in the payment: compare them.",
    "nothing_held": "The cart's customer, or taking the line out of the table by hand, ends it.",
}
_ADVICE_FOR_ORDERS = "Whether the goods left or came back, no program can know: look at the order, count the shelf."


@dataclass
class Plan:
    """What is to be written: products' numbers (stock, reserved, available, correcting movement), and holds to end."""

    numbers: dict[str, tuple[Shelf, int, int, int, int]] = field(default_factory=dict)
    ended: dict[str, Basket] = field(default_factory=dict)
    #: By product: the order whose lost sale the movement is.
    sales: dict[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> int:
        # A product, its entry in the audit log, and its movement.
        return len(self.ended) + sum(3 if movement else 2 for *_, movement in self.numbers.values())

    def changes(self, product_id: str) -> list[tuple[str, int, int]]:
        """The numbers that change: name, before, after."""
        shelf, stock, reserved, available, _movement = self.numbers[product_id]
        pairs = (
            ("stock", shelf.stock, stock),
            ("reserved", shelf.reserved, reserved),
            ("available", shelf.available, available),
        )
        return [(name, before, after) for name, before, after in pairs if before != after]

    def lines(self) -> Iterator[str]:
        for product_id, (shelf, _stock, _reserved, available, movement) in self.numbers.items():
            changes = [f"{name} {before} → {after}" for name, before, after in self.changes(product_id)]
            if movement:
                order_id = self.sales.get(product_id)
                what = f"the sale to order {order_id}" if order_id else "a correcting movement"
                changes.append(f"{what} of {movement:+d}")
            if not shelf.says(available):
                changes.append(f"marked as {'in stock' if available else 'sold out'}")
            yield f"{product_id} ({shelf.name}): {', '.join(changes)}."
        for owner_id in self.ended:
            yield f"cart {findings.short(owner_id)}: its hold ends. Its lines stay and can be reserved again."


def repair(wrong: Iterable[Finding]) -> Iterator[str]:
    """Put right what can be; says what will be written before it is, and what has to be done by hand."""
    wrong, unsold = list(wrong), dict[str, Finding]()
    for finding in wrong:
        if finding.kind == "not_sold":
            unsold[finding.id] = finding
    for product_id in dict.fromkeys(finding.id for finding in wrong if finding.kind in _NUMBERS):
        if (yield from _repair_product(product_id, unsold.get(product_id))):
            wrong.remove(unsold[product_id])
    for finding in wrong:
        if finding.kind == "endless":
            yield f"{finding.line} Its hold ends."
            yield _done(_ended(finding.id))
        elif finding.kind == "vanishing":
            yield f"{finding.line} deleteAt is taken away."
            yield _done(_kept(finding.id))
        elif finding.kind not in _NUMBERS:
            yield f"Not repaired. {finding.line} {_ADVICE.get(finding.kind, _ADVICE_FOR_ORDERS)}"


def _repair_product(product_id: str, unsold: Finding | None) -> Generator[str, None, bool]:
    """Gives whether what was ``unsold`` by the movements has got its movement back."""
    for _ in range(_TRIES):
        plan = _plan(product_id, unsold)
        if plan is not None:
            yield from plan.lines()
            if not plan.writes:
                yield f"{product_id}: it is right by now."
                return False
            if plan.writes > _MOST_WRITES:
                yield f"Not repaired. These are {plan.writes} writes, more than one transaction takes."
                return False
            if _carried_out(plan):
                yield _done(True)
                return product_id in plan.sales
        time.sleep(_PAUSE_SECONDS)
    yield f"{product_id}: {_done(False)}"
    return False


def _done(happened: bool) -> str:
    return "Done." if happened else "It moved meanwhile, and nothing was written. Run the command again."


def _plan(product_id: str, unsold: Finding | None) -> Plan | None:
    """What it takes to put a product right. A cart that ends gives back its other products, so these belong to it.

    None if any of them moved since before all carts were read: one that nobody has read yet would lose its units.
    """
    plan, seen, unseen = Plan(), dict[str, Seen](), {product_id}
    while unseen:
        before, holders = reading.shelves(unseen), reading.every_holder()
        suspects = [Suspect(one, set(holders.get(one, ()))) for one in sorted(unseen)]
        for suspect, now in zip(suspects, looks.see(suspects), strict=True):
            if now is None or now.shelf != before.get(suspect.product_id):
                return None
            seen[suspect.product_id] = now
        for one, now in seen.items():
            plan.ended |= _newest_beyond(one, now, plan.ended)
        unseen = {one for basket in plan.ended.values() for one in basket.held} - seen.keys()
    for one, now in seen.items():
        if now.shelf is not None and not now.shelf.is_old:
            numbers = _right_numbers(one, now.shelf, now, plan.ended)
            there = (now.shelf.stock, now.shelf.reserved, now.shelf.available, 0)
            if numbers[1:] != there or not now.shelf.is_marked:
                plan.numbers[one] = numbers
    if unsold and product_id in plan.numbers and plan.numbers[product_id][-1] == -unsold.data["ordered"]:
        plan.sales[product_id] = unsold.data["order_id"]
    return plan


def _newest_beyond(product_id: str, seen: Seen, ended: Mapping[str, Basket]) -> dict[str, Basket]:
    """The newest holds of a product that have to end until the rest fits into its stock."""
    baskets = [basket for basket in (seen.baskets or {}).values() if product_id in basket.held]
    staying = [basket for basket in baskets if basket.owner_id not in ended]
    stock = max(0, seen.shelf.stock) if seen.shelf else 0
    too_many = sum(basket.held[product_id] for basket in staying) - stock
    found = {}
    for basket in sorted(staying, key=lambda basket: basket.written, reverse=True):
        if too_many > 0 or seen.shelf is None:
            found[basket.owner_id] = basket
            too_many -= basket.held[product_id]
    return found


def _right_numbers(
    product_id: str, shelf: Shelf, seen: Seen, ended: Mapping[str, Basket]
) -> tuple[Shelf, int, int, int, int]:
    holders = judging.holders_of(product_id, seen.baskets or {})
    stock = max(0, shelf.stock)
    reserved = sum(units for owner_id, units in holders.items() if owner_id not in ended)
    moved = sum(movement.quantity for movement in seen.movements or ())
    return shelf, stock, reserved, stock - reserved, stock - moved


def _carried_out(plan: Plan) -> bool:
    """Write a plan if its products and carts are as they were seen; whether that happened."""
    (ending,) = dynamodb.get_many((Cart, plan.ended))
    try:
        with dynamodb.transaction() as tx:
            for product_id, (shelf, stock, reserved, available, movement) in plan.numbers.items():
                actions = [
                    Product.stock.set(stock),
                    Product.reserved.set(reserved),
                    Product.available.set(available),
                    Product.moves.add(1),
                    *([] if shelf.says(available) else availability.marks(available)),
                ]
                tx.update(Product(product_id), actions, condition=_unmoved(shelf), otherwise=dynamodb.contended)
                if movement:
                    _correct(tx, product_id, movement, stock=stock, order_id=plan.sales.get(product_id))
                changes = [(name, str(before), str(after)) for name, before, after in plan.changes(product_id)]
                note = f"movement of {movement:+d}" if movement else ""
                audit.write(tx, "stock.repaired", by=BY, target=f"product#{product_id}", changes=changes, note=note)
            for cart in ending.values():
                released = cart.rewritten(list(cart.lines), until=None)
                tx.put(released, condition=cart.unchanged(), otherwise=dynamodb.contended)
    except (dynamodb.Contention, dynamodb.OutcomeUnknown):
        return False
    return True


def _correct(tx: dynamodb.transaction, product_id: str, units: int, *, stock: int, order_id: str | None) -> None:
    """Write the movement that lacks: a correction, or the sale to an order that has lost it."""
    why = f"movements made {stock - units}, stock was {stock}"
    kind = "sold" if order_id else "corrected"
    movement = Movement.of(product_id, kind, quantity=units, by=BY, why=why, order_id=order_id)
    tx.put(movement, condition=Movement.product_id.does_not_exist(), otherwise=dynamodb.contended)


def _unmoved(shelf: Shelf) -> Condition:
    same: Condition = Product.moves == shelf.moves
    return same if shelf.moves else same | Product.moves.does_not_exist()


def _ended(owner_id: str) -> bool:
    try:
        cart = _readable(owner_id)
        if cart is None or not cart.is_held:
            return False
        carts.rewrite(cart, cart.lines, until=None)
    except (dynamodb.Contention, dynamodb.OutcomeUnknown):
        return False
    return True


def _readable(owner_id: str) -> Cart | None:
    """A cart, without the moment when its hold ends if that is none."""
    try:
        return dynamodb.get(Cart, owner_id)
    except ValueError:
        with dynamodb.transaction() as tx:
            held = Cart.hold == HELD
            tx.update(Cart(owner_id), [Cart.expires_at.remove()], condition=held, otherwise=dynamodb.contended)
        return dynamodb.get(Cart, owner_id)


def _kept(owner_id: str) -> bool:
    cart = dynamodb.get(Cart, owner_id)
    if cart is None:
        return False
    held = cart.unchanged() & (Cart.hold == HELD)
    try:
        with dynamodb.transaction() as tx:
            tx.update(Cart(owner_id), [Cart.delete_at.remove()], condition=held, otherwise=dynamodb.contended)
    except (dynamodb.Contention, dynamodb.OutcomeUnknown):
        return False
    return True

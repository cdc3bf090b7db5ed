"""How a cart is written: with the difference in stock, in one transaction, once however often it is tried."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from inventory import availability, dynamodb
from inventory.errors import NoSuchAccount, NoSuchProduct, NotForSale, OutOfStock, Unsure
from inventory.lines import Notice
from inventory.models import Cart, Line, Product


class NotAsBefore(Exception):
    """A product that was not read may have another price by now, or too few units. Nothing was written."""


@dataclass
class Intent:
    """What a customer wants done once, however often it is tried.

    ``id`` becomes the id of the cart's order: a try that finds it in the cart knows that an earlier one has happened.
    ``notices`` is what that one had to tell, ``lost_at`` the version of the cart that it was to change.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    notices: list[Notice] = field(default_factory=list)
    lost_at: int | None = None

    def has_happened(self, cart: Cart) -> bool:
        """Whether an earlier try has changed this cart. Raises Unsure when so much came after it that nobody knows."""
        if self.lost_at is not None and not 0 <= cart.version - self.lost_at <= 1 + Cart.OFFERS_KEPT:
            raise Unsure
        return cart.has_been(self.id)

    @contextmanager
    def on_its_way(self, cart: Cart) -> Iterator[None]:
        try:
            yield
        except dynamodb.OutcomeUnknown:
            self.lost_at = cart.version
            raise


def rewrite(
    cart: Cart,
    wanted: Sequence[Line],
    *,
    until: datetime | None,
    seen: Mapping[str, Product] | None = None,
    absorbed: Cart | None = None,
    asked_for: str = "",
    unread: bool = False,
    intent: Intent | None = None,
) -> Cart:
    """Write a cart with these lines, held until then or not at all, and move the difference in stock: one transaction.

    ``absorbed`` is a second cart whose units come along and that is emptied. ``seen`` are the products of which units
    may be taken, by id, as they were read. A shortage of the product that was ``asked_for`` is a refusal; one of any
    other only means that what we read is old. Where the other products were ``unread``, each must still be sold, at its
    line's price, and there must be more than enough of it: else NotAsBefore is raised, and nothing is written.
    """
    if cart.is_closed:
        raise NoSuchAccount
    intent = intent or Intent()
    after = cart.rewritten(list(wanted), until=until, offer=intent.id)
    before = Counter(cart.held) + Counter(absorbed.held if absorbed else {})
    with intent.on_its_way(cart), dynamodb.transaction() as tx:
        for product_id in sorted(before.keys() | after.held.keys()):
            more = after.held.get(product_id, 0) - before[product_id]
            line = after.line(product_id)
            if unread and line is not None and product_id != asked_for:
                _keep(tx, line, more)
            elif more:
                _move(tx, product_id, more, seen=(seen or {}).get(product_id), asked_for=product_id == asked_for)
        if absorbed is not None:
            emptied = absorbed.rewritten([], until=None)
            tx.put(emptied, condition=absorbed.unchanged(), otherwise=dynamodb.contended)
        tx.put(after, condition=cart.unchanged(), otherwise=dynamodb.contended)
    return after


def close(tx: dynamodb.transaction, cart: Cart) -> None:
    """Let nobody fill this cart, which is empty, any more: its owner goes with the same transaction."""
    closed = cart.rewritten([], until=None)
    closed.is_closed = True
    tx.put(closed, condition=cart.unchanged(), otherwise=dynamodb.contended)


def _move(tx: dynamodb.transaction, product_id: str, units: int, *, seen: Product | None, asked_for: bool) -> None:
    """Take units from the shelf into a cart, or put them back where the number is negative."""
    if units < 0:
        actions, condition = availability.raised(-units), Product.reserved >= -units
    else:
        actions, enough = availability.lowered(units, seen=seen)
        condition = enough & (Product.status == "active")

    def otherwise(found: Product | None) -> Exception:
        return _shortage(found, units) if asked_for and units > 0 else dynamodb.Contention()

    held = Product.reserved.add(units)
    tx.update(Product(product_id), [*actions, held], condition=condition, otherwise=otherwise)


def _keep(tx: dynamodb.transaction, line: Line, more: int) -> None:
    """Hold a line as it is, with so many units more, though nothing is known of its product."""
    as_before = (Product.status == "active") & (Product.price_cents == line.price_cents)
    if more:
        actions, enough = availability.lowered(more, seen=None)
        held = Product.reserved.add(more)
        product = Product(line.product_id)
        tx.update(product, [*actions, held], condition=enough & as_before, otherwise=_not_as_before)
    else:
        tx.check(Product, line.product_id, condition=as_before, otherwise=_not_as_before)


def _not_as_before(_found: Product | None) -> Exception:
    return NotAsBefore()


def _shortage(found: Product | None, units: int) -> Exception:
    if found is None:
        return NoSuchProduct()
    if not found.is_active:
        return NotForSale(found.title)
    if availability.is_enough(units, found=found):
        return dynamodb.Contention()
    return OutOfStock(found.title, left=found.available)

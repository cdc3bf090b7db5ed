"""Rules as one might write them in a hurry. Controls put them in the place of the shop's and must find them wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from unittest import mock

from inventory import clock, dynamodb, reservations, stock
from inventory.errors import OutOfStock
from inventory.lines import of_product
from inventory.models import Cart, Movement, Product

_HOLD = timedelta(hours=2)


@dataclass(frozen=True)
class Unsafe:
    """A rule without a protection: ``patch`` puts it in its place. ``flows`` are those in which it can be found.

    ``by_two_faults``: one fault does not show it.
    """

    name: str
    patch: Callable[[], AbstractContextManager[object]]
    flows: tuple[str, ...]
    by_two_faults: bool = False


def _reserve_in_two_calls(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    """Takes the units by a plain update, then writes the cart."""
    Product(product_id).update(
        [Product.available.add(-quantity), Product.reserved.add(quantity)], condition=Product.available >= quantity
    )
    after = _with_more(dynamodb.get(Cart, owner_id) or Cart(owner_id), product_id, quantity)
    after.save()
    return after


@dynamodb.retry_while_busy
def _reserve_and_add_again(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    """One transaction, but after a lost answer it does not look whether its first try has happened."""
    cart = dynamodb.get(Cart, owner_id) or Cart(owner_id)
    after = _with_more(cart, product_id, quantity)
    _take(cart, after, product_id, quantity)
    return after


@dynamodb.retry_while_busy
def _reserve_and_trust_silence(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    """It looks after a lost answer, but takes it that nothing has happened where the look is not answered either."""
    cart = dynamodb.get(Cart, owner_id) or Cart(owner_id)
    after = _with_more(cart, product_id, quantity)
    try:
        _take(cart, after, product_id, quantity)
    except dynamodb.OutcomeUnknown as lost:
        now = dynamodb.get(Cart, owner_id) or cart
        if now.order_id != after.order_id:
            raise dynamodb.Contention from lost
    return after


def _take(cart: Cart, after: Cart, product_id: str, quantity: int) -> None:
    with dynamodb.transaction() as tx:
        tx.update(
            Product(product_id),
            [Product.available.add(-quantity), Product.reserved.add(quantity)],
            condition=Product.available >= quantity,
            otherwise=lambda found: OutOfStock(product_id, left=found.available if found else 0),
        )
        tx.put(after, condition=cart.unchanged(), otherwise=dynamodb.contended)


@dynamodb.retry_while_busy
def _adjust_and_book_again(product_id: str, *, by: int, reason: str, note: str, who: str) -> Product:
    """Makes its movement in each try, so a try that follows a lost answer books it once more."""
    movement = Movement.of(product_id, reason, quantity=by, by=who, why=note)
    with dynamodb.transaction() as tx:
        tx.update(
            Product(product_id),
            [Product.stock.add(by), Product.available.add(by)],
            condition=Product.available >= -by,
            otherwise=dynamodb.contended,
        )
        tx.put(movement, condition=Movement.product_id.does_not_exist(), otherwise=dynamodb.contended)
    return Product.get(product_id, consistent_read=True)


def _with_more(cart: Cart, product_id: str, quantity: int) -> Cart:
    product = dynamodb.get(Product, product_id) or Product(product_id)
    line = cart.line(product_id)
    total = quantity + (line.quantity if line else 0)
    others = [other for other in cart.lines if other.product_id != product_id]
    new = of_product(product, quantity=total, price_cents=product.price_cents)
    return cart.rewritten([*others, new], until=clock.now() + _HOLD)


UNSAFE = (
    Unsafe(
        "reserve by a plain update and a cart beside it",
        lambda: mock.patch.object(reservations, "reserve", _reserve_in_two_calls),
        flows=("reserve-first", "reserve-more"),
    ),
    Unsafe(
        "reserve again after a lost answer",
        lambda: mock.patch.object(reservations, "reserve", _reserve_and_add_again),
        flows=("reserve-first", "reserve-more"),
    ),
    Unsafe(
        "reserve again after an unanswered look",
        lambda: mock.patch.object(reservations, "reserve", _reserve_and_trust_silence),
        flows=("reserve-first", "reserve-more"),
        by_two_faults=True,
    ),
    Unsafe(
        "book again after a lost answer",
        lambda: mock.patch.object(stock, "adjust", _adjust_and_book_again),
        flows=("adjust-up", "adjust-down"),
    ),
)

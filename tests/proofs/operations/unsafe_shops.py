"""Shops that lack a protection, for controls: whoever looks for mistakes must find theirs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from unittest import mock

from django.conf import settings
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition

from inventory import availability, carts, checkout, clock, dynamodb, reservations
from inventory.errors import OutOfStock, Unsure
from inventory.lines import of_product
from inventory.models import Cart, Order, Product

_HOLD = timedelta(minutes=settings.RESERVATION_MINUTES)
_real_reserve = reservations.reserve
_real_place_order = checkout.place_order
_real_unchanged = Cart.unchanged


def _reserve_in_two_writes(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    """Take units off the shelf with an update, then write the cart: how many a shop does it."""
    product = dynamodb.get(Product, product_id)
    cart = dynamodb.get(Cart, owner_id) or Cart(owner_id)
    if product is None or not product.is_active or not cart.is_live(clock.now()):
        return _real_reserve(owner_id, product_id, quantity=quantity)
    actions, enough = availability.lowered(quantity, seen=product)
    try:
        product.update([*actions, Product.reserved.add(quantity)], condition=enough)
    except UpdateError as failed:
        if dynamodb.is_unavailable(failed):
            raise Unsure from failed
        raise OutOfStock(product.name, left=0) from failed
    line = cart.line(product_id)
    wanted = [one for one in cart.lines if one.product_id != product_id]
    units = quantity + (line.quantity if line else 0)
    price = min(line.price_cents, product.price_cents) if line else product.price_cents
    after = cart.rewritten([*wanted, of_product(product, quantity=units, price_cents=price)], until=clock.now() + _HOLD)
    after.save()
    return after


@contextmanager
def plain_updates() -> Iterator[None]:
    """Reserving is an update of the product and a put of the cart instead of one transaction."""
    with mock.patch.object(reservations, "reserve", _reserve_in_two_writes):
        yield


@contextmanager
def checkout_of_any_cart() -> Iterator[None]:
    """A checkout does not ask whether the cart is still as it was read, nor whether its order is there."""
    here = threading.local()

    def place_order(owner_id: str, *, token: str, contact: checkout.Contact) -> Order:
        here.selling = True
        try:
            return _real_place_order(owner_id, token=token, contact=contact)
        finally:
            here.selling = False

    def unchanged(cart: Cart) -> Condition:
        return Cart.user_id.exists() if getattr(here, "selling", False) else _real_unchanged(cart)

    with mock.patch.object(checkout, "place_order", place_order), mock.patch.object(Cart, "unchanged", unchanged):
        yield


@contextmanager
def blind_retries() -> Iterator[None]:
    """A rule of a cart that is tried again does not look whether its earlier try has happened."""
    with mock.patch.object(carts.Intent, "has_happened", return_value=False):
        yield


ALL: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "reserving with a plain update and a separate put": plain_updates,
    "checkout without the cart's condition": checkout_of_any_cart,
    "retries that do not notice the earlier try": blind_retries,
}

"""A cart as its customer sees it: prices, what could be had, what to be told, until when it is held."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from inventory import clock, dynamodb, lines, reservations
from inventory.errors import OutOfStock
from inventory.models import Cart, Line, Product
from inventory.money import euros


@dataclass(frozen=True)
class BasketLine:
    """A line as its customer sees it now: ``most`` is the largest quantity that it could have."""

    product: Product | None
    line: Line
    price_cents: int
    most: int
    notice: str

    @property
    def product_id(self) -> str:
        return self.line.product_id

    @property
    def name(self) -> str:
        return self.product.title if self.product else self.line.name

    @property
    def image_url(self) -> str:
        return self.product.image_url if self.product else self.line.image_url

    @property
    def quantity(self) -> int:
        return self.line.quantity

    @property
    def was_cents(self) -> int | None:
        return self.line.price_cents if self.line.price_cents != self.price_cents else None

    @property
    def total_cents(self) -> int:
        return self.price_cents * self.quantity


@dataclass(frozen=True)
class Basket:
    """A cart as its customer sees it now. ``token`` is what a checkout of just this cart carries."""

    lines: list[BasketLine]
    is_held: bool
    expires_at: datetime | None
    token: str

    @property
    def needs_renewal(self) -> bool:
        return not self.is_held

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def total_cents(self) -> int:
        return sum(line.total_cents for line in self.lines)

    @property
    def minutes_left(self) -> int:
        if self.expires_at is None:
            return 0
        return max(0, math.ceil((self.expires_at - clock.now()).total_seconds() / 60))


@dynamodb.retry_while_busy
def look(owner_id: str) -> Basket | None:
    """What the cart page and the checkout show; None when there is nothing in the cart. Two reads.

    A price that has fallen is written into the cart before it is shown: the customer is charged no more than they saw.
    """
    cart = reservations.find(owner_id)
    if cart is None:
        return None
    products = reservations.products_in(cart)
    live = cart.is_live(clock.now())
    seen = [_as_seen(cart, line, products.get(line.product_id), live=live) for line in cart.lines]
    if live and any(line.was_cents for line in seen):
        cart = reservations.keep_lower_prices(cart, products)
    return Basket(lines=seen, is_held=live, expires_at=cart.expires_at if live else None, token=cart.order_id or "")


def _as_seen(cart: Cart, line: Line, product: Product | None, *, live: bool) -> BasketLine:
    price = lines.price_now(line, product, live=live)
    most = min(settings.LINE_MAX_QUANTITY, lines.obtainable(product, mine=cart.held.get(line.product_id, 0)))
    notice = ""
    if not live and (product is None or not product.is_active):
        notice = _("This product is no longer sold.")
    elif not live and most < line.quantity:
        notice = OutOfStock(line.name, left=most).sentence
    elif price != line.price_cents:
        notice = _("The price is now %(now)s (it was %(was)s).") % {
            "now": euros(price),
            "was": euros(line.price_cents),
        }
    return BasketLine(product=product, line=line, price_cents=price, most=most, notice=notice)

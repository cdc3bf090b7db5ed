"""Carts and the stock that they hold: reserve, change, remove, extend, renew, join, expire.

Every rule works out which lines a cart should have and until when it holds them, and ``carts.rewrite`` writes it down.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from django.conf import settings

from inventory import carts, clock, dynamodb, lines
from inventory.errors import (
    BadQuantity,
    CartChanged,
    CartEmpty,
    HoldExpired,
    NoSuchProduct,
    NotForSale,
    OutOfStock,
    TooMany,
    TooManyLines,
)
from inventory.lines import Notice
from inventory.models import HELD, Cart, Line, Product

logger = logging.getLogger(__name__)
_PAGE = 100


def reserve(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    """Move ``quantity`` units of a product from the shelf into its owner's cart, and restart the whole cart's hold.

    Lines whose hold had run out are reserved again, as ``renew`` does it. Raises OutOfStock when fewer units are
    available, TooMany and TooManyLines past a cart's limits, NotForSale, NoSuchProduct, BadQuantity, NoSuchAccount when
    the owner's is deleted, and Busy; nothing is written then.
    """
    if quantity < 1:
        raise BadQuantity
    return _reserve(owner_id, product_id, quantity, carts.Intent())


def change(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    """Set the quantity of a line; 0 removes it. The hold restarts.

    Raises CartChanged when the cart has no such line, and else what ``reserve`` raises.
    """
    if quantity < 0:
        raise BadQuantity
    return _change(owner_id, product_id, quantity, carts.Intent())


def remove(owner_id: str, product_id: str) -> Cart:
    """Take a line out and give its units back. A line that is not there (any more) is no error."""
    return _remove(owner_id, product_id, carts.Intent())


@dynamodb.retry_while_busy
def clear(owner_id: str) -> Cart:
    """Take everything out of a cart and give its units back. A cart that is empty is no error. Raises Busy."""
    cart = dynamodb.get(Cart, owner_id) or Cart(owner_id)
    return carts.rewrite(cart, [], until=None) if cart.lines else cart


@dynamodb.retry_while_busy
def extend(owner_id: str) -> Cart:
    """Let the hold of a cart start anew. Raises HoldExpired when it has run out, CartEmpty without lines."""
    cart = _cart_with_lines(owner_id)
    if not cart.is_live(clock.now()):
        raise HoldExpired
    # The offer stays the same, so an open checkout page stays good.
    return carts.rewrite(cart, cart.lines, until=_hold_end(), intent=carts.Intent(cart.order_id or ""))


def renew(owner_id: str) -> tuple[Cart, list[Notice]]:
    """Reserve the lines of a cart whose hold has run out again, at today's price, as far as there are units.

    What is sold out or no longer sold leaves the cart; a notice says so. A cart that is still held is extended.
    Raises CartEmpty without lines.
    """
    intent = carts.Intent()
    return _renew(owner_id, intent), intent.notices


def join(guest_id: str, user_id: str) -> list[Notice]:
    """Put a guest's cart into the customer's, at log-in, in one transaction: no unit is held twice or by nobody.

    The joined cart is held when either was. What limits or stock do not allow is left out, with a notice.
    """
    return _join(guest_id, user_id, carts.Intent())


def find(owner_id: str) -> Cart | None:
    """The owner's cart, expired on the spot if its time is up. None when there is none or it is empty."""
    cart = dynamodb.get(Cart, owner_id)
    if cart is not None and cart.has_expired(clock.now()):
        expire(cart)
        cart = dynamodb.get(Cart, owner_id)
    return cart if cart is not None and cart.lines else None


def expire(cart: Cart) -> bool:
    """Give back what a cart holds if its time is up; its lines stay. True if it was this call that did it.

    Conditional on the cart as it was read: of any number of sweepers and customers, exactly one succeeds.
    """
    if not cart.has_expired(clock.now()):
        return False
    try:
        carts.rewrite(cart, cart.lines, until=None)
    except (dynamodb.Contention, dynamodb.OutcomeUnknown):
        return False
    return True


def release_expired(*, missing: Mapping[str, int] | None = None) -> int:
    """Expire every cart whose time is up, or only until so many units are free; gives how many this call released.

    ``missing`` says how many units of which products somebody waits for. What cannot be released now, because the
    database does not answer, is left to the next call.
    """
    return sum(_released(Counter(missing)))


def _released(missing: Counter[str]) -> Iterator[bool]:
    """For each cart whose time is up, until nothing is missing, whether it was this call that released it.

    Where somebody waits for the units it goes on no longer than any rule: they may ask again.
    """
    wanted, deadline = bool(missing), time.monotonic() + dynamodb.RETRY_SECONDS
    for found in _expired(missing):
        done = _release(found.user_id)
        yield done
        missing = missing - Counter(found.held) if done else missing
        if wanted and (not missing or time.monotonic() > deadline):
            break


def _expired(wanted: Collection[str]) -> Iterator[Cart]:
    """Carts whose time is up (with one of some products), by index: it may be a moment behind.

    Each call begins at another moment, so that many at once do not all follow one another from cart to cart.
    """
    with dynamodb.reading():
        now = clock.now()
        oldest = next(iter(Cart.expiry_index.query(HELD, Cart.expires_at <= now, limit=1)), None)
        if oldest is None or oldest.expires_at is None:
            return
        start = oldest.expires_at + random.random() * (now - oldest.expires_at)
        for span in (Cart.expires_at.between(start, now), Cart.expires_at < start):
            for cart in Cart.expiry_index.query(HELD, span, page_size=_PAGE):
                if not wanted or any(cart.line(product_id) for product_id in wanted):
                    yield cart


def _release(owner_id: str) -> bool:
    try:
        cart = dynamodb.get(Cart, owner_id)
        return cart is not None and expire(cart)
    except dynamodb.Contention:
        logger.warning("A cart whose time is up could not be read; the next sweep looks again.")
        return False


def keep_lower_prices(cart: Cart, products: lines.Products) -> Cart:
    """Write prices that have fallen into a held cart: what its customer is about to be shown is a promise from then on.

    The hold ends when it did before. Raises Contention when somebody else wrote the cart.
    """
    return carts.rewrite(cart, lines.priced(cart.lines, products, live=True), until=cart.expires_at)


def on_shelf(product_id: str) -> Product | None:
    """One product as it stands now, or None.

    It is not sold out while expired carts hold units: as many of those as one customer may take are given back.
    """
    product = dynamodb.get(Product, product_id) if product_id else None
    if product is None or product.available or not product.reserved:
        return product
    release_expired(missing={product_id: settings.LINE_MAX_QUANTITY})
    return dynamodb.get(Product, product_id)


def products_in(*wanting: Cart) -> lines.Products:
    """The products in some carts as they stand now, by id."""
    (found,) = dynamodb.get_many((Product, [line.product_id for cart in wanting for line in cart.lines]))
    return found


@dynamodb.retry_while_busy
def _reserve(owner_id: str, product_id: str, quantity: int, intent: carts.Intent) -> Cart:
    owned, products = dynamodb.get_many((Cart, [owner_id]), (Product, [product_id]))
    product, cart = products.get(product_id), owned.get(owner_id) or Cart(owner_id)
    if intent.has_happened(cart):
        return _as_told(cart, intent)
    if product is None or product.status == "draft":
        raise NoSuchProduct
    line = cart.line(product_id)
    total = (line.quantity if line else 0) + quantity
    with _room_made(product_id, more=total - cart.held.get(product_id, 0)):
        return _with_line(cart, product, total, intent)


@dynamodb.retry_while_busy
def _change(owner_id: str, product_id: str, quantity: int, intent: carts.Intent) -> Cart:
    owned, products = dynamodb.get_many((Cart, [owner_id]), (Product, [product_id]))
    cart = owned.get(owner_id) or Cart(owner_id)
    if intent.has_happened(cart):
        return _as_told(cart, intent)
    if cart.line(product_id) is None:
        raise CartChanged
    if quantity == 0:
        return _without(cart, product_id, intent)
    if product_id not in products:
        raise NoSuchProduct
    with _room_made(product_id, more=quantity - cart.held.get(product_id, 0)):
        return _with_line(cart, products[product_id], quantity, intent)


@dynamodb.retry_while_busy
def _remove(owner_id: str, product_id: str, intent: carts.Intent) -> Cart:
    cart = dynamodb.get(Cart, owner_id) or Cart(owner_id)
    if intent.has_happened(cart) or cart.line(product_id) is None:
        return cart
    return _without(cart, product_id, intent)


@dynamodb.retry_while_busy
def _renew(owner_id: str, intent: carts.Intent) -> Cart:
    cart = dynamodb.get(Cart, owner_id) or Cart(owner_id)
    if intent.has_happened(cart):
        return cart
    if not cart.lines:
        raise CartEmpty
    kept, intent.notices, products = _renewed(cart)
    return carts.rewrite(cart, kept, until=_hold_end() if kept else None, seen=products, intent=intent)


@dynamodb.retry_while_busy
def _join(guest_id: str, user_id: str, intent: carts.Intent) -> list[Notice]:
    (owned,) = dynamodb.get_many((Cart, [guest_id, user_id]))
    guest, own = owned.get(guest_id), owned.get(user_id) or Cart(user_id)
    if intent.has_happened(own):
        return intent.notices
    if guest is None or not guest.lines:
        return []
    # One moment for all of it: a hold that ends meanwhile would cost lines as if it went on, and not go on.
    moment = clock.now()
    kept, intent.notices, products = _joined(own, guest, moment)
    live = own.is_live(moment) or guest.is_live(moment)
    until = _hold_end() if live and kept else None
    carts.rewrite(own, kept, until=until, seen=products, absorbed=guest, intent=intent)
    return intent.notices


def _as_told(cart: Cart, intent: carts.Intent) -> Cart:
    """The cart after an earlier try that has happened after all, with what that one had to tell."""
    cart.notices = intent.notices
    return cart


def _with_line(cart: Cart, product: Product, quantity: int, intent: carts.Intent) -> Cart:
    """The cart with this quantity of a product, and everything in it held."""
    old = cart.line(product.id)
    if quantity > settings.LINE_MAX_QUANTITY:
        raise TooMany(settings.LINE_MAX_QUANTITY)
    if old is None and len(cart.lines) >= settings.CART_MAX_LINES:
        raise TooManyLines(settings.CART_MAX_LINES)
    live = cart.is_live(clock.now())
    if not live and not product.is_active:
        raise NotForSale(product.title)
    price = lines.price_now(old, product, live=live) if old else product.price_cents
    new = lines.of_product(product, quantity=quantity, price_cents=price)
    # Of the product itself, its customer has just said how many; only its price may be news.
    intent.notices = lines.repriced([old], [new]) if old and not live else []
    kept, cut = (list(cart.lines), []) if live else lines.within_limits(list(cart.lines))
    if not cut:
        # Mostly the others are sold as they were: their products are read only when the write finds that they are not.
        with suppress(carts.NotAsBefore):
            return _written(cart, kept, new, seen={product.id: product}, unread=not live, intent=intent)
    kept, notices, products = _renewed(cart)
    intent.notices = [notice for notice in notices if notice.product_id != product.id] + intent.notices
    seen = {product.id: product, **products}  # What was read twice counts as it was read last.
    return _written(cart, kept, new, seen=seen, unread=False, intent=intent)


def _written(
    cart: Cart, kept: list[Line], new: Line, *, seen: lines.Products, unread: bool, intent: carts.Intent
) -> Cart:
    """The cart with these lines and the one that was asked for, all held."""
    wanted = {line.product_id: line for line in kept} | {new.product_id: new}
    after = carts.rewrite(
        cart,
        list(wanted.values()),
        until=_hold_end(),
        seen=seen,
        asked_for=new.product_id,
        unread=unread,
        intent=intent,
    )
    return _as_told(after, intent)


def _without(cart: Cart, product_id: str, intent: carts.Intent) -> Cart:
    rest = [line for line in cart.lines if line.product_id != product_id]
    return carts.rewrite(cart, rest, until=_hold_end() if rest and cart.is_live(clock.now()) else None, intent=intent)


def _renewed(cart: Cart) -> tuple[list[Line], list[Notice], lines.Products]:
    """A cart's lines at the prices of now, as far as they can be had, and the products that this was read of."""
    live = cart.is_live(clock.now())
    products = _with_room(cart)
    kept, notices = lines.within_limits(lines.priced(cart.lines, products, live=live))
    kept, more = lines.affordable(kept, products, mine=_mine(products, cart))
    return kept, notices + more + lines.repriced(cart.lines, kept), products


def _joined(own: Cart, guest: Cart, moment: datetime) -> tuple[list[Line], list[Notice], lines.Products]:
    """Two carts' lines as one's: each at its price of now, within the limits and, where they are held, the stock.

    With the products that this was read of.
    """
    products = _with_room(own, guest)
    priced = [(cart, lines.priced(cart.lines, products, live=cart.is_live(moment))) for cart in (own, guest)]
    kept, notices = lines.within_limits(lines.merged(*(now for _, now in priced)))
    if own.is_live(moment) or guest.is_live(moment):
        kept, more = lines.affordable(kept, products, mine=_mine(products, own, guest))
        notices += more
    staying = {line.product_id for line in kept}
    for cart, now in priced:
        notices += [news for news in lines.repriced(cart.lines, now) if news.product_id in staying]
    return kept, notices, products


def _with_room(*wanting: Cart) -> lines.Products:
    """The products in some carts, after holds whose time is up were released where there would not be enough."""
    products = products_in(*wanting)
    mine = _mine(products, *wanting)
    wanted = sum((Counter({line.product_id: line.quantity for line in cart.lines}) for cart in wanting), Counter())
    missing = wanted - Counter({key: lines.obtainable(products.get(key), mine=mine[key]) for key in wanted})
    if not missing:
        return products
    # Read anew even if it was not this call that released them: somebody may have been faster.
    release_expired(missing=missing)
    return products_in(*wanting)


def _mine(products: lines.Products, *holding: Cart) -> Counter[str]:
    """Units that some carts hold and may keep. When a hold is over, what is no longer sold may not be held anew."""
    mine, moment = Counter[str](), clock.now()
    for cart in holding:
        for product_id, units in cart.held.items():
            if cart.is_live(moment) or (product_id in products and products[product_id].is_active):
                mine[product_id] += units
    return mine


@contextmanager
def _room_made(product_id: str, *, more: int) -> Iterator[None]:
    """A buyer does not wait for the sweeper: holds whose time is up are released when somebody needs ``more`` units."""
    try:
        yield
    except OutOfStock as refusal:
        # Whatever came of releasing them: while there are such holds, "sold out" would be false.
        in_the_way = list(_released(Counter({product_id: more - refusal.left})))
        if not in_the_way and not _has_more(product_id, than=refusal.left):
            raise
        raise dynamodb.Contention from None


def _has_more(product_id: str, *, than: int) -> bool:
    """Whether there is more by now: somebody may have released the holds that we were looking for."""
    product = dynamodb.get(Product, product_id)
    return product is not None and product.available > than


def _cart_with_lines(owner_id: str) -> Cart:
    cart = dynamodb.get(Cart, owner_id)
    if cart is None or not cart.lines:
        raise CartEmpty
    return cart


def _hold_end() -> datetime:
    return clock.now() + timedelta(minutes=settings.RESERVATION_MINUTES)

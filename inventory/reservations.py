"""Carts and the stock that they hold: reserve, change, remove, extend, renew, join, expire.

Every rule works out which lines a cart should have and until when it holds them. ``_rewrite`` is the only way to
write that down; it moves the difference between shelf and cart in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from inventory import clock, dynamodb, lines
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
    Unsure,
)
from inventory.lines import Notice
from inventory.models import HELD, Cart, Line, Product
from inventory.money import euros


def reserve(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    """Move ``quantity`` units of a product from the shelf into its owner's cart, and restart the whole cart's hold.

    Lines whose hold had run out are reserved again, as ``renew`` does it. Raises OutOfStock when fewer units are
    available, TooMany and TooManyLines past a cart's limits, NotForSale, NoSuchProduct, BadQuantity and Busy; nothing
    is written then.
    """
    if quantity < 1:
        raise BadQuantity
    return _with_expired_holds_released(product_id, lambda: _reserve(owner_id, product_id, quantity))


def change(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    """Set the quantity of a line; 0 removes it. The hold restarts.

    Raises CartChanged when the cart has no such line, and else what ``reserve`` raises.
    """
    if quantity < 0:
        raise BadQuantity
    return _with_expired_holds_released(product_id, lambda: _change(owner_id, product_id, quantity))


@dynamodb.retry_while_busy
def remove(owner_id: str, product_id: str) -> Cart:
    """Take a line out and give its units back. A line that is not there (any more) is no error."""
    cart = dynamodb.get(Cart, owner_id) or Cart(owner_id)
    return _without(cart, product_id) if cart.line(product_id) else cart


@dynamodb.retry_while_busy
def extend(owner_id: str) -> Cart:
    """Let the hold of a cart start anew. Raises HoldExpired when it has run out, CartEmpty without lines."""
    cart = _cart_with_lines(owner_id)
    if not cart.is_live(clock.now()):
        raise HoldExpired
    return _rewrite(cart, cart.lines, until=_hold_end(), same_offer=True)


@dynamodb.retry_while_busy
def renew(owner_id: str) -> tuple[Cart, list[Notice]]:
    """Reserve the lines of a cart whose hold has run out again, at today's price, as far as there are units.

    What is sold out or no longer sold leaves the cart; a notice says so. A cart that is still held is extended.
    Raises CartEmpty without lines.
    """
    cart = _cart_with_lines(owner_id)
    kept, notices = _renewed(cart, products_in(cart))
    return _rewrite(cart, kept, until=_hold_end() if kept else None), notices


@dynamodb.retry_while_busy
def join(guest_id: str, user_id: str) -> list[Notice]:
    """Put a guest's cart into the customer's, at log-in, in one transaction: no unit is held twice or by nobody.

    The joined cart is held when either was. What limits or stock do not allow is left out, with a notice.
    """
    (carts,) = dynamodb.get_many((Cart, [guest_id, user_id]))
    guest, own = carts.get(guest_id), carts.get(user_id) or Cart(user_id)
    if guest is None or not guest.lines:
        return []
    kept, notices = _joined(own, guest, products_in(own, guest))
    live = own.is_live(clock.now()) or guest.is_live(clock.now())
    _rewrite(own, kept, until=_hold_end() if live and kept else None, absorbed=guest)
    return notices


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
        _rewrite(cart, cart.lines, until=None)
    except dynamodb.Contention:
        return False
    return True


def release_expired(*, holding: str | None = None) -> int:
    """Expire every cart whose time is up (and that holds one product); gives how many carts this call released."""
    released = 0
    for found in Cart.expiry_index.query(HELD, Cart.expires_at <= clock.now()):
        if holding is None or found.line(holding):
            # The index may be a moment behind, so what it names is read again before anything is given back.
            cart = dynamodb.get(Cart, found.user_id)
            released += cart is not None and expire(cart)
    return released


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
        return max(0, int((self.expires_at - clock.now()).total_seconds() // 60))


def basket(owner_id: str) -> Basket | None:
    """What the cart page and the checkout show; None when there is nothing in the cart. Two reads at the most."""
    cart = find(owner_id)
    if cart is None:
        return None
    products = products_in(cart)
    live = cart.is_live(clock.now())
    return Basket(
        lines=[_as_seen(cart, line, products.get(line.product_id), live=live) for line in cart.lines],
        is_held=live,
        expires_at=cart.expires_at if live else None,
        token=cart.order_id or "",
    )


def products_in(*carts: Cart) -> lines.Products:
    """The products in some carts as they stand now, by id."""
    (found,) = dynamodb.get_many((Product, [line.product_id for cart in carts for line in cart.lines]))
    return found


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


@dynamodb.retry_while_busy
def _reserve(owner_id: str, product_id: str, quantity: int) -> Cart:
    carts, products = dynamodb.get_many((Cart, [owner_id]), (Product, [product_id]))
    product = products.get(product_id)
    if product is None or product.status == "draft":
        raise NoSuchProduct
    cart = carts.get(owner_id) or Cart(owner_id)
    line = cart.line(product_id)
    return _with_line(cart, product, (line.quantity if line else 0) + quantity)


@dynamodb.retry_while_busy
def _change(owner_id: str, product_id: str, quantity: int) -> Cart:
    carts, products = dynamodb.get_many((Cart, [owner_id]), (Product, [product_id]))
    cart = carts.get(owner_id)
    if cart is None or cart.line(product_id) is None:
        raise CartChanged
    if quantity == 0:
        return _without(cart, product_id)
    if product_id not in products:
        raise NoSuchProduct
    return _with_line(cart, products[product_id], quantity)


def _with_line(cart: Cart, product: Product, quantity: int) -> Cart:
    """The cart with this quantity of a product, and everything in it held."""
    old = cart.line(product.id)
    if quantity > settings.LINE_MAX_QUANTITY:
        raise TooMany(settings.LINE_MAX_QUANTITY)
    if old is None and len(cart.lines) >= settings.CART_MAX_LINES:
        raise TooManyLines(settings.CART_MAX_LINES)
    live = cart.is_live(clock.now())
    kept, notices = (list(cart.lines), []) if live else _renewed(cart, products_in(cart))
    wanted = {line.product_id: line for line in kept}
    price = lines.price_now(old, product, live=live) if old else product.price_cents
    wanted[product.id] = lines.of_product(product, quantity=quantity, price_cents=price)
    after = _rewrite(cart, list(wanted.values()), until=_hold_end(), asked_for=product.id)
    after.notices = [notice for notice in notices if notice.product_id != product.id]
    return after


def _without(cart: Cart, product_id: str) -> Cart:
    rest = [line for line in cart.lines if line.product_id != product_id]
    return _rewrite(cart, rest, until=_hold_end() if rest and cart.is_live(clock.now()) else None)


def _renewed(cart: Cart, products: lines.Products) -> tuple[list[Line], list[Notice]]:
    """A cart's lines at the prices of now, as far as they can be had."""
    now_priced = lines.priced(cart.lines, products, live=cart.is_live(clock.now()))
    kept, notices = lines.affordable(now_priced, products, mine=cart.held)
    return kept, notices + lines.repriced(cart.lines, kept)


def _joined(own: Cart, guest: Cart, products: lines.Products) -> tuple[list[Line], list[Notice]]:
    """Two carts' lines as one's: each at its price of now, within the limits and, where they are held, the stock."""
    moment = clock.now()
    together = lines.merged(
        lines.priced(own.lines, products, live=own.is_live(moment)),
        lines.priced(guest.lines, products, live=guest.is_live(moment)),
    )
    kept, notices = lines.within_limits(together)
    if own.is_live(moment) or guest.is_live(moment):
        kept, more = lines.affordable(kept, products, mine=Counter(own.held) + Counter(guest.held))
        notices += more
    return kept, notices


def _rewrite(
    cart: Cart,
    wanted: Sequence[Line],
    *,
    until: datetime | None,
    absorbed: Cart | None = None,
    asked_for: str = "",
    same_offer: bool = False,
) -> Cart:
    """Write a cart with these lines, held until then or not at all, and move the difference in stock: one transaction.

    ``absorbed`` is a second cart whose units come along and that is deleted. A shortage of the product that was
    ``asked_for`` is a refusal; one of any other only means that what we read is old.
    """
    after = cart.rewritten(list(wanted), until=until)
    if same_offer:
        after.order_id = cart.order_id
    before = Counter(cart.held) + Counter(absorbed.held if absorbed else {})
    with _settling(cart, after), dynamodb.transaction() as tx:
        for product_id in sorted(before.keys() | after.held.keys()):
            more = after.held.get(product_id, 0) - before[product_id]
            if more:
                _move(tx, product_id, more, asked_for=product_id == asked_for)
        if absorbed is not None:
            tx.delete(absorbed, condition=absorbed.unchanged(), otherwise=dynamodb.contended)
        if wanted:
            tx.put(after, condition=cart.unchanged(), otherwise=dynamodb.contended)
        else:
            tx.delete(cart, condition=cart.unchanged(), otherwise=dynamodb.contended)
    return after


def _move(tx: dynamodb.transaction, product_id: str, units: int, *, asked_for: bool) -> None:
    """Take units from the shelf into a cart, or put them back where the number is negative."""
    actions = [Product.available.add(-units), Product.reserved.add(units)]
    if units < 0:
        enough = Product.reserved >= -units
        tx.update(Product(product_id), actions, condition=enough, otherwise=dynamodb.contended)
    else:
        enough = (Product.available >= units) & (Product.status == "active")
        refusal = _shortage if asked_for else dynamodb.contended
        tx.update(Product(product_id), actions, condition=enough, otherwise=refusal)


def _shortage(found: Product | None) -> Exception:
    if found is None:
        return NoSuchProduct()
    if not found.is_active:
        return NotForSale(found.title)
    return OutOfStock(found.title, left=found.available)


@contextmanager
def _settling(before: Cart, after: Cart) -> Iterator[None]:
    """Where the answer to a write was lost, look at the cart: it tells whether the write happened."""
    try:
        yield
    except dynamodb.OutcomeUnknown as lost:
        now = dynamodb.get(Cart, before.user_id) or Cart(before.user_id)
        if (now.version, now.order_id) == (before.version, before.order_id):
            raise dynamodb.Contention from lost
        if now.version and (now.version, now.order_id) != (after.version, after.order_id):
            raise Unsure from lost
        if not now.version and after.lines:
            raise Unsure from lost


def _with_expired_holds_released(product_id: str, rule: Callable[[], Cart]) -> Cart:
    """A buyer does not wait for the sweeper: holds whose time is up are released when somebody needs the units."""
    try:
        return rule()
    except OutOfStock:
        if not release_expired(holding=product_id):
            raise
        return rule()


def _cart_with_lines(owner_id: str) -> Cart:
    cart = dynamodb.get(Cart, owner_id)
    if cart is None or not cart.lines:
        raise CartEmpty
    return cart


def _hold_end() -> datetime:
    return clock.now() + timedelta(minutes=settings.RESERVATION_MINUTES)

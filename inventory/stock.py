"""Stock as the shopkeeper sees it: changed by an amount with a reason, never set; movements; who holds what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from pynamodb.exceptions import PynamoDBException

from inventory import catalogue, clock, dynamodb
from inventory.errors import FormUsed, NoSuchPage, NoSuchProduct, ReasonDoesNotFit, StockTooLow, Unsure
from inventory.models import HELD, Cart, Movement, Note, Product

REASONS = {
    "received": _("Goods received"),
    "returned": _("Customer return"),
    "corrected": _("Stocktaking correction"),
    "damaged": _("Damaged or lost"),
}
_ONLY_MORE = {"received", "returned"}
_ONLY_LESS = {"damaged"}
_FORM_REMEMBERED = timedelta(days=1)


@dataclass(frozen=True)
class Hold:
    """Units of one product that a cart keeps for its owner until a moment."""

    owner_id: str
    quantity: int
    since: datetime
    until: datetime


def adjust(product_id: str, *, by: int, reason: str, note: str, who: str, form_id: str = "") -> Product:
    """Change a product's stock by ``by`` units and write the movement that says why, in one transaction.

    A form that carries a ``form_id`` is booked once, however often it is sent. Raises FormUsed when it comes again with
    other values, StockTooLow when more would be taken than is free (units in carts are promised), ReasonDoesNotFit when
    sign and reason contradict each other or nothing would change, NoSuchProduct, and Busy; nothing is written then.
    """
    if not by or reason not in REASONS or (by < 0 and reason in _ONLY_MORE) or (by > 0 and reason in _ONLY_LESS):
        raise ReasonDoesNotFit
    # Made once: whatever gets lost on the way, a movement of this key is written once.
    _book(Movement.of(product_id, reason, quantity=by, by=who, why=note), form_id)
    try:
        return Product.get(product_id, consistent_read=True)
    except PynamoDBException as lost:
        # It is booked, but there is nothing to show for it.
        raise Unsure from lost


@dynamodb.retry_while_busy
def _book(movement: Movement, form_id: str) -> None:
    product_id, by = movement.product_id, movement.quantity
    # A product of the first version has no such number yet: it is brought up to date before it is touched.
    enough = Product.available >= -by if by < 0 else Product.available.exists()
    with dynamodb.transaction() as tx:
        actions = [Product.stock.add(by), Product.available.add(by), Product.moves.add(1)]
        tx.update(Product(product_id), actions, condition=enough, otherwise=_too_low)
        tx.put(movement, condition=Movement.product_id.does_not_exist(), otherwise=_already_booked)
        if form_id:
            said = f"{product_id} {by:+d} {movement.kind} {movement.by} {movement.why}"
            form = Note(f"form#{form_id}", text=said, delete_at=clock.now() + _FORM_REMEMBERED)
            tx.put(form, condition=Note.id.does_not_exist(), otherwise=lambda found: _form_again(found, said))


def _already_booked(_found: Movement | None) -> Exception:
    return dynamodb.AlreadyDone()


def _form_again(found: Note | None, said: str) -> Exception:
    """A form that was sent before: pressed twice, if it says the same."""
    return dynamodb.AlreadyDone() if found and found.text == said else FormUsed()


def _too_low(found: Product | None) -> Exception:
    return (
        NoSuchProduct()
        if found is None
        else StockTooLow(found.title, available=found.available, reserved=found.reserved)
    )


def movements(product_id: str, *, limit: int = 50) -> list[Movement]:
    """A product's movements, newest first."""
    return list(Movement.query(product_id, scan_index_forward=False, limit=limit, consistent_read=True))


def holds(product_id: str) -> list[Hold]:
    """The carts that hold a product, the one that ends first on top. By index: perhaps a moment stale."""
    hold_time = timedelta(minutes=settings.RESERVATION_MINUTES)
    return [
        Hold(cart.user_id, line.quantity, since=cart.expires_at - hold_time, until=cart.expires_at)
        for cart in Cart.expiry_index.query(HELD)
        if cart.expires_at is not None and (line := cart.line(product_id))
    ]


def products(product_ids: Iterable[str]) -> list[Product]:
    """Products with their numbers as they stand now, in the order asked for, without those that do not exist."""
    wanted = list(product_ids)
    (found,) = dynamodb.get_many((Product, wanted))
    return [found[product_id] for product_id in wanted if product_id in found]


@dataclass(frozen=True)
class StockPage:
    """One page of the products with their numbers."""

    rows: list[Product]
    total: int
    page: int
    pages: int

    @property
    def page_numbers(self) -> list[int | None]:
        return catalogue.page_numbers(self.page, self.pages)


def overview(*, query: str = "", low_only: bool = False, page: int = 1, per_page: int = 50) -> StockPage:
    """Products that are not archived with their numbers of now, what is short first. Raises NoSuchPage past the end."""
    words = catalogue.folded(query).split()
    wanted = [
        product.id
        for product in catalogue.everything()
        if product.status != "archived"
        and all(word in catalogue.folded(f"{product.name} {product.sku}") for word in words)
    ]
    rows = sorted(products(wanted), key=lambda product: (product.available - product.low_stock_at, product.id))
    if low_only:
        rows = [product for product in rows if product.is_low]
    pages = max(1, -(-len(rows) // per_page))
    if not 1 <= page <= pages:
        raise NoSuchPage(pages)
    return StockPage(rows[(page - 1) * per_page : page * per_page], len(rows), page, pages)

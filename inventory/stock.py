"""Stock as the shopkeeper sees it: changed by an amount with a reason, never set; movements; who holds what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition

from inventory import audit, availability, catalogue, clock, dynamodb
from inventory.attributes import MomentAttribute, iso
from inventory.errors import FormUsed, NoSuchPage, NoSuchProduct, ReasonDoesNotFit, StockTooLow, Unsure
from inventory.models import HELD, Cart, Movement, Note, Product, User

if TYPE_CHECKING:
    from inventory.proof.facts import Moved

REASONS = {
    "received": _("Goods received"),
    "returned": _("Customer return"),
    "corrected": _("Stocktaking correction"),
    "damaged": _("Damaged or lost"),
}
_ONLY_MORE = {"received", "returned"}
_ONLY_LESS = {"damaged"}
_FORM_REMEMBERED = timedelta(days=1)
_GUEST = "guest-"
_moment = MomentAttribute().deserialize


@dataclass(frozen=True)
class Hold:
    """Units of one product that a cart keeps for its owner until a moment. ``name`` is empty for guests."""

    owner_id: str
    name: str
    quantity: int
    since: datetime
    until: datetime

    @property
    def is_over(self) -> bool:
        """Whether its time is up, and only the sweep has not come by yet."""
        return self.until <= clock.now()


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement, and the stock after it. Its time is its key among the product's movements."""

    time: str
    kind: str
    quantity: int
    balance: int
    order_id: str
    by: str
    why: str

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.time.partition("#")[0])

    @property
    def kind_label(self) -> str:
        return str(Movement.KINDS.get(self.kind, self.kind))


@dataclass(frozen=True)
class Ledger:
    """A page of a product's movements, newest first. ``older`` is the key from which the next page goes on, if any."""

    entries: tuple[Entry, ...]
    older: str | None


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
    seen = dynamodb.get(Product, product_id)
    if seen is None:
        raise NoSuchProduct
    if by < 0:
        actions, enough = availability.lowered(-by, seen=seen)
    else:
        # A product of the first version has no such number yet: it is brought up to date before it is touched.
        actions, enough = availability.raised(by), Product.available.exists()
    # Carts do not move the stock. Whoever sells meanwhile does, and what the log says would not be true.
    as_seen = enough & (Product.stock == seen.stock)
    with dynamodb.transaction() as tx:
        actions = [*actions, Product.stock.add(by)]
        tx.update(Product(product_id), actions, condition=as_seen, otherwise=lambda found: _refused(found, by, seen))
        tx.put(movement, condition=Movement.product_id.does_not_exist(), otherwise=_already_booked)
        note = ": ".join(filter(None, (movement.kind, movement.why)))
        changes = [("stock", str(seen.stock), str(seen.stock + by))]
        audit.write(tx, "stock.adjusted", by=movement.by, target=f"product#{product_id}", changes=changes, note=note)
        if form_id:
            said = f"{product_id} {by:+d} {movement.kind} {movement.by} {movement.why}"
            form = Note(f"form#{form_id}", text=said, delete_at=clock.now() + _FORM_REMEMBERED)
            tx.put(form, condition=Note.id.does_not_exist(), otherwise=lambda found: _form_again(found, said))


def _already_booked(_found: Movement | None) -> Exception:
    return dynamodb.AlreadyDone()


def _form_again(found: Note | None, said: str) -> Exception:
    """A form that was sent before: pressed twice, if it says the same."""
    return dynamodb.AlreadyDone() if found and found.text == said else FormUsed()


def _refused(found: Product | None, by: int, seen: Product) -> Exception:
    if found is None or found.stock != seen.stock or (by < 0 and availability.is_enough(-by, found=found)):
        return dynamodb.Contention()
    return StockTooLow(found.title, available=found.available, reserved=found.reserved)


def movements(product_id: str, *, limit: int = 50) -> list[Movement]:
    """A product's movements, newest first."""
    return list(Movement.query(product_id, scan_index_forward=False, limit=limit, consistent_read=True))


def ledger(product_id: str, *, before: str = "", limit: int = 25) -> Ledger:
    """A page of movements with the stock after each: the newest, or those older than the key ``before``."""
    older = Movement.time < before if before else None
    query = Movement.query(product_id, older, scan_index_forward=False, limit=limit + 1, consistent_read=True)
    found = list(query)
    is_all = len(found) <= limit
    # Added up to the newest that was read: whatever moves meanwhile is not among what is shown.
    balance = sum(one.quantity for one in found) if is_all else _added_up(product_id, Movement.time <= found[0].time)
    return _ledger(found, balance, limit=limit)


def ledger_of(movements: Iterable[Moved], *, before: str = "", limit: int = 25) -> Ledger:
    """The same where all of a product's movements are known."""
    newest = sorted(movements, key=lambda one: one.time, reverse=True)
    older = [one for one in newest if one.time < before] if before else newest
    return _ledger(older[: limit + 1], sum(one.quantity for one in older), limit=limit)


def _ledger(newest: Sequence[Movement | Moved], balance: int, *, limit: int) -> Ledger:
    entries = []
    for one in newest[:limit]:
        entries.append(Entry(one.time, one.kind, one.quantity, balance, one.order_id or "", one.by, one.why))
        balance -= one.quantity
    return Ledger(tuple(entries), entries[-1].time if len(newest) > limit else None)


def as_of(product_id: str, moment: datetime) -> int:
    """The stock as it was at a moment, in units: the sum of the movements up to then."""
    return _added_up(product_id, Movement.time < iso(moment + timedelta(microseconds=1)))


def kept_since(product_id: str) -> datetime | None:
    """The moment of a product's first movement, before which nobody knows anything; None where there is none."""
    return next((movement.at for movement in Movement.query(product_id, limit=1, consistent_read=True)), None)


def _added_up(product_id: str, which: Condition) -> int:
    query = Movement.query(product_id, which, attributes_to_get=["quantity"], consistent_read=True)
    return sum(movement.quantity for movement in query)


def holds(product_id: str) -> list[Hold]:
    """The carts that hold a product, the one that ends first on top. By index: perhaps a moment stale."""
    hold_time = timedelta(minutes=settings.RESERVATION_MINUTES)
    carts = dynamodb.query_raw(Cart, Cart.expiry_index, HELD, ("userId", "items"))
    lines = {cart["userId"]["S"]: (line, cart) for cart in carts if (line := _line(cart, product_id))}
    (users,) = dynamodb.get_raw((User, [one for one in lines if not one.startswith(_GUEST)], ("id", "name", "email")))
    found = []
    for owner_id, (line, cart) in lines.items():
        until = _moment(cart["expiresAt"]["S"])
        units, name = int(Decimal(line["quantity"]["N"])), _name(users.get(owner_id, {}))
        found.append(Hold(owner_id, name, units, since=until - hold_time, until=until))
    return found


def _line(cart: dynamodb.Raw, product_id: str) -> dynamodb.Raw | None:
    lines = (line["M"] for line in cart.get("items", {}).get("L", []))
    return next((line for line in lines if line["productId"]["S"] == product_id), None)


def _name(user: dynamodb.Raw) -> str:
    return str(user.get("name", {}).get("S") or user.get("email", {}).get("S", ""))


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
    def page_numbers(self) -> tuple[int | None, ...]:
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

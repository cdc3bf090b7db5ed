"""All tables, on one page. Keys and attributes are those of the first version; what came later stands below them."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from inventory import clock
from inventory.attributes import CountAttribute, DecimalAttribute, EuroCentsAttribute, MomentAttribute, iso
from inventory.items import Item, Part, PartsAttribute

if TYPE_CHECKING:
    from inventory.lines import Notice

CATALOGUE = "catalogue"
HELD = "held"


class TableMeta:
    """Where every table lives, and how long we wait for it: Lambda's caller gives up after half a minute."""

    region = settings.AWS_REGION
    billing_mode = PAY_PER_REQUEST_BILLING_MODE
    connect_timeout_seconds = 1
    read_timeout_seconds = 3
    max_retry_attempts = 2
    max_pool_connections = 16


class ProductText(Part):
    """A product's words in one language."""

    name = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)


class Translations(Part):
    """Words in the languages beside the shop's first one."""

    en = ProductText(null=True)


class CatalogueIndex(GlobalSecondaryIndex["Product"]):
    """Every product by its last change. Leaves the stock out, so that a reservation costs one write."""

    class Meta:
        index_name = "catalogue-index"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        projection = IncludeProjection(
            [
                "name", "price", "description", "imageUrl", "category", "rating", "reviewCount",
                "createdAt", "status", "sku", "translations", "version", "lowStockAt",
            ]
        )  # fmt: skip

    catalogue = UnicodeAttribute(hash_key=True)
    updated_at = MomentAttribute(range_key=True, attr_name="updatedAt")


class AvailabilityIndex(GlobalSecondaryIndex["Product"]):
    """Every product by the moment when it last sold out or came back. No other change of its stock is written here."""

    class Meta:
        index_name = "availability-index"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        projection = IncludeProjection(["inStockSince"])

    catalogue = UnicodeAttribute(hash_key=True)
    availability_at = MomentAttribute(range_key=True, attr_name="availabilityAt")


class Product(Item):
    """Something for sale, with its stock split by promise.

    A unit on hand is either ``available`` (anyone may take it) or ``reserved`` (a cart holds it). All three
    numbers are stored because a DynamoDB condition cannot subtract.
    """

    class Meta(TableMeta):
        table_name = settings.PRODUCTS_TABLE

    id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(default="")
    price_cents = EuroCentsAttribute(attr_name="price", default=0)
    description = UnicodeAttribute(default="")
    image_url = UnicodeAttribute(attr_name="imageUrl", default="")
    category = UnicodeAttribute(default="")
    rating = DecimalAttribute(null=True)
    review_count = CountAttribute(attr_name="reviewCount", default=0)
    stock = CountAttribute(default=0)
    reserved = CountAttribute(default=0)
    created_at = MomentAttribute(attr_name="createdAt", default=clock.now)
    updated_at = MomentAttribute(attr_name="updatedAt", default=clock.now)

    available = CountAttribute(default=0)
    version = CountAttribute(default=1)
    status = UnicodeAttribute(default="active")
    sku = UnicodeAttribute(default="")
    translations = Translations(null=True)
    low_stock_at = CountAttribute(attr_name="lowStockAt", default=5)
    catalogue = UnicodeAttribute(default=CATALOGUE)
    #: How often the three numbers have moved. Who finds the same count before and after has seen one moment of them.
    moves = CountAttribute(default=0)
    #: There exactly while something is available: written with it, by ``inventory.availability``.
    in_stock_since = MomentAttribute(attr_name="inStockSince", null=True)
    #: When it last sold out or came back.
    availability_at = MomentAttribute(attr_name="availabilityAt", null=True)

    catalogue_index = CatalogueIndex()
    availability_index = AvailabilityIndex()

    STATUSES = {"draft": _("Draft"), "active": _("Active"), "archived": _("Archived")}

    @property
    def title(self) -> str:
        """The name in the active language, or in the shop's first where it has none."""
        return self._words("name") or self.name

    @property
    def text(self) -> str:
        """The description in the active language, or in the shop's first where it has none."""
        return self._words("description") or self.description

    def _words(self, field: str) -> str:
        language = (get_language() or settings.LANGUAGE_CODE).partition("-")[0]
        words = getattr(self.translations, language, None) if self.translations else None
        return (getattr(words, field) or "") if words else ""

    @property
    def status_label(self) -> str:
        return str(self.STATUSES.get(self.status, self.status))

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    @property
    def is_low(self) -> bool:
        return self.available <= self.low_stock_at


class EmailIndex(GlobalSecondaryIndex["User"]):
    """The first version's way to an account. Log-in goes through the guard item, which is never stale."""

    class Meta:
        index_name = "email-index"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        projection = AllProjection()

    email = UnicodeAttribute(hash_key=True)


class Address(Part):
    """Where the parcel goes."""

    name = UnicodeAttribute()
    street = UnicodeAttribute()
    postal_code = UnicodeAttribute(attr_name="postalCode")
    city = UnicodeAttribute()
    country = UnicodeAttribute()


class SavedAddress(Address):
    """An address in an account's book."""

    id = UnicodeAttribute()


class Session(Part):
    """Somebody who is logged in on one device. ``seen`` is coarse: no request writes because of it alone."""

    sid = UnicodeAttribute()
    #: The door that they came in by: ``shop`` or ``admin``.
    kind = UnicodeAttribute(default="shop")
    device = UnicodeAttribute(default="")
    since = MomentAttribute()
    seen = MomentAttribute()
    #: When its owner last showed that it is them, by password, and with the second factor where there has to be one.
    confirmed_at = MomentAttribute(attr_name="confirmedAt", null=True)
    #: When they last showed the second factor.
    factor_at = MomentAttribute(attr_name="factorAt", null=True)


class User(Item):
    """A customer or an admin.

    ``sessions`` are those that live; whoever is not among them is logged out, whatever their cookie says. ``epoch`` is
    raised when all of them end at once, ``session_moves`` counts how often the list was written.
    """

    class Meta(TableMeta):
        table_name = settings.USERS_TABLE

    id = UnicodeAttribute(hash_key=True)
    email = UnicodeAttribute()
    password = UnicodeAttribute()
    role = UnicodeAttribute(default="user")
    created_at = MomentAttribute(attr_name="createdAt", default=clock.now)

    name = UnicodeAttribute(default="")
    #: When a mail to the address was answered; until then it may be anybody's.
    verified_at = MomentAttribute(attr_name="verifiedAt", null=True)
    #: The address that the account is to have once a mail to it is answered.
    new_email = UnicodeAttribute(attr_name="newEmail", null=True)
    addresses = PartsAttribute(of=SavedAddress, default=list)
    epoch = CountAttribute(default=0)
    sessions = PartsAttribute(of=Session, default=list)
    session_moves = CountAttribute(attr_name="sessionMoves", default=0)
    disabled_at = MomentAttribute(attr_name="disabledAt", null=True)

    email_index = EmailIndex()

    #: The session whose request this account was read for. Not stored.
    session: Session | None = None

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class EmailGuard(Item):
    """Makes an e-mail address unique: it is the key of an item in the table of users (``email#alice@…``)."""

    class Meta(TableMeta):
        table_name = settings.USERS_TABLE

    id = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute(attr_name="userId")

    @staticmethod
    def key(email: str) -> str:
        return f"email#{email}"


class SecondFactor(Item):
    """What an admin has beside the password: an item of the table of users (``factor#<account id>``).

    It counts once ``confirmed_at`` is there: before, its secret waits for a first code. ``last_step`` is the half
    minute of the last code, so that none counts twice; ``codes`` are digests of the recovery codes that are left.
    """

    class Meta(TableMeta):
        table_name = settings.USERS_TABLE

    id = UnicodeAttribute(hash_key=True)
    secret = UnicodeAttribute()
    confirmed_at = MomentAttribute(attr_name="confirmedAt", null=True)
    last_step = CountAttribute(attr_name="lastStep", default=0)
    codes = ListAttribute(of=UnicodeAttribute, default=list)
    tries = CountAttribute(default=0)
    failures = CountAttribute(default=0)
    blocked_until = MomentAttribute(attr_name="blockedUntil", null=True)
    last_try = UnicodeAttribute(attr_name="lastTry", default="")

    @staticmethod
    def key(user_id: str) -> str:
        return f"factor#{user_id}"


class Line(Part):
    """So many of one product at one price, with its name and picture as they were then."""

    product_id = UnicodeAttribute(attr_name="productId")
    quantity = CountAttribute()
    price_cents = EuroCentsAttribute(attr_name="price")
    name = UnicodeAttribute(default="")
    image_url = UnicodeAttribute(attr_name="imageUrl", default="")

    @property
    def total_cents(self) -> int:
        return self.price_cents * self.quantity


class ExpiryIndex(GlobalSecondaryIndex["Cart"]):
    """The carts that hold stock, by the end of their hold. Sparse: a cart without ``hold`` is not in it."""

    class Meta:
        index_name = "expiry-index"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        projection = IncludeProjection(["items", "updatedAt", "orderId", "version"])

    hold = UnicodeAttribute(hash_key=True)
    expires_at = MomentAttribute(range_key=True, attr_name="expiresAt")


class Cart(Item):
    """What one customer or guest wants, and whether its units are held for them.

    ``hold`` and ``expires_at`` are there while the lines are reserved; when the hold ends both go and the lines
    stay. ``order_id`` is the id that this cart's order will have; it is made anew with every change of what the
    customer would agree to, so that an old checkout page cannot order what it did not show. ``offers`` are the ids
    that it had before, so that whoever repeats a change after a lost answer sees whether it has happened. For the same
    reason an emptied or ordered cart stays, without lines, until TTL removes it. That of an account which is deleted
    ``is_closed``: nothing comes into it any more.
    """

    class Meta(TableMeta):
        table_name = settings.CARTS_TABLE

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    lines = PartsAttribute(of=Line, attr_name="items", default=list)
    updated_at = MomentAttribute(attr_name="updatedAt", default=clock.now)

    order_id = UnicodeAttribute(attr_name="orderId", null=True)
    offers = ListAttribute(of=UnicodeAttribute, default=list)
    version = CountAttribute(default=0)
    hold = UnicodeAttribute(null=True)
    expires_at = MomentAttribute(attr_name="expiresAt", null=True)
    delete_at = TTLAttribute(attr_name="deleteAt", null=True)
    is_closed = BooleanAttribute(attr_name="closed", null=True)

    expiry_index = ExpiryIndex()

    #: How many ids of before a cart remembers: more than anybody writes while somebody else waits for an answer.
    OFFERS_KEPT = 4

    #: What a rule that wrote this cart has to tell its customer. Not stored.
    notices: Sequence[Notice] = ()

    @property
    def is_held(self) -> bool:
        return self.hold == HELD

    @property
    def held(self) -> dict[str, int]:
        """Units that this cart holds, by product; nothing when the hold is over."""
        return {line.product_id: line.quantity for line in self.lines} if self.is_held else {}

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def total_cents(self) -> int:
        return sum(line.total_cents for line in self.lines)

    def line(self, product_id: str) -> Line | None:
        return next((line for line in self.lines if line.product_id == product_id), None)

    def is_live(self, at: datetime) -> bool:
        """Whether the customer may still rely on the hold."""
        return self.is_held and self.expires_at is not None and self.expires_at > at

    def has_expired(self, at: datetime) -> bool:
        """Whether it still keeps units from others although its time is up."""
        return self.is_held and not self.is_live(at)

    def has_been(self, offer: str) -> bool:
        """Whether it has, or had a few changes ago, this id for its order."""
        return offer == self.order_id or offer in self.offers

    def unchanged(self) -> Condition:
        """True in the table as long as nobody has written this cart since it was read."""
        if self.version == 0:
            return Cart.version.does_not_exist()
        same: Condition = (Cart.version == self.version) & (Cart.order_id == self.order_id)
        return same

    def rewritten(self, lines: list[Line], *, until: datetime | None, offer: str = "") -> Cart:
        """The next version of this cart: held until then, or not held at all. ``offer`` is its id, if not a new one."""
        moment, offer = clock.now(), offer or str(uuid.uuid4())
        earlier = [*self.offers, self.order_id] if self.order_id not in (None, offer) else self.offers
        return Cart(
            self.user_id,
            lines=lines,
            order_id=offer,
            offers=earlier[-self.OFFERS_KEPT :],
            version=self.version + 1,
            updated_at=moment,
            hold=HELD if until else None,
            expires_at=until,
            # TTL sweeps away old carts that hold nothing; one that holds stock must never vanish by itself.
            delete_at=None if until else moment + timedelta(days=30),
        )


class Step(Part):
    """One change of an order: what it became, when, through whom."""

    status = UnicodeAttribute()
    at = MomentAttribute()
    by = UnicodeAttribute(default="")
    note = UnicodeAttribute(default="")


class OwnerIndex(GlobalSecondaryIndex["Order"]):
    """A customer's orders, by time."""

    class Meta:
        index_name = "userId-index"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    created_at = MomentAttribute(range_key=True, attr_name="createdAt")


class StatusIndex(GlobalSecondaryIndex["Order"]):
    """Orders in one state, by time."""

    class Meta:
        index_name = "status-index"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    created_at = MomentAttribute(range_key=True, attr_name="createdAt")


class Order(Item):
    """What was bought. Its id is the cart's ``order_id``: the same cart can become one order only."""

    class Meta(TableMeta):
        table_name = settings.ORDERS_TABLE

    id = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute(attr_name="userId")
    items = PartsAttribute(of=Line, default=list)
    total_cents = EuroCentsAttribute(attr_name="totalAmount", default=0)
    status = UnicodeAttribute(default="pending")
    created_at = MomentAttribute(attr_name="createdAt", default=clock.now)

    number = UnicodeAttribute(default="")
    history = PartsAttribute(of=Step, default=list)
    address = Address(null=True)
    email = UnicodeAttribute(default="")
    tracking = UnicodeAttribute(default="")
    #: In which the customer ordered, and is written to.
    language = UnicodeAttribute(default=settings.LANGUAGE_CODE)
    #: There when its customer's account is gone: their e-mail address goes when the order has come to its end.
    is_forgotten = BooleanAttribute(attr_name="forgotten", null=True)

    owner_index = OwnerIndex()
    status_index = StatusIndex()

    STATUSES = {
        "pending": _("Awaiting payment"),
        "paid": _("Paid"),
        "shipped": _("Shipped"),
        "delivered": _("Delivered"),
        "cancelled": _("Cancelled"),
    }
    STEPS = {
        "pending": ["paid", "cancelled"],
        "paid": ["shipped", "cancelled"],
        "shipped": ["delivered"],
        "delivered": [],
        "cancelled": [],
    }

    @property
    def next_steps(self) -> list[str]:
        return self.STEPS.get(self.status, [])

    @property
    def can_cancel(self) -> bool:
        return "cancelled" in self.next_steps

    @property
    def status_label(self) -> str:
        return str(self.STATUSES.get(self.status, self.status))

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.items)


class Movement(Item):
    """One change of a product's stock, for ever: its sum is the stock."""

    class Meta(TableMeta):
        table_name = settings.MOVEMENTS_TABLE

    product_id = UnicodeAttribute(hash_key=True, attr_name="productId")
    time = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    quantity = CountAttribute()
    by = UnicodeAttribute(default="")
    why = UnicodeAttribute(default="")
    order_id = UnicodeAttribute(attr_name="order", null=True)

    KINDS = {
        "opening": _("Opening stock"),
        "received": _("Goods received"),
        "sold": _("Sold"),
        "returned": _("Returned"),
        "corrected": _("Corrected"),
        "damaged": _("Damaged"),
    }

    @classmethod
    def of(
        cls, product_id: str, kind: str, *, quantity: int, by: str, why: str = "", order_id: str | None = None
    ) -> Movement:
        """A movement of this moment. What follows the time in its key keeps two of one moment apart."""
        time = f"{iso(clock.now())}#{secrets.token_hex(4)}"
        return cls(product_id, time, kind=kind, quantity=quantity, by=by, why=why, order_id=order_id)

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.time.partition("#")[0])

    @property
    def kind_label(self) -> str:
        return str(self.KINDS.get(self.kind, self.kind))


class Note(Item):
    """Something small that the shop remembers for a while, under an id that says what it is (``form#…``).

    That a form was taken, so that it is not taken twice; what the last look at all stock found; the latest moment given
    to a saved product (``clock#catalogue``).
    """

    class Meta(TableMeta):
        table_name = settings.NOTES_TABLE

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(default="")
    at = MomentAttribute(default=clock.now)
    delete_at = TTLAttribute(attr_name="deleteAt", null=True)


class Mail(Item):
    """A mail that is to be sent: of which kind, to whom, and ``about`` what. It goes when it is sent.

    ``due_at`` is when somebody may try (again): whoever tries moves it on, so that nobody else does meanwhile. A mail
    without it was tried too often and waits for an operator, until TTL removes it.
    """

    class Meta(TableMeta):
        table_name = settings.MAILS_TABLE

    id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    to = UnicodeAttribute()
    language = UnicodeAttribute()
    about = JSONAttribute(default=dict)
    written_at = MomentAttribute(attr_name="writtenAt", default=clock.now)
    due_at = MomentAttribute(attr_name="dueAt", null=True)
    tries = CountAttribute(default=0)
    delete_at = TTLAttribute(attr_name="deleteAt", null=True)


class Change(Part):
    """What a field said before and says now, in the words of the table."""

    field = UnicodeAttribute()
    before = UnicodeAttribute(default="")
    after = UnicodeAttribute(default="")


class ActorIndex(GlobalSecondaryIndex["AuditEntry"]):
    """What one person did, by time."""

    class Meta:
        index_name = "actor-index"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        projection = AllProjection()

    actor = UnicodeAttribute(hash_key=True)
    time = UnicodeAttribute(range_key=True)


class TargetIndex(GlobalSecondaryIndex["AuditEntry"]):
    """What happened to one thing or account, by time."""

    class Meta:
        index_name = "target-index"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        projection = AllProjection()

    target = UnicodeAttribute(hash_key=True)
    time = UnicodeAttribute(range_key=True)


class AuditEntry(Item):
    """Who did what, and when: written once, in the transaction of what it tells about, and never again.

    ``actor`` is an admin's address, a customer's account id, a stranger's masked address or a command's name;
    ``target`` is what it was done to (``product#prod-1``).
    """

    class Meta(TableMeta):
        table_name = settings.AUDIT_TABLE

    month = UnicodeAttribute(hash_key=True)
    time = UnicodeAttribute(range_key=True)
    actor = UnicodeAttribute()
    what = UnicodeAttribute()
    target = UnicodeAttribute(null=True)
    changes = PartsAttribute(of=Change, default=list)
    note = UnicodeAttribute(default="")
    delete_at = TTLAttribute(attr_name="deleteAt")

    actor_index = ActorIndex()
    target_index = TargetIndex()

    #: What can happen. An event's group stands before its point.
    EVENTS = {
        "product.created": _("Product created"),
        "product.saved": _("Product saved"),
        "stock.adjusted": _("Stock changed"),
        "stock.repaired": _("Stock repaired"),
        "order.moved": _("Order moved on"),
        "order.cancelled": _("Order cancelled"),
        "order.exported": _("Orders exported"),
        "account.created": _("Account created"),
        "account.verified": _("Address confirmed"),
        "account.password": _("Password changed"),
        "account.reset": _("Password set anew by mail"),
        "account.email_asked": _("Another address asked for"),
        "account.email": _("Address changed"),
        "account.deleted": _("Account deleted"),
        "account.role": _("Role changed"),
        "account.disabled": _("Account disabled"),
        "account.enabled": _("Account opened again"),
        "factor.set_up": _("Second factor set up"),
        "factor.passed": _("Second factor shown"),
        "factor.recovered": _("Recovery code used"),
        "factor.failed": _("Wrong second factor"),
        "factor.limited": _("Second factor refused: too often"),
        "factor.reset": _("Second factor taken away"),
        "login.succeeded": _("Logged in"),
        "login.confirmed": _("Password confirmed"),
        "login.failed": _("Log-in failed"),
        "login.limited": _("Log-in refused: too often"),
        "login.reset_asked": _("New password asked for"),
        "login.made_room": _("Logged out to make room"),
        "login.ended": _("Logged out"),
        "login.ended_all": _("Logged out everywhere"),
    }

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.time.partition("#")[0])

    @property
    def changed(self) -> tuple[tuple[str, str, str], ...]:
        """(field, before, after) of each change."""
        return tuple((change.field, change.before, change.after) for change in self.changes)

    @property
    def label(self) -> str:
        return str(self.EVENTS.get(self.what, self.what))


def tables() -> Iterator[type[Model]]:
    """One model for each table."""
    yield from (Product, User, Cart, Order, Movement, Note, Mail, AuditEntry)


def models() -> Iterator[type[Model]]:
    """Every model: several may have one table."""
    yield from tables()
    yield from (EmailGuard, SecondFactor)

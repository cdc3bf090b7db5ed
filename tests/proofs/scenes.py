"""A small scene for two requests to meet in: one scarce product, one guest's cart, one order, and who else is needed.

What a scene holds is made by the shop's own rules in this process, most of it only when a request asks for it. Then a
scene can say what it has come to, in words that are the same for every scene.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from unittest import mock

from django.core.signing import Signer

from inventory import accounts, checkout, clock, dynamodb, products, reservations
from inventory.models import Cart, Movement, Order, Product, User
from tests.proofs.customers import ADDRESS, Answer, NoAnswer, Shop, Visitor

PASSWORD = "correct horse 1"
UNITS = 6
_CONTACT = checkout.Contact(**ADDRESS)
_NAME = "Laufschuh Luchs"


class _Moved(threading.local):
    """How far this thread's clock is behind: carts of the past are made while others live in the present."""

    back = timedelta()


_moved = _Moved()
_real_now = clock.now


def _now() -> datetime:
    return _real_now() - _moved.back


@contextmanager
def movable_clock() -> Iterator[None]:
    """Let scenes make carts whose hold is over."""
    with mock.patch.object(clock, "now", new=_now):
        yield


@contextmanager
def _three_hours_ago() -> Iterator[None]:
    _moved.back = timedelta(hours=3)
    try:
        yield
    finally:
        _moved.back = timedelta()


class Scene:
    """Six units: two in the guest's cart, one in another's, one sold in the order where there is one, the rest free.

    Where the scene ``is_lapsed``, the hold of both carts is over and nobody has swept them yet.
    """

    def __init__(self, shop: Shop, staff: User, *, is_lapsed: bool) -> None:
        key = uuid.uuid4().hex[:12]
        self.is_lapsed = is_lapsed
        self._shop, self._key = shop, key
        product = Product(f"scene-{key}", name=_NAME, price_cents=9999, category="shoes", description="Läuft.")
        self.product = products.add(product, units=UNITS, by="proof")
        self.guest_id, self._other_id = f"guest-{key}", f"guest-other-{key}"
        self.guest = Visitor(shop, owner_id=self.guest_id)
        self.staff = Visitor(shop, owner_id=staff.id)
        self.token = self._fill(self.guest_id, 2).order_id or ""
        self._fill(self._other_id, 1)
        self.new_email = f"new-{key}@example.com"

    def _fill(self, owner_id: str, units: int) -> Cart:
        if not self.is_lapsed:
            return reservations.reserve(owner_id, self.product.id, quantity=units)
        with _three_hours_ago():
            return reservations.reserve(owner_id, self.product.id, quantity=units)

    @cached_property
    def order(self) -> Order:
        """An order of the guest's, from another cart."""
        cart = reservations.reserve(f"{self.guest_id}-before", self.product.id, quantity=1)
        return checkout.place_order(cart.user_id, token=cart.order_id or "", contact=_CONTACT)

    @property
    def order_key(self) -> str:
        """What the order's link carries, signed as the shop does it."""
        return Signer(key=self._shop.secret_key, salt="order").sign(self.order.id)

    @cached_property
    def account(self) -> User:
        """A customer to whom the guest may turn out to belong, with a cart of their own."""
        account = accounts.register(email=f"alice-{self._key}@example.com", password=PASSWORD, name="Alice")
        self._fill(account.id, 1)
        return account

    @cached_property
    def admin(self) -> User:
        """An admin whom the guest may turn out to be."""
        return accounts.create_admin(email=f"dana-{self._key}@example.com", password=PASSWORD, name="Dana")

    def sweep(self) -> None:
        reservations.release_expired(holding=[self.product.id])

    # What it has come to

    def _owners(self) -> dict[str, str]:
        known = {"guest": self.guest_id, "other": self._other_id, "before": f"{self.guest_id}-before"}
        known |= {name: self.__dict__[name].id for name in ("account", "admin") if name in self.__dict__}
        opened = accounts.find_by_email(self.new_email)
        return known | ({"new account": opened.id} if opened else {})

    def look(self) -> tuple[dict[str, object], list[str]]:
        """What the two requests have made of it, comparable between scenes, and which promises are broken."""
        owners = self._owners()
        order_ids = [self.token, *([self.order.id] if "order" in self.__dict__ else [])]
        carts, orders, found = dynamodb.get_many(
            (Cart, owners.values()), (Order, order_ids), (Product, [self.product.id])
        )
        product, movements = found[self.product.id], list(Movement.query(self.product.id, consistent_read=True))
        moment = clock.now()
        overdue = sum(sum(cart.held.values()) for cart in carts.values() if cart.has_expired(moment))
        state: dict[str, object] = {
            # Whether an expired cart was swept yet is nobody's concern: its units can be had.
            "stock": (product.stock, product.available + overdue, product.reserved - overdue),
            "product": (product.price_cents, product.status, product.version),
            "carts": {name: _cart(carts[one], moment) for name, one in owners.items() if _has_lines(carts.get(one))},
            "placed": _order(orders.get(self.token)),
            "order": _order(orders.get(order_ids[-1])) if len(order_ids) > 1 else None,
            "movements": sorted(Counter((one.kind, one.quantity) for one in movements).items()),
        }
        return state, list(_broken(product, carts.values(), movements, {*orders}))

    def words(self, answer: Answer | NoAnswer | None) -> str:
        """An answer in words that are the same for every scene: no ids, no numbers."""
        if answer is None:
            return "swept"
        if isinstance(answer, NoAnswer):
            return f"no answer ({answer})"
        where = answer.location.partition("?")[0].replace(self.product.id, "PRODUCT").replace(self.token, "CART")
        where = re.sub(r"/prod-[0-9a-f]+/", "/NEW/", re.sub(r"/[0-9a-f-]{36}/", "/ORDER/", where))
        said = [re.sub(r"EK-\w{4}-\w{4}|\d+", "…", sentence) for sentence in answer.messages()]
        return " ".join([str(answer.status), where, *said]).strip()


def _has_lines(cart: Cart | None) -> bool:
    return cart is not None and bool(cart.lines)


def _cart(cart: Cart, moment: datetime) -> tuple[list[tuple[int, int]], str]:
    return [(line.quantity, line.price_cents) for line in cart.lines], "held" if cart.is_live(moment) else "lapsed"


def _order(order: Order | None) -> tuple[object, ...] | None:
    if order is None:
        return None
    lines = [(line.quantity, line.price_cents) for line in order.items]
    return lines, order.status, [step.status for step in order.history]


def _broken(product: Product, carts: list[Cart], movements: list[Movement], order_ids: set[str]) -> Iterator[str]:
    held = sum(cart.held.get(product.id, 0) for cart in carts)
    numbers = f"stock {product.stock}, available {product.available}, reserved {product.reserved}"
    if min(product.available, product.reserved) < 0 or product.stock != product.available + product.reserved:
        yield numbers
    if product.reserved != held:
        yield f"{numbers}, but carts hold {held}"
    booked = sum(movement.quantity for movement in movements)
    if product.stock != booked:
        yield f"{numbers}, but the movements add up to {booked}"
    sold = Counter(movement.order_id for movement in movements if movement.kind == "sold")
    if set(sold) != order_ids or max(sold.values(), default=1) > 1:
        yield f"the movements name the orders {dict(sold)}, in the table are {sorted(order_ids)}"

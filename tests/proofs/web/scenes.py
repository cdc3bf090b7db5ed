"""A small scene for two requests to meet in: one scarce product, one guest's cart, one order, and who else is needed.

A scene is written as the rules would have left it, but in one transaction: there are thousands. What only some requests
need, such as an account, is there when one asks for it. Then a scene can say what it has come to, in words that are the
same for every scene.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from datetime import datetime, timedelta
from functools import cached_property

import pyotp
from django.contrib.auth.hashers import check_password
from django.core.signing import Signer, TimestampSigner
from pynamodb.expressions.update import Action

from inventory import accounts, addresses, availability, clock, dynamodb, lines, second_factor, sessions, verification
from inventory.models import Cart, Movement, Order, Product, Step, User
from tests.proofs.promises import Books
from tests.proofs.web.customers import ADDRESS, Answer, NoAnswer, Shop, Visitor, session_of

PASSWORD = "correct horse 1"
#: What it may become: changed by who is logged in, set anew by who has the mail.
CHANGED, RESET = "correct horse 2", "correct horse 3"
UNITS = 5
_NAME = "Laufschuh Luchs"


class Scene:
    """Five units: two in the guest's cart, one in another's, one sold in the order where there is one, the rest free.

    Where the scene ``is_lapsed``, the hold of both carts is over and nobody has swept them yet.
    """

    def __init__(self, shop: Shop, staff: User, *, is_lapsed: bool) -> None:
        key = uuid.uuid4().hex[:12]
        self.is_lapsed = is_lapsed
        self._shop, self._key = shop, key
        self.product = Product(f"scene-{key}", name=_NAME, price_cents=9999, category="shoes", description="Läuft.")
        self.guest_id, self._other_id = f"guest-{key}", f"guest-other-{key}"
        self.guest = Visitor(shop, owner_id=self.guest_id)
        self.staff = Visitor(shop, owner_id=staff.id)
        self._newcomers: list[str] = []
        self.token = self._set()

    def _set(self) -> str:
        """Write product, goods received and the two carts; gives the token of the guest's checkout."""
        guests, others = self._cart_of(self.guest_id, 2), self._cart_of(self._other_id, 1)
        self.product.stock, self.product.reserved, self.product.available = UNITS, 3, UNITS - 3
        availability.begin(self.product)
        received = Movement.of(self.product.id, "received", quantity=UNITS, by="proof")
        with dynamodb.transaction() as tx:
            tx.put(self.product, condition=Product.id.does_not_exist(), otherwise=dynamodb.contended)
            tx.put(received, condition=Movement.product_id.does_not_exist(), otherwise=dynamodb.contended)
            for cart in (guests, others):
                tx.put(cart, condition=Cart.user_id.does_not_exist(), otherwise=dynamodb.contended)
        return guests.order_id or ""

    def _cart_of(self, owner_id: str, units: int) -> Cart:
        line = lines.of_product(self.product, quantity=units, price_cents=self.product.price_cents)
        left = timedelta(hours=-1 if self.is_lapsed else 1)
        return Cart(owner_id).rewritten([line], until=clock.now() + left)

    @cached_property
    def order(self) -> Order:
        """An order of the guest's for one unit."""
        line = lines.of_product(self.product, quantity=1, price_cents=self.product.price_cents)
        order = Order(str(uuid.uuid4()), user_id=self.guest_id, items=[line], number="EK-2222-2222")
        order.total_cents, order.email = line.total_cents, ADDRESS["email"]
        order.history = [Step(status="pending", at=clock.now(), by=order.email)]
        sold = Movement.of(self.product.id, "sold", quantity=-1, by=self.guest_id, order_id=order.id)
        with dynamodb.transaction() as tx:
            self._take_one(tx, Product.stock.add(-1))
            tx.put(order, condition=Order.id.does_not_exist(), otherwise=dynamodb.contended)
            tx.put(sold, condition=Movement.product_id.does_not_exist(), otherwise=dynamodb.contended)
        return order

    @property
    def order_key(self) -> str:
        """What the order's link carries, signed as the shop does it."""
        return Signer(key=self._shop.secret_key, salt="order").sign(self.order.id)

    @cached_property
    def account(self) -> User:
        """A customer to whom the guest may turn out to belong, with a cart of their own."""
        account = accounts.register(email=f"alice-{self._key}@example.com", password=PASSWORD, name="Alice")
        with dynamodb.transaction() as tx:
            self._take_one(tx, Product.reserved.add(1))
            own = self._cart_of(account.id, 1)
            tx.put(own, condition=Cart.user_id.does_not_exist(), otherwise=dynamodb.contended)
        return account

    def _take_one(self, tx: dynamodb.transaction, there: Action) -> None:
        """Take a unit off the shelf. Nobody else is in the scene yet."""
        taken, enough = availability.lowered(1, seen=dynamodb.get(Product, self.product.id))
        tx.update(self.product, [*taken, there], condition=enough, otherwise=dynamodb.contended)

    @cached_property
    def customer(self) -> Visitor:
        """The account's owner, logged in."""
        return Visitor(self._shop, owner_id=self.account.id)

    @cached_property
    def confirmed(self) -> User:
        """The account, its address confirmed."""
        return verification.verify(self.account.id, self.account.email)

    @cached_property
    def customers_token(self) -> str:
        """The token of the account's own checkout."""
        cart = dynamodb.get(Cart, self.account.id)
        return (cart.order_id if cart else None) or ""

    @cached_property
    def other_session(self) -> str:
        """A session of the account on another device."""
        return str(sessions.begin(self.account, kind="shop", device="")["sid"])

    @cached_property
    def address_ids(self) -> list[str]:
        """Two addresses in the account's book."""
        for street in ("Eins 1", "Zwei 2"):
            addresses.add(self.account.id, ADDRESS | {"street": street})
        return [one.id for one in self._account_now().addresses]

    @cached_property
    def moving_to(self) -> str:
        """An address that the account has asked for and not confirmed yet."""
        email = f"moved-{self._key}@example.com"
        verification.ask_change(self.account, email, password=PASSWORD)
        return email

    def mail_key(self, purpose: str, *about: str) -> str:
        """What a link in a mail to the account's owner carries, signed as the shop does it."""
        return TimestampSigner(key=self._shop.secret_key, salt=f"mail.{purpose}").sign_object([*about])

    def _account_now(self) -> User:
        found = accounts.find(self.account.id)
        assert found is not None
        return found

    @cached_property
    def candidate(self) -> tuple[Visitor, str]:
        """The admin, logged in, but with the second factor still to be shown; and the code that shows it."""
        begun = sessions.begin(self.admin, kind="admin", device="")
        visitor = Visitor(self._shop, owner_id=self.admin.id, session=begun)
        return visitor, pyotp.TOTP(second_factor.begin(self.admin.id).secret).now()

    @cached_property
    def admin(self) -> User:
        """An admin whom the guest may turn out to be."""
        return accounts.create_admin(email=f"dana-{self._key}@example.com", password=PASSWORD, name="Dana")

    @cached_property
    def new_email(self) -> str:
        """The address with which the guest may open an account."""
        return f"new-{self._key}@example.com"

    # What it has come to

    def _has(self, name: str) -> bool:
        return name in self.__dict__

    def _owners(self) -> dict[str, str]:
        known = {"guest": self.guest_id, "other": self._other_id}
        known |= {name: self.__dict__[name].id for name in ("account", "admin") if self._has(name)}
        known |= {f"newcomer {number}": one for number, one in enumerate(self._newcomers)}
        opened = accounts.find_by_email(self.new_email) if self._has("new_email") else None
        return known | ({"new account": opened.id} if opened else {})

    def meet_again(self, answer: Answer | NoAnswer | None) -> None:
        """Know whoever an answer has made a guest: a customer whose session has ended goes on as a new one."""
        said = session_of(self._shop, answer) if isinstance(answer, Answer) else {}
        owner_id = said.get("guest_id")
        if owner_id and owner_id not in {self.guest_id, *self._newcomers}:
            self._newcomers.append(str(owner_id))

    def look(self) -> tuple[dict[str, object], list[str]]:
        """What the two requests have made of it, comparable between scenes, and which promises are broken."""
        owners = self._owners()
        order_ids = [self.token, *([self.order.id] if self._has("order") else [])]
        tokens = [self.customers_token] if self._has("customers_token") else []
        carts, orders, found = dynamodb.get_many(
            (Cart, owners.values()), (Order, order_ids + tokens), (Product, [self.product.id])
        )
        product, movements = found[self.product.id], list(Movement.query(self.product.id, consistent_read=True))
        moment = clock.now()
        overdue = sum(sum(cart.held.values()) for cart in carts.values() if cart.has_expired(moment))
        state: dict[str, object] = {
            # Whether an expired cart was swept yet is nobody's concern: its units can be had.
            "stock": (product.stock, product.available + overdue, product.reserved - overdue),
            "product": (product.price_cents, product.status, product.version),
            "carts": {
                name: _cart(carts[one], product, moment) for name, one in owners.items() if _has_lines(carts.get(one))
            },
            "placed": [_order(orders.get(token)) for token in (self.token, *tokens)],
            "order": _order(orders.get(order_ids[-1])) if len(order_ids) > 1 else None,
            "account": _account(accounts.find(self.account.id), self._key) if self._has("account") else None,
            "movements": sorted(Counter((one.kind, one.quantity) for one in movements).items()),
        }
        books = Books(found, list(carts.values()), list(orders.values()), movements)
        return state, books.broken(product.id)

    def clear(self) -> None:
        """Take the carts away: the next scene would read through all that are left when it looks for expired ones."""
        with Cart.batch_write() as batch:
            for owner_id in self._owners().values():
                batch.delete(Cart(owner_id))

    def words(self, answer: Answer | NoAnswer | None) -> str:
        """An answer in words that are the same for every scene: no ids, no numbers."""
        if answer is None:
            return "swept"
        if isinstance(answer, NoAnswer):
            return f"no answer ({answer})"
        where = answer.location.partition("?")[0].replace(self.product.id, "PRODUCT").replace(self.token, "CART")
        where = re.sub(r"/prod-[0-9a-f]+/", "/NEW/", re.sub(r"/[0-9a-f-]{36}/", "/ORDER/", where))
        said = [re.sub(rf"{self._key}|EK-\w{{4}}-\w{{4}}|\d+", "…", sentence) for sentence in answer.messages()]
        return " ".join([str(answer.status), where, *said]).strip()


def _has_lines(cart: Cart | None) -> bool:
    return cart is not None and bool(cart.lines)


def _cart(cart: Cart, product: Product, moment: datetime) -> tuple[list[tuple[int, int]], str]:
    """Quantities and what a unit would cost now: whether a lower price was written down yet is nobody's concern."""
    live = cart.is_live(moment)
    seen = [(line.quantity, lines.price_now(line, product, live=live)) for line in cart.lines]
    return seen, "held" if live else "lapsed"


def _account(user: User | None, key: str) -> tuple[object, ...] | str:
    """What an account has come to: with which password, under which address, and on how many devices."""
    if user is None:
        return "deleted"
    password = next(one for one in (PASSWORD, CHANGED, RESET) if check_password(one, user.password))
    emails = [(email or "").replace(key, "…") for email in (user.email, user.new_email)]
    streets = [one.street for one in user.addresses]
    return (
        password,
        *emails,
        user.verified_at is not None,
        user.role,
        user.disabled_at is not None,
        len(user.sessions),
        streets,
    )


def _order(order: Order | None) -> tuple[object, ...] | None:
    if order is None:
        return None
    sold = [(line.quantity, line.price_cents) for line in order.items]
    return sold, order.status, [step.status for step in order.history]

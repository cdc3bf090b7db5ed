"""Small worlds for one run each: written in bulk, looked at as sentences that are the same in every run, swept away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from unittest import mock

from pynamodb.models import Model

from inventory import availability, checkout
from inventory.models import HELD, Cart, Line, Movement, Order, Product, Step
from tests import faults
from tests.proofs.promises import Books

State = tuple[str, ...]

PRICE_CENTS = 1999
CONTACT = checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")
_HOLD_ROUNDED_MINUTES = 10


class Clock:
    """The shop's time: the real one, moved, and the faults' clock on top, so that waiting for an answer takes time."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved + timedelta(seconds=faults.elapsed_seconds())

    def running(self) -> mock._patch[object]:
        return mock.patch("inventory.clock.now", self.now)


class Stage:
    """What one run plays with. Its ids begin with its own name, so that many runs live in the same tables."""

    def __init__(self, number: int, clock: Clock) -> None:
        self.name = f"w{number:07}"
        self.clock = clock
        self.product_ids: list[str] = []
        self.items: list[Model] = []
        self._products: dict[str, Product] = {}

    def id(self, role: str) -> str:
        return f"{self.name}.{role}"

    def offer(self, owner: str) -> str:
        """What the checkout page of a cart carries that this stage began with."""
        return self.id(f"offer-{owner}")

    def product(self, role: str, *, stock: int, price_cents: int = PRICE_CENTS) -> None:
        product = Product(self.id(role), name=f"Shoe {role}", price_cents=price_cents, stock=stock, available=stock)
        received = Movement.of(product.id, "received", quantity=stock, by="Dana")
        self._products[role] = product
        self.product_ids.append(product.id)
        self.items += [product, received]

    def cart(self, owner: str, *, minutes: int | None, price_cents: int = PRICE_CENTS, **wanted: int) -> None:
        """Held for so many minutes more, or held although its time is up (negative), or lapsed (None)."""
        cart = Cart(self.id(owner), version=3, order_id=self.offer(owner))
        cart.lines = self._lines(wanted, price_cents)
        if minutes is not None:
            cart.hold, cart.expires_at = HELD, self.clock.now() + timedelta(minutes=minutes)
            for role, quantity in wanted.items():
                self._products[role].available -= quantity
                self._products[role].reserved += quantity
        self.items.append(cart)

    def order(self, role: str, owner: str, *, status: str, **bought: int) -> None:
        order = Order(self.id(role), user_id=self.id(owner), status=status, number="EK-TEST-TEST")
        order.items = self._lines(bought, PRICE_CENTS)
        order.total_cents = sum(line.total_cents for line in order.items)
        order.history = [Step(status="pending", at=self.clock.now() - timedelta(hours=1), by="alice@example.com")]
        self.items.append(order)
        for product, quantity in bought.items():
            self._products[product].stock -= quantity
            self._products[product].available -= quantity
            self.items.append(
                Movement.of(self.id(product), "sold", quantity=-quantity, by=order.user_id, order_id=order.id)
            )

    def _lines(self, wanted: dict[str, int], price_cents: int) -> list[Line]:
        return [
            Line(product_id=self.id(role), quantity=quantity, price_cents=price_cents, name=f"Shoe {role}")
            for role, quantity in wanted.items()
        ]

    def state(self, books: Books) -> State:
        """What stands in the tables about this world, without ids and moments that differ from run to run."""
        mine = f"{self.name}."
        said = [_product(product) for product in books.products.values() if product.id.startswith(mine)]
        said += [_cart(cart, self.clock) for cart in books.carts if cart.user_id.startswith(mine) and cart.lines]
        said += [_order(order) for order in books.orders if order.user_id.startswith(mine)]
        said += [_movement(movement) for movement in books.movements if movement.product_id.startswith(mine)]
        return tuple(sorted(sentence.replace(mine, "") for sentence in said))


def _product(product: Product) -> str:
    return (
        f"{product.id}: {product.stock} = {product.available} + {product.reserved}, {product.status}, "
        f"“{product.name}”, {product.price_cents} cents, version {product.version}"
    )


def _cart(cart: Cart, clock: Clock) -> str:
    if not cart.is_held or cart.expires_at is None:
        return f"{cart.user_id} has {_said(cart.lines)}, not held"
    minutes = round((cart.expires_at - clock.now()).total_seconds() / 60 / _HOLD_ROUNDED_MINUTES)
    return f"{cart.user_id} has {_said(cart.lines)}, held for {minutes * _HOLD_ROUNDED_MINUTES} minutes"


def _order(order: Order) -> str:
    history = ", ".join(step.status for step in order.history)
    return f"{order.user_id} has ordered {_said(order.items)}, {order.status} ({history}) {order.tracking}".strip()


def _movement(movement: Movement) -> str:
    return f"{movement.product_id} {movement.kind} {movement.quantity:+d}"


def _said(lines: Iterable[Line]) -> str:
    return " and ".join(sorted(f"{line.quantity} {line.product_id} at {line.price_cents}" for line in lines))


def write(stages: Iterable[Stage]) -> None:
    """Put worlds into the tables, many items a request."""
    by_model: dict[type[Model], list[Model]] = defaultdict(list)
    for stage in stages:
        for item in stage.items:
            if isinstance(item, Product):
                availability.begin(item)
            by_model[type(item)].append(item)
    for model, items in by_model.items():
        with model.batch_write() as batch:
            for item in items:
                batch.save(item)


def split(books: Books) -> defaultdict[str, Books]:
    """What was read, by the world that it is of: nobody has to look for theirs among everybody's."""
    worlds: defaultdict[str, Books] = defaultdict(lambda: Books({}, [], [], []))
    for product_id, product in books.products.items():
        worlds[_world(product_id)].products[product_id] = product
    for cart in books.carts:
        worlds[_world(cart.user_id)].carts.append(cart)
    for order in books.orders:
        worlds[_world(order.user_id)].orders.append(order)
    for movement in books.movements:
        worlds[_world(movement.product_id)].movements.append(movement)
    return worlds


def _world(id: str) -> str:
    return id.partition(".")[0]


def sweep_away(books: Books) -> None:
    """Empty the tables of what was read, so that the next look reads no more than it needs."""
    everything = {
        Product: books.products.values(),
        Cart: books.carts,
        Order: books.orders,
        Movement: books.movements,
    }
    for model, items in everything.items():
        with model.batch_write() as batch:
            for item in items:
                batch.delete(item)

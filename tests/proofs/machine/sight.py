"""One run's shop as its tables say it, in the model's words, and how the two differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from inventory.models import HELD, Cart, Line, Movement, Order, Product
from tests.proofs.machine.glance import Item, Tables
from tests.proofs.machine.model import Shop

Lines = list[tuple[str, tuple[int, int]]]


@dataclass(frozen=True)
class Seen:
    """Products and carts at one moment, by the names that the model has for them."""

    products: dict[str, dict[str, Any]]
    carts: dict[str, dict[str, Any]]

    def over(self, now: int) -> list[str]:
        """Owners whose cart still keeps units although its time is up."""
        return [owner for owner, cart in self.carts.items() if cart["held"] and cart["until"] <= now]

    def kept(self, product: str, owners: Iterable[str]) -> int:
        carts = [self.carts[owner] for owner in owners]
        return sum(line[0] for cart in carts if cart["held"] for name, line in cart["lines"] if name == product)


class Sight:
    """What stands in the tables of one run."""

    def __init__(self, run: str, *, owners: Sequence[str], products: Sequence[str], start: datetime) -> None:
        self._tables = Tables()
        self._run, self._owners, self._products, self._start = run, owners, products, start
        self._keys = {
            Product.Meta.table_name: [{"id": self.id(name)} for name in products],
            Cart.Meta.table_name: [{"userId": self.id(name)} for name in owners],
        }

    def id(self, name: str) -> str:
        return f"{name}-{self._run}"

    def name(self, id: str) -> str:
        return id.removesuffix(f"-{self._run}")

    def now(self) -> Seen:
        return self._seen(self._keys)

    def after(self, before: Seen, writes: Sequence[str]) -> Seen:
        """What is there after these questions: only what they name can be another than before."""
        keys = {
            table: [key for key in keys if any(id in write for id in key.values() for write in writes)]
            for table, keys in self._keys.items()
        }
        if not any(keys.values()):
            return before
        news, named = self._seen(keys), {self.name(id) for some in keys.values() for key in some for id in key.values()}
        products = {name: goods for name, goods in before.products.items() if name not in named}
        carts = {owner: cart for owner, cart in before.carts.items() if owner not in named}
        return Seen({**products, **news.products}, {**news.carts, **carts})

    def _seen(self, keys: dict[str, list[dict[str, str]]]) -> Seen:
        found = self._tables.items(keys)
        products = {self.name(item["id"]): _product(item) for item in found[Product.Meta.table_name]}
        carts = {self.name(item["userId"]): self._cart(item) for item in found[Cart.Meta.table_name]}
        nothing = {"lines": [], "held": False, "until": 0, "offer": ""}
        return Seen(products, {owner: carts.get(owner, nothing) for owner in self._owners})

    def cart(self, cart: Cart) -> tuple[Lines, int]:
        """A cart that a rule gave back: its lines, and until when they are held."""
        return self._lines(cart.lines), self._seconds(cart.expires_at) if cart.is_held and cart.expires_at else 0

    def order(self, order: Order) -> tuple[str, Lines, str]:
        return self.name(order.user_id), self._lines(order.items), order.status

    def stored(self, order_id: str) -> tuple[str, Lines, str] | None:
        """An order as it is in the table."""
        for item in self._tables.items({Order.Meta.table_name: [{"id": order_id}]})[Order.Meta.table_name]:
            return self.name(item["userId"]), self._raw_lines(item), item["status"]
        return None

    def moved(self, product: str) -> int:
        """The sum of a product's movements."""
        moves = self._tables.range_of(Movement.Meta.table_name, key="productId", value=self.id(product))
        return sum(int(move["quantity"]) for move in moves)

    def forget(self) -> None:
        """Remove the carts, so that a sweep in a later run does not find them."""
        self._tables.delete(Cart.Meta.table_name, self._keys[Cart.Meta.table_name])
        self._tables.close()

    def _cart(self, item: Item) -> dict[str, Any]:
        until = self._seconds(datetime.fromisoformat(item["expiresAt"])) if "expiresAt" in item else 0
        held = item.get("hold") == HELD
        return {"lines": self._raw_lines(item), "held": held, "until": until, "offer": item["orderId"]}

    def _lines(self, lines: Iterable[Line]) -> Lines:
        return [(self.name(line.product_id), (line.quantity, line.price_cents)) for line in lines]

    def _raw_lines(self, item: Item) -> Lines:
        return [
            (self.name(line["productId"]), (int(line["quantity"]), _cents(line["price"]))) for line in item["items"]
        ]

    def _seconds(self, moment: datetime) -> int:
        return int((moment - self._start).total_seconds())


def as_order(order: dict[str, Any]) -> tuple[str, Lines, str]:
    """The model's order as ``Sight`` gives the shop's."""
    return order["owner"], list(order["lines"].items()), order["status"]


def differences(shop: Seen, model: Shop) -> Iterator[str]:
    """What stands in the tables and should not, or the other way round; what holds for every shop at every moment."""
    for name, goods in shop.products.items():
        numbers = goods["stock"], goods["available"], goods["reserved"]
        kept = shop.kept(name, shop.carts)
        if min(numbers) < 0 or numbers[0] != numbers[1] + numbers[2] or numbers[2] != kept:
            yield f"{name}: stock, available and reserved are {numbers}, and carts hold {kept}."
        unswept = shop.kept(name, shop.over(model.now))
        expected = {**model.products[name], "available": model.available(name) - unswept}
        found = {key: goods[key] for key in expected}
        if found != expected:
            yield f"{name} is {found} and should be {expected}."
    for owner, cart in shop.carts.items():
        lines, live = list(model.carts[owner]["lines"].items()), model.live(owner)
        if cart["lines"] != lines:
            yield f"{owner} has {cart['lines']} and should have {lines}."
        if live and (not cart["held"] or cart["until"] != model.carts[owner]["until"]):
            yield f"{owner}'s cart should be held until {model.carts[owner]['until']}: {cart}."
        if not live and cart["held"] and cart["until"] > model.now:
            yield f"{owner}'s cart should not be held any more: {cart}."


def _product(item: Item) -> dict[str, Any]:
    numbers = {key: int(item[key]) for key in ("stock", "available", "reserved", "version")}
    return {**numbers, "price": _cents(item["price"]), "status": item["status"]}


def _cents(euros: str) -> int:
    return int(Decimal(euros) * 100)

"""The promises of stock, worked out from the tables as they stand. For proofs, when nothing else is running."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from inventory import dynamodb
from inventory.models import Cart, Movement, Order, Product


def broken(product_ids: Iterable[str]) -> list[str]:
    """Every promise that does not hold for one of these products, as a sentence that begins with its id."""
    wanted = list(product_ids)
    books = Books.read(wanted)
    return [sentence for product_id in wanted for sentence in books.broken(product_id)]


@dataclass(frozen=True)
class Books:
    """Some products and all carts, orders and movements. Read one table after the other: nobody may be writing."""

    products: dict[str, Product]
    carts: list[Cart]
    orders: list[Order]
    movements: list[Movement]

    @classmethod
    def read(cls, product_ids: Iterable[str]) -> Books:
        (products,) = dynamodb.get_many((Product, product_ids))
        carts, orders, movements = (list(model.scan(consistent_read=True)) for model in (Cart, Order, Movement))
        return cls(products, carts, orders, movements)

    def broken(self, product_id: str) -> list[str]:
        product = self.products.get(product_id)
        if product is None:
            return [f"{product_id}: gone"] if self._is_named(product_id) else []
        return [f"{product_id}: {wrong}" for wrong in self._numbers(product) + self._trade(product_id)]

    def _numbers(self, product: Product) -> list[str]:
        stock, reserved, available = product.stock, product.reserved, product.available
        held = sum(cart.held[product.id] for cart in self._holders[product.id])
        moved = sum(movement.quantity for movement in self._movements[product.id])
        since, dated = product.in_stock_since, product.availability_at is not None
        endless = [cart.user_id for cart in self._holders[product.id] if cart.expires_at is None]
        wrong = {
            f"{reserved} reserved": reserved < 0,
            f"{available} available": available < 0,
            f"stock {stock} is not available {available} + reserved {reserved}": stock != available + reserved,
            f"{reserved} reserved, but carts hold {held}": reserved != held,
            f"stock {stock}, but its movements add up to {moved}": stock != moved,
            f"{available} available, but in stock since {since}": (available > 0) != (since is not None),
            "nothing says when it sold out or came back": not dated,
            f"held without an end by {endless}": bool(endless),
        }
        return [sentence for sentence, is_so in wrong.items() if is_so]

    def _trade(self, product_id: str) -> list[str]:
        """Each order has taken its units once, and given them back once if it was cancelled."""
        ordered = {order.id: _units(order, product_id) for order in self._orders[product_id]}
        cancelled = {order.id: ordered[order.id] for order in self._orders[product_id] if order.status == "cancelled"}
        sold, returned = self._moved(product_id, "sold"), self._moved(product_id, "returned")
        wrong = []
        for order_id in sorted(ordered.keys() | sold.keys() | returned.keys()):
            if -sold[order_id] != ordered.get(order_id, 0):
                wrong.append(f"order {order_id} has {ordered.get(order_id, 0)}, but {-sold[order_id]} were sold to it")
            if returned[order_id] != cancelled.get(order_id, 0):
                wrong.append(f"{returned[order_id]} came back from order {order_id}, not {cancelled.get(order_id, 0)}")
        return wrong

    def _moved(self, product_id: str, kind: str) -> Counter[str]:
        moved: Counter[str] = Counter()
        for movement in self._movements[product_id]:
            if movement.kind == kind and movement.order_id:
                moved[movement.order_id] += movement.quantity
        return moved

    def _is_named(self, product_id: str) -> bool:
        return bool(self._holders[product_id] or self._orders[product_id] or self._movements[product_id])

    @cached_property
    def _holders(self) -> defaultdict[str, list[Cart]]:
        """By product: the carts that hold some of it."""
        by_product = defaultdict(list)
        for cart in self.carts:
            for product_id in cart.held:
                by_product[product_id].append(cart)
        return by_product

    @cached_property
    def _orders(self) -> defaultdict[str, list[Order]]:
        by_product = defaultdict(list)
        for order in self.orders:
            for product_id in {line.product_id for line in order.items}:
                by_product[product_id].append(order)
        return by_product

    @cached_property
    def _movements(self) -> defaultdict[str, list[Movement]]:
        by_product = defaultdict(list)
        for movement in self.movements:
            by_product[movement.product_id].append(movement)
        return by_product


def _units(order: Order, product_id: str) -> int:
    return sum(line.quantity for line in order.items if line.product_id == product_id)

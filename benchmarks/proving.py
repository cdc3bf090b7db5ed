"""How long ``manage.py prove_stock`` takes: a shop of so many products, with some of its numbers spoilt."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from ecokart import local
from inventory import availability, bulk, clock
from inventory.models import Cart, Line, Movement, Order, Product, Step

STOCK = 100
SPOILT = 3
_CHUNK = 25
_AT_MOST_SECONDS = 600


def measure(*, full: bool) -> dict[str, Any]:
    """Fill the tables, spoil some stock, run the command; gives seconds, processor seconds and what it found."""
    shop = _Shop(products=100_000 if full else 2_000)
    kinds: tuple[Iterator[Any], ...] = (shop.products(), shop.movements(), shop.orders(), shop.carts())
    for items in kinds:
        # Through the rules it would take an hour.
        for _ in bulk.in_parallel(bulk.put, items, size=_CHUNK):
            pass
    before, began = _processor_seconds(), time.monotonic()
    command = [sys.executable, "manage.py", "prove_stock"]
    done = subprocess.run(command, cwd=local.ROOT, capture_output=True, text=True, timeout=_AT_MOST_SECONDS)
    return {
        "products": shop.size,
        "movements": shop.size + 2 * shop.order_count,
        "orders": shop.order_count,
        "carts": shop.cart_count,
        "seconds": time.monotonic() - began,
        "processor_seconds": _processor_seconds() - before,
        "exit": done.returncode,
        "spoilt": len(set(re.findall(rf"^\W*({'|'.join(shop.spoilt)})\b", done.stdout + done.stderr, re.MULTILINE))),
    }


class _Shop:
    """So many products; one order for each ten and one held cart for each twenty, of two lines with two units each."""

    def __init__(self, *, products: int) -> None:
        self.size = products
        self.order_count, self.cart_count = products // 10, products // 20
        self.spoilt = [self._id(number) for number in (1, products // 2, products - 1)][:SPOILT]
        self._sold = Counter(line.product_id for order in range(self.order_count) for line in self._lines(order, 2))
        self._held = Counter(line.product_id for cart in range(self.cart_count) for line in self._lines(cart, 7))

    def products(self) -> Iterator[Product]:
        for number in range(self.size):
            key = self._id(number)
            stock, held = STOCK - 2 * self._sold[key] + (key in self.spoilt), 2 * self._held[key]
            fields = {"name": f"Product {number}", "description": "x" * 300, "price_cents": 1999, "category": "shoes"}
            numbers = {"stock": stock, "reserved": held, "available": stock - held, "moves": 3}
            yield availability.begin(Product(key, **numbers, **fields))

    def movements(self) -> Iterator[Movement]:
        for number in range(self.size):
            yield Movement.of(self._id(number), "received", quantity=STOCK, by="bench")
        for order in range(self.order_count):
            for line in self._lines(order, 2):
                yield Movement.of(line.product_id, "sold", quantity=-2, by="bench", order_id=f"order-{order}")

    def orders(self) -> Iterator[Order]:
        for number in range(self.order_count):
            order, items = Order(f"order-{number}", user_id="guest-1"), self._lines(number, 2)
            order.items, order.total_cents = items, sum(line.total_cents for line in items)
            order.history = [Step(status="pending", at=order.created_at, by="bench")]
            yield order

    def carts(self) -> Iterator[Cart]:
        until = clock.now() + timedelta(days=1)
        for number in range(self.cart_count):
            yield Cart(f"guest-{number}").rewritten(self._lines(number, 7), until=until)

    def _lines(self, number: int, stride: int) -> list[Line]:
        keys = [self._id((number * stride + offset) % self.size) for offset in (0, 1)]
        return [Line(product_id=key, quantity=2, price_cents=1999, name="Product") for key in keys]

    def _id(self, number: int) -> str:
        return f"prod-{number:06}"


def _processor_seconds() -> float:
    """What this process's children have used that have ended."""
    times = os.times()
    return times.children_user + times.children_system

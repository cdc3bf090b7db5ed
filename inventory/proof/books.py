"""One reading of all tables, and who does not add up in it.

The shop goes on while we read. So the products are read twice, before everything else and after it: of a product with
the same ``moves`` in both, everything in between was seen at one moment. Whoever has moved, or does not add up, is only
a suspect.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from pynamodb.models import Model

from inventory import clock
from inventory.attributes import iso
from inventory.models import Cart, Movement, Order, Product
from inventory.proof import facts, judging, reading
from inventory.proof.facts import Account, Moved, Raw, Sale, Shelf
from inventory.proof.findings import Finding
from inventory.tables import Progress

#: How long a cart may keep units after its time. The sweep comes every few minutes.
OVERDUE = timedelta(minutes=15)


@dataclass
class Suspect:
    """A product to look at exactly: with the carts that may hold it, and the orders that are to be compared.

    ``compares`` says which more of these there are, once the movements are known.
    """

    product_id: str
    owners: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    compares: Callable[[list[Moved]], Collection[str]] | None = None

    def hear(self, movements: list[Moved]) -> None:
        if self.compares is not None:
            self.orders |= set(self.compares(movements))


class Books:
    """What all tables say, added up by product, in units."""

    def __init__(self) -> None:
        self.before: dict[str, int] = {}
        self.after: dict[str, Shelf] = {}
        self.held: dict[str, dict[str, int]] = defaultdict(dict)
        self.moved: Counter[str] = Counter()
        self.movements: Counter[str] = Counter()
        self.sales: dict[str, Sale] = {}
        self.accounts: dict[tuple[str, str], Account] = {}
        #: What is wrong with a cart or an order by itself. Each was read at one moment, so this is certain.
        self.certain: list[Finding] = []
        self.overdue = 0
        self._unnamed: set[str] = set()
        self._too_late = iso(clock.now() - OVERDUE)

    def read(self) -> Iterator[Progress]:
        """Read everything; says how far it is."""
        yield from _each(Product, "moves", self._moves, wanted=("id", "moves"))
        yield from _each(Cart, "carts", self._cart)
        yield from _each(Order, "orders", self._order)
        yield from _each(Movement, "movements", self._movement)
        yield from _each(Product, "products", self._shelf)

    def suspects(self) -> dict[str, Suspect]:
        """Who has moved meanwhile or does not add up, by product."""
        found = {product_id: Suspect(product_id) for product_id in self._moving_or_wrong()}
        for product_id, order_id in self._lines_in_doubt():
            found.setdefault(product_id, Suspect(product_id)).orders.add(order_id)
        for product_id, suspect in found.items():
            suspect.owners.update(self.held.get(product_id, ()))
        return found

    def _moving_or_wrong(self) -> Iterator[str]:
        for product_id in self.before.keys() | self.after.keys() | self.held.keys() | self.movements.keys():
            shelf = self.after.get(product_id)
            moves = shelf.moves if shelf else None
            if moves != self.before.get(product_id) or product_id in self._unnamed or self._wrong(product_id, shelf):
                yield product_id

    def _wrong(self, product_id: str, shelf: Shelf | None) -> bool:
        count = self.movements[product_id]
        return bool(
            judging.of_numbers(product_id, shelf)
            or judging.of_holders(product_id, shelf, self.held.get(product_id, {}))
            or judging.of_sum(product_id, shelf, self.moved[product_id], count=count)
        )

    def _lines_in_doubt(self) -> Iterator[tuple[str, str]]:
        lines = {(product_id, sale.id) for sale in self.sales.values() for product_id in sale.ordered}
        for product_id, order_id in lines | self.accounts.keys():
            account = self.accounts.get((product_id, order_id), Account())
            if judging.of_order_line(product_id, "", order_id, self.sales.get(order_id), account):
                yield product_id, order_id

    def _moves(self, raw: Raw) -> None:
        self.before[raw["id"]["S"]] = facts.shelf(raw).moves

    def _shelf(self, raw: Raw) -> None:
        self.after[raw["id"]["S"]] = facts.shelf(raw)

    def _cart(self, raw: Raw) -> None:
        basket = facts.basket(raw)
        if basket is None:
            return
        for product_id, units in basket.held.items():
            self.held[product_id][basket.owner_id] = units
        self.certain += judging.of_basket(basket)
        self.overdue += bool(basket.until and basket.until < self._too_late)

    def _order(self, raw: Raw) -> None:
        sale = facts.sale(raw)
        self.sales[sale.id] = sale
        self.certain += judging.of_order(sale)

    def _movement(self, raw: Raw) -> None:
        moved = facts.moved(raw)
        self.moved[moved.product_id] += moved.quantity
        self.movements[moved.product_id] += 1
        if moved.order_id:
            self.accounts.setdefault((moved.product_id, moved.order_id), Account()).enter(moved)
        elif moved.kind == "sold":
            self._unnamed.add(moved.product_id)


def _each(
    model: type[Model], what: str, enter: Callable[[Raw], None], *, wanted: tuple[str, ...] = ()
) -> Iterator[Progress]:
    """Enter every item of a table into the books, or only some attributes of it."""
    about, done = reading.about_how_many(model), 0
    for page in reading.scan(model, about=about, wanted=wanted):
        for raw in page:
            enter(raw)
        done += len(page)
        yield Progress(what, done, max(done, about))
    yield Progress(what, done, done)

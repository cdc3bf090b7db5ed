"""What the tables say after carts were swept: that each was released once, and why it moved if it moved again.

A release adds one to its cart's version, and one to the moves of each product in it. A customer who looks may release,
one who renews adds one to the version, one who buys moves one product once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.models import Cart, Product
from tests.proofs import promises

#: How long somebody may wait while everything is being swept.
LONGEST_WAIT_SECONDS = 10
SHOWN = 5


@dataclass(frozen=True)
class Plan:
    """A cart to be: its units by product, the end of its hold from the start on, and what its customer will want."""

    owner_id: str
    units: dict[str, int]
    ends_in_minutes: float
    wish: str


@dataclass(frozen=True)
class Visit:
    """Somebody who comes while the sweepers sweep: to look, to renew, or to buy one of a product."""

    wish: str
    owner_id: str
    product_id: str
    pause_seconds: float


@dataclass(frozen=True)
class Visited:
    """How it went: ``refusal`` is empty where the wish came true."""

    visit: Visit
    refusal: str
    seconds: float


@dataclass(frozen=True)
class Shopping:
    """All visits, and how many carts were released on their way."""

    visits: list[Visited]
    released: int

    def who(self, wish: str, *, refused: bool = False) -> list[Visit]:
        return [one.visit for one in self.visits if one.visit.wish == wish and bool(one.refusal) == refused]


@dataclass(frozen=True)
class Tables:
    """Carts and products at one moment, by their ids."""

    carts: dict[str, Cart]
    products: dict[str, Product]

    @classmethod
    def read(cls) -> Tables:
        return cls(
            {cart.user_id: cart for cart in Cart.scan(consistent_read=True)},
            {product.id: product for product in Product.scan(consistent_read=True)},
        )


def units(plans: Iterable[Plan]) -> Counter[str]:
    """What is in some carts altogether, by product."""
    total: Counter[str] = Counter()
    for plan in plans:
        total.update(plan.units)
    return total


def wrong(plans: list[Plan], before: Tables, after: Tables, shopping: Shopping, *, by_sweepers: int) -> Iterator[str]:
    releases = _releases(before, after, shopping)
    yield from _few(_wrong_carts(before, after, releases, shopping))
    yield from _few(_wrong_moves(before, after, releases, shopping))
    yield from _few(promises.broken(sorted(after.products)))
    yield from _few(_wrong_refusals(plans, shopping))
    counted = by_sweepers + shopping.released
    if counted != sum(releases.values()):
        yield f"Sweepers and customers counted {counted} releases, the tables {sum(releases.values())}"


def _few(sentences: Iterable[str]) -> list[str]:
    """The first of many that say the same."""
    found = list(sentences)
    return [*found[:SHOWN], *([f"… and {len(found) - SHOWN} more like this"] if len(found) > SHOWN else [])]


def _releases(before: Tables, after: Tables, shopping: Shopping) -> dict[str, int]:
    """How often each cart was released: by how much its version went up, but for what its customer did."""
    renewed = {visit.owner_id for visit in shopping.who("renew")}
    return {
        owner_id: after.carts[owner_id].version - cart.version - (owner_id in renewed)
        for owner_id, cart in before.carts.items()
        if owner_id in after.carts
    }


def _wrong_carts(before: Tables, after: Tables, releases: dict[str, int], shopping: Shopping) -> Iterator[str]:
    renewed = {visit.owner_id for visit in shopping.who("renew")}
    for owner_id, cart in before.carts.items():
        now = after.carts.get(owner_id)
        # Whoever renews in time keeps their units; everybody else's come back.
        allowed = {0, 1} if owner_id in renewed else {1}
        if now is None or not now.lines:
            yield f"The cart {owner_id} lost its lines"
        elif releases[owner_id] not in allowed:
            yield f"The cart {owner_id} was released {releases[owner_id]} times"
        elif now.is_held != (owner_id in renewed):
            yield f"The cart {owner_id} {'holds' if now.is_held else 'does not hold'} units"
        elif owner_id not in renewed and [line.as_dict() for line in now.lines] != [
            line.as_dict() for line in cart.lines
        ]:
            yield f"The cart {owner_id} has other lines than before"


def _wrong_moves(before: Tables, after: Tables, releases: dict[str, int], shopping: Shopping) -> Iterator[str]:
    """A product moves once with each cart that is released, reserved anew, or bought into; never else."""
    renewed = {visit.owner_id for visit in shopping.who("renew")}
    moves = Counter(visit.product_id for visit in shopping.who("buy"))
    for owner_id, times in releases.items():
        for tables in (before, after) if owner_id in renewed else (before,):
            moves.update({line.product_id: times for line in tables.carts[owner_id].lines})
    for product_id, product in before.products.items():
        moved = after.products[product_id].moves - product.moves
        if moved != moves[product_id]:
            yield f"{product_id} moved {moved} times where there were {moves[product_id]} reasons"


def _wrong_refusals(plans: list[Plan], shopping: Shopping) -> Iterator[str]:
    """Nobody may be refused what lies in carts whose time was up by the right clock before anybody came."""
    renewed = {visit.owner_id for visit in shopping.who("renew")}
    free = units(plan for plan in plans if plan.ends_in_minutes < 0 and plan.owner_id not in renewed)
    free.subtract(units(plan for plan in plans if plan.owner_id in renewed))
    free.subtract(visit.product_id for visit in shopping.who("buy"))
    for one in shopping.visits:
        left = free[one.visit.product_id]
        if one.refusal and (one.visit.wish != "buy" or left > 0):
            yield f"{one.visit.owner_id} wanted to {one.visit.wish} ({left} units left) and was told: {one.refusal}"
        elif one.seconds > LONGEST_WAIT_SECONDS:
            yield f"{one.visit.owner_id} waited {one.seconds:.1f} s to {one.visit.wish}"

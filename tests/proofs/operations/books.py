"""What a cart may be after an operation, by the shop's promises: the judge of the random operations.

An operation is *done* (the shop said so: it has happened), *refused* (it has not, and the reason must have been
possible) or *unknown* (no answer, or "Unsure": either). From what a customer's two carts were, what was tried and what
they are now, ``explain`` says whether there is an order of events that the promises allow.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from inventory.errors import (
    Busy,
    CartChanged,
    CartEmpty,
    HoldExpired,
    InventoryError,
    NotForSale,
    OutOfStock,
    TooMany,
)
from tests.proofs.operations.shelf import REFUSED, UNKNOWN, Shortage

GUEST, USER = "guest", "user"

#: The clocks of two servers differ by at most twice this.
SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Rules:
    """The shop's limits."""

    hold: timedelta
    most: int


@dataclass(frozen=True)
class Side:
    """One cart: units by product, when its hold ends (between two moments; None: nothing is held), its offer's token.

    ``soft`` are the products of which there may be fewer: lines whose hold was over are reserved again as far as there
    are units.
    """

    lines: Mapping[str, int] = field(default_factory=dict)
    until: tuple[datetime, datetime] | None = None
    token: str = ""
    soft: frozenset[str] = frozenset()

    def may_be_dead(self, latest: datetime) -> bool:
        """Whether its time may be up on somebody's clock; ``latest`` is the middle clock's moment."""
        return self.until is None or self.until[0] <= latest + SKEW


@dataclass(frozen=True)
class Carts:
    """A customer's two carts, and the tokens that have become orders."""

    sides: Mapping[str, Side]
    placed: frozenset[str] = frozenset()

    def with_side(self, name: str, side: Side, *, placed: str = "") -> Carts:
        return Carts({**self.sides, name: side}, self.placed | {placed} if placed else self.placed)


@dataclass
class Try:
    """One operation on a cart and what came of it. Its clock (with its server's error) showed ``start`` to ``end``."""

    kind: str
    side: str
    product: str = ""
    quantity: int = 0
    token: str = ""
    began: int = 0
    ended: int = 0
    start: datetime = datetime.min
    end: datetime = datetime.min
    latest: datetime = datetime.min
    outcome: str = UNKNOWN
    value: Any = None
    refusal: InventoryError | None = None

    def __str__(self) -> str:
        what = {
            "reserve": f"reserve {self.quantity} of {self.product}",
            "change": f"change {self.product} to {self.quantity}",
            "remove": f"remove {self.product}",
            "checkout": f"check out {self.token[:8]}",
        }.get(self.kind, self.kind)
        why = f" ({type(self.refusal).__name__}: {self.refusal})" if self.refusal else ""
        who = f" as {self.side}" if self.side else ""
        return f"{what}{who}: {self.outcome}{why}"


def applied(rules: Rules, carts: Carts, tried: Try) -> Iterator[Carts]:
    """What the carts may be when an operation happens to them as they are; nothing if it cannot happen."""
    side = carts.sides[tried.side]
    if tried.kind in ("reserve", "change"):
        yield from _with_line(rules, carts, tried, side)
    elif tried.kind == "remove":
        yield from _without(rules, carts, tried, side)
    elif tried.kind == "join":
        yield from _joined(rules, carts, tried)
    elif tried.kind == "checkout":
        yield from _ordered(carts, tried, side)
    elif tried.kind == "look":
        # It may have written lower prices down, which makes a new offer.
        yield carts
        yield carts.with_side(tried.side, replace(side, token=""))
    elif side.lines and (tried.kind == "renew" or _may_be_live(side, tried)):
        renewed = tried.kind == "renew" and side.may_be_dead(tried.latest)
        soft = frozenset(side.lines) if renewed else side.soft
        token = "" if tried.kind == "renew" else side.token
        yield carts.with_side(tried.side, replace(side, until=_anew(rules, tried), soft=soft, token=token))


def _with_line(rules: Rules, carts: Carts, tried: Try, side: Side) -> Iterator[Carts]:
    old = side.lines.get(tried.product, 0)
    if tried.kind == "change" and not old:
        return
    if tried.kind == "change" and tried.quantity == 0:
        yield from _without(rules, carts, tried, side)
        return
    new = tried.quantity + (old if tried.kind == "reserve" else 0)
    fewer = tried.kind == "reserve" and tried.product in side.soft
    if new <= rules.most or fewer:
        soft = frozenset(side.lines) if side.may_be_dead(tried.latest) else side.soft
        soft = soft | {tried.product} if fewer else soft - {tried.product}
        lines = {**side.lines, tried.product: min(new, rules.most)}
        yield carts.with_side(tried.side, Side(lines, _anew(rules, tried), soft=soft))


def _without(rules: Rules, carts: Carts, tried: Try, side: Side) -> Iterator[Carts]:
    if tried.product not in side.lines:
        yield carts
        return
    rest = {product: units for product, units in side.lines.items() if product != tried.product}
    if rest and _may_be_live(side, tried):
        yield carts.with_side(tried.side, Side(rest, _anew(rules, tried), soft=side.soft))
    if not rest or side.may_be_dead(tried.latest):
        yield carts.with_side(tried.side, Side(rest, None, soft=side.soft))


def _joined(rules: Rules, carts: Carts, tried: Try) -> Iterator[Carts]:
    guest, user = carts.sides[GUEST], carts.sides[USER]
    if not guest.lines:
        yield carts
        return
    lines = dict(user.lines)
    for product, units in guest.lines.items():
        lines[product] = min(rules.most, lines.get(product, 0) + units)
    dead = [side for side in (guest, user) if side.lines and side.may_be_dead(tried.latest)]
    soft = guest.soft | user.soft | {product for side in dead for product in side.lines}
    gone = carts.with_side(GUEST, Side())
    if _may_be_live(guest, tried) or _may_be_live(user, tried):
        yield gone.with_side(USER, Side(lines, _anew(rules, tried), soft=frozenset(soft)))
    if guest.may_be_dead(tried.latest) and user.may_be_dead(tried.latest):
        yield gone.with_side(USER, Side(lines, None, soft=guest.soft | user.soft))


def _ordered(carts: Carts, tried: Try, side: Side) -> Iterator[Carts]:
    if tried.token in carts.placed:
        yield carts
    elif side.lines and side.token == tried.token and _may_be_live(side, tried):
        yield carts.with_side(tried.side, Side(), placed=tried.token)


def may_refuse(rules: Rules, carts: Carts, tried: Try) -> bool:
    """Whether a refusal's reason may have been true of these carts. Shortages are looked into by ``shortage``."""
    side, refusal = carts.sides[tried.side], tried.refusal
    units = side.lines.get(tried.product, 0)
    perhaps_empty = side.lines.keys() <= side.soft
    if isinstance(refusal, CartChanged):
        if tried.kind == "checkout":
            known = side.token == tried.token and not side.may_be_dead(tried.latest)
            return bool(side.lines) and tried.token not in carts.placed and not known
        return tried.kind == "change" and (not units or tried.product in side.soft)
    if isinstance(refusal, CartEmpty):
        return tried.kind in ("extend", "renew", "checkout") and perhaps_empty and tried.token not in carts.placed
    if isinstance(refusal, HoldExpired):
        return tried.kind in ("extend", "checkout") and side.may_be_dead(tried.latest)
    if isinstance(refusal, TooMany):
        return tried.quantity + (units if tried.kind == "reserve" else 0) > rules.most
    if isinstance(refusal, OutOfStock | NotForSale):
        return tried.kind in ("reserve", "change")
    return isinstance(refusal, Busy)


def shortage(carts: Carts, tried: Try) -> Shortage | None:
    """What a refusal says of the shelf."""
    if not isinstance(tried.refusal, OutOfStock):
        return None
    side = carts.sides[tried.side]
    units = side.lines.get(tried.product, 0)
    wanted = tried.quantity + (units if tried.kind == "reserve" else 0)
    needed = wanted if side.may_be_dead(tried.latest) else wanted - units
    return Shortage(tried.product, needed, tried.began, tried.ended, str(tried))


def explain(rules: Rules, before: Carts, tries: list[Try], after: Carts, *, latest: datetime) -> Carts | None:
    """The carts as the promises have them, if some order of these operations leads to ``after``; else None.

    ``latest`` is the middle clock's moment when ``after`` had been read: the operations may have ended long before.
    """
    for order in itertools.permutations(tries):
        for expected in _runs(rules, before, order):
            if _fits(expected, after, latest):
                return expected
    return None


def _runs(rules: Rules, carts: Carts, order: tuple[Try, ...]) -> Iterator[Carts]:
    if not order:
        yield carts
        return
    tried, *rest = order
    for expected in applied(rules, carts, tried):
        if tried.outcome != REFUSED or _ran_out_since(expected, tried):
            yield from _runs(rules, expected, tuple(rest))
    if tried.outcome == UNKNOWN or (tried.outcome == REFUSED and may_refuse(rules, carts, tried)):
        yield from _runs(rules, carts, tuple(rest))


def _ran_out_since(expected: Carts, tried: Try) -> bool:
    """Whether an extension may have happened, lost its answer, and run out before its next try: HoldExpired is true."""
    is_over = isinstance(tried.refusal, HoldExpired) and expected.sides[tried.side].may_be_dead(tried.latest)
    return tried.kind == "extend" and is_over


def _fits(expected: Carts, after: Carts, latest: datetime) -> bool:
    sides = all(side_fits(expected.sides[name], after.sides[name], latest) for name in (GUEST, USER))
    return sides and expected.placed == after.placed


def side_fits(expected: Side, after: Side, latest: datetime) -> bool:
    if not after.lines.keys() <= expected.lines.keys():
        return False
    for product, units in expected.lines.items():
        found = after.lines.get(product, 0)
        if found > units or (found < units and product not in expected.soft):
            return False
    if after.until is None:
        return not after.lines or expected.may_be_dead(latest)
    return expected.until is not None and expected.until[0] <= after.until[0] <= expected.until[1]


def _may_be_live(side: Side, tried: Try) -> bool:
    return side.until is not None and side.until[1] > tried.start


def _anew(rules: Rules, tried: Try) -> tuple[datetime, datetime]:
    return tried.start + rules.hold, tried.end + rules.hold

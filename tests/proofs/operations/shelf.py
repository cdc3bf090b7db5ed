"""What is known of the products of an episode, and what the shop said of them: judged at the end, when all is known.

While an operation is on its way nobody knows yet what it has changed. So what customers were told of prices and of what
was sold out is written down with its time, and looked at when every thread has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.proofs.operations.timeline import Timeline

DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"


@dataclass(frozen=True)
class Shortage:
    """That somebody did not get ``needed`` units between two moments. True only if there were fewer."""

    product: str
    needed: int
    began: int
    ended: int
    said: str
    #: What is reserved anew also leaves the cart when it is not sold any more.
    unless_archived: bool = False


@dataclass(frozen=True)
class Priced:
    """That a product cost so many cents: one of the prices that were known, or one that it had between two moments."""

    product: str
    price_cents: int
    known: frozenset[int]
    began: int
    ended: int
    said: str


@dataclass(frozen=True)
class NotSold:
    """That a product was not for sale at some moment between two."""

    product: str
    began: int
    ended: int
    said: str


@dataclass(frozen=True)
class Booking:
    """A change of stock by the shopkeeper, and whether it has happened."""

    product: str
    units: int
    note: str
    began: int
    ended: int
    outcome: str


Claim = Shortage | Priced | NotSold


@dataclass
class Shelf:
    """The products of an episode: units and price (cents) at the start, and everything that may have changed since."""

    opening: Mapping[str, tuple[int, int]]
    customers: int
    bookings: list[Booking] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.price = {product: Timeline(price) for product, (_, price) in self.opening.items()}
        self.status = {product: Timeline("active") for product in self.opening}
        #: Units that a customer holds or has bought, at most.
        self.taken = {(one, product): Timeline(0) for one in range(self.customers) for product in self.opening}

    def wrong(self) -> Iterator[str]:
        """Every claim that cannot have been true."""
        for claim in self.claims:
            possible = self.status[claim.product].possible(claim.began, claim.ended)
            if isinstance(claim, Priced):
                prices = claim.known.union(self.price[claim.product].possible(claim.began, claim.ended))
                if claim.price_cents not in prices:
                    yield f"{claim.product} was said to cost {claim.price_cents}, not one of {prices}: {claim.said}"
            elif isinstance(claim, NotSold):
                if "archived" not in possible:
                    yield f"{claim.product} was for sale all the time: {claim.said}"
            elif not (claim.unless_archived and "archived" in possible):
                free = self._free_all_the_time(claim)
                if free >= claim.needed:
                    yield f"{free} of {claim.product} were free all the time, {claim.needed} needed: {claim.said}"

    def _free_all_the_time(self, claim: Shortage) -> int:
        """The fewest units that nobody can have held or bought at any moment of a claim's time."""
        product, there = claim.product, self.opening[claim.product][0]
        for booking in self.bookings:
            if booking.product != product or booking.outcome == REFUSED:
                continue
            if booking.units < 0 and booking.began <= claim.ended:
                there += booking.units
            if booking.units > 0 and booking.ended < claim.began and booking.outcome == DONE:
                there += booking.units
        spans = (self.taken[one, product].possible(claim.began, claim.ended) for one in range(self.customers))
        return there - sum(max(span) for span in spans)

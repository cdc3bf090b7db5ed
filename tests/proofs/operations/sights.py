"""What a customer knows: what the shop has shown and told them, as the books have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from inventory import baskets, dynamodb
from inventory.models import Cart, Order
from tests.proofs.operations.books import GUEST, USER, Carts, Side, Try
from tests.proofs.operations.shelf import REFUSED

Prices = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Offer:
    """What a checkout page showed: of which cart, so many of each product at these prices (cents)."""

    side: str
    lines: Mapping[str, int]
    prices: Mapping[str, int]


@dataclass
class Customer:
    """Somebody with a guest's cart and an account's, and what the shop has said to them."""

    number: int
    owners: Mapping[str, str]
    carts: Carts = field(default_factory=lambda: Carts({GUEST: Side(), USER: Side()}))
    #: The price of each line as it stands in the carts, by side and product.
    prices: Prices = field(default_factory=lambda: {GUEST: {}, USER: {}})
    offers: dict[str, Offer] = field(default_factory=dict)
    #: The tokens of the checkout pages that are open in their browser, the newest last.
    pages: dict[str, list[str]] = field(default_factory=lambda: {GUEST: [], USER: []})
    #: What state each order is in, by token, and when its checkout was tried.
    statuses: dict[str, str] = field(default_factory=dict)
    tried: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def bought(self, product: str) -> int:
        return sum(
            self.offers[token].lines.get(product, 0) for token, status in self.statuses.items() if status != "cancelled"
        )


def as_side(cart: Cart) -> tuple[Side, dict[str, int]]:
    """A cart of the table as the books have it, and its prices."""
    until = (cart.expires_at, cart.expires_at) if cart.is_held and cart.expires_at else None
    lines = {line.product_id: line.quantity for line in cart.lines}
    prices = {line.product_id: line.price_cents for line in cart.lines}
    return Side(lines, until if lines else None, cart.order_id or "" if lines else ""), prices


def held(carts: Carts, product: str) -> int:
    return sum(side.lines.get(product, 0) for side in carts.sides.values() if side.until)


def read(customer: Customer, tokens: set[str]) -> tuple[Carts, Prices]:
    """The customer's carts as they stand in the table, with the orders that some tokens have become."""
    carts, found = dynamodb.get_many((Cart, customer.owners.values()), (Order, sorted(tokens)))
    sides, prices = {}, {}
    for name, owner in customer.owners.items():
        sides[name], prices[name] = as_side(carts.get(owner) or Cart(owner))
    mine = {order.id for order in found.values() if order.user_id in customer.owners.values()}
    return Carts(sides, customer.carts.placed | mine), prices


def as_claimed(customer: Customer, tried: Try) -> tuple[Carts, Prices]:
    """The carts as the shop says that they are now."""
    before = customer.carts
    if tried.outcome == REFUSED:
        return before, customer.prices
    if tried.kind == "checkout":
        if tried.token in before.placed:
            return before, customer.prices
        gone = before.with_side(tried.side, Side(), placed=tried.token)
        return gone, {**customer.prices, tried.side: {}}
    if tried.kind == "look":
        side, prices = _as_seen(before.sides[tried.side], tried.value)
    else:
        side, prices = as_side(tried.value)
    return before.with_side(tried.side, side), {**customer.prices, tried.side: prices}


def _as_seen(before: Side, basket: baskets.Basket | None) -> tuple[Side, dict[str, int]]:
    if basket is None:
        return Side(), {}
    lines = {line.product_id: line.quantity for line in basket.lines}
    if basket.is_held and basket.expires_at:
        prices = {line.product_id: line.price_cents for line in basket.lines}
        return Side(lines, (basket.expires_at, basket.expires_at), basket.token), prices
    # Its time is up, but perhaps nobody has given its units back yet.
    return Side(lines, before.until, basket.token), {line.product_id: line.line.price_cents for line in basket.lines}


def story(customer: Customer, before: Carts, tries: list[Try], after: Carts) -> str:
    """What cannot be: what there was, what was done and what there is."""
    lines = [f"Customer {customer.number} had {in_words(before)}."]
    lines += [f"    {tried}" for tried in tries]
    return "\n".join([*lines, f"    and has {in_words(after)}, which is none of the things that may come of it."])


def in_words(carts: Carts) -> str:
    def one(name: str, side: Side) -> Iterator[str]:
        if side.lines:
            what = ", ".join(f"{units} of {product[-9:]}" for product, units in side.lines.items())
            until = f"held until {side.until[0]:%d. %H:%M:%S}" if side.until else "not held"
            yield f"as {name} {what} ({until}, {side.token[:8]})"

    words = [word for name, side in carts.sides.items() for word in one(name, side)]
    return f"{'; '.join(words) or 'nothing'}; {len(carts.placed)} orders"

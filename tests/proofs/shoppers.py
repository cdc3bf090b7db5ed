"""Customers and the shopkeeper: they carry out the steps of a plan, and after each the books must balance."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from pynamodb.exceptions import PynamoDBException

from inventory import baskets, checkout, clock, dynamodb, orders, products, reservations, stock
from inventory.errors import Busy, InventoryError, NotForSale, NotPossible, ProductChanged, StockTooLow, Unsure
from inventory.models import Cart, Order, Product
from tests import faults
from tests.proofs import books
from tests.proofs.books import GUEST, USER, Carts, Side, Try
from tests.proofs.plans import CUSTOMERS_EACH, THREADS, Step
from tests.proofs.schedule import Schedule
from tests.proofs.shelf import DONE, REFUSED, UNKNOWN, Booking, NotSold, Priced, Shelf, Shortage

EPOCH = datetime(2026, 1, 5, 8, tzinfo=UTC)
CONTACT = checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")
_LOOK_AGAIN = 0.05
_SENSIBLE = 0.7
#: A time-out of seconds would leave its thread alone at the end, where nobody is in its way any more.
_PAUSE_COUNTS_SECONDS = 0.15
_NO_ANSWER = (PynamoDBException, BotoCoreError, ClientError, dynamodb.Contention, dynamodb.OutcomeUnknown)
Prices = dict[str, dict[str, int]]


class Wrong(Exception):
    """The shop has broken a promise."""


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


class Time:
    """The shop's clocks in an episode: they go on with the schedule, and by leaps when a step waits."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._waited = timedelta(0)
        self._ticks = itertools.count(1)
        self._lock = threading.Lock()
        self.here = threading.local()
        self.latest = EPOCH

    def now(self) -> datetime:
        """This moment on the clock of the server that this thread uses. No two moments are the same."""
        seconds = self._schedule.seconds() + faults.elapsed_seconds()
        with self._lock:
            moment = EPOCH + self._waited + timedelta(seconds=seconds, microseconds=next(self._ticks))
            self.latest = max(self.latest, moment)
        return moment + timedelta(minutes=getattr(self.here, "skew", 0.0))

    def wait(self, *, minutes: float) -> None:
        with self._lock:
            self._waited += timedelta(minutes=minutes)


class Shop:
    """The shop during one episode: who is in it, what was done, and what is known of every number since."""

    def __init__(self, name: str, shelf: list[tuple[int, int]], schedule: Schedule) -> None:
        self.name = name
        self.schedule = schedule
        self.time = Time(schedule)
        self.rules = books.Rules(timedelta(minutes=settings.RESERVATION_MINUTES), settings.LINE_MAX_QUANTITY)
        self.customers = [
            Customer(number, {GUEST: f"guest-{name}-{number:02}", USER: f"user-{name}-{number:02}"})
            for number in range(THREADS * CUSTOMERS_EACH)
        ]
        opening = {f"{name}-product-{number}": units_and_price for number, units_and_price in enumerate(shelf)}
        self.shelf = Shelf(opening, len(self.customers))
        self.products = list(opening)
        self.saves: dict[str, list[Try]] = {product: [] for product in opening}
        self.tally: Counter[str] = Counter()
        self.story: list[tuple[Step, Try]] = []
        self._moments = itertools.count(1)

    def open(self) -> None:
        for product, (units, price) in self.shelf.opening.items():
            products.add(Product(product, name=product, price_cents=price), units=units, by="dana")

    def perform(self, step: Step) -> None:
        """One step. Raises Wrong when what comes of it is none of the things that may come of it."""
        if step.kind == "wait":
            self.time.wait(minutes=step.quantity)
        elif step.kind == "sweep":
            self._attempt(step, Try("sweep", ""), reservations.release_expired)
        elif step.kind == "restock":
            self._restock(step)
        elif step.kind == "edit":
            self._edit(step)
        elif step.kind == "cancel":
            self._cancel(step)
        else:
            self._shop(step)

    def moment(self) -> int:
        """A number that is larger than any before it."""
        return next(self._moments)

    # Of any kind

    def _attempt(self, step: Step, tried: Try, rule: Callable[[], Any]) -> Try:
        """Let a rule run into the step's faults."""
        passed = 0.0

        def decide(call: faults.Call) -> faults.Fault | None:
            nonlocal passed
            pause, passed = faults.elapsed_seconds() - passed, faults.elapsed_seconds()
            pace = step.paces[call.number % len(step.paces)]
            self.schedule.spend(pace + min(pause, _PAUSE_COUNTS_SECONDS))
            return step.plan.get(call.number)

        self.time.here.skew = step.skew
        tried.began = self.moment()
        with faults.injected(decide, seed=f"{step.number} {step.chance}") as heard:
            tried.start = clock.now()
            try:
                tried.value, tried.outcome = rule(), DONE
            except Unsure:
                pass
            except InventoryError as refusal:
                tried.outcome, tried.refusal = REFUSED, refusal
            except faults.Killed:
                self.tally["killed"] += 1
            except _NO_ANSWER as failed:
                if not dynamodb.is_unavailable(failed):
                    raise
            tried.end = clock.now()
        tried.ended, tried.latest = self.moment(), self.time.latest
        self.time.here.skew = 0.0
        self.tally["faults"] += len(heard.plan)
        self.tally[tried.outcome] += 1
        self.tally[f"{tried.kind} {type(tried.refusal).__name__ if tried.refusal else tried.outcome}"] += 1
        self.story.append((step, tried))
        return tried

    # The shopkeeper

    def _restock(self, step: Step) -> None:
        product, by, note = self._product(step), step.quantity, f"step {step.number}"
        reason = "received" if by > 0 else "damaged" if step.chance < 0.5 else "corrected"
        tried = self._attempt(
            step, Try("restock", ""), lambda: stock.adjust(product, by=by, reason=reason, note=note, who="dana")
        )
        if tried.refusal and not isinstance(tried.refusal, StockTooLow):
            self._expect_refusal(tried)
        if isinstance(tried.refusal, StockTooLow):
            self.shelf.claims.append(Shortage(product, -by, tried.began, tried.ended, str(step)))
        self.shelf.bookings.append(Booking(product, by, note, tried.began, tried.ended, tried.outcome))

    def _edit(self, step: Step) -> None:
        product = self._product(step)
        fields: products.Fields = {}

        def rule() -> Product:
            (found,) = stock.products([product])
            if found.status == "archived" or step.chance < 0.15:
                fields["status"] = "active" if found.status == "archived" else "archived"
            else:
                price = 1000 + int(step.chance * 9000)
                fields["price_cents"] = price + (price == found.price_cents)
            return products.save(product, version=found.version, **fields)

        tried = self._attempt(step, Try("edit", "", product), rule)
        if fields and tried.outcome != REFUSED:
            at = {"began": tried.began, "ended": tried.ended, "sure": tried.outcome == DONE}
            if "status" in fields:
                self.shelf.status[product].set(fields["status"], **at)
            else:
                self.shelf.price[product].set(fields["price_cents"], **at)
        if fields:
            self.saves[product].append(tried)
        if tried.refusal and not isinstance(tried.refusal, ProductChanged):
            self._expect_refusal(tried)

    def _expect_refusal(self, tried: Try) -> None:
        if not isinstance(tried.refusal, Busy):
            raise Wrong(f"A refusal without a reason: {tried}")

    # Customers' orders

    def _cancel(self, step: Step) -> None:
        customer = self.customers[step.customer]
        if not customer.statuses:
            self._shop(replace(step, kind="look", second=None))
            return
        tokens = list(customer.statuses)
        token = tokens[int(step.chance * len(tokens))]
        tries = self._at_once(step, lambda one, by: self._cancelling(one, token, by))
        self._settle_cancelling(customer, token, tries)

    def _cancelling(self, step: Step, token: str, by: str) -> Try:
        return self._attempt(step, Try("cancel", "", token=token), lambda: orders.cancel(Order(token), by=by))

    def _settle_cancelling(self, customer: Customer, token: str, tries: list[Try]) -> None:
        was = customer.statuses[token]
        done = [tried for tried in tries if tried.outcome == DONE]
        unknown = [tried for tried in tries if tried.outcome == UNKNOWN]
        status = "cancelled" if done else was
        if unknown:
            found = orders.find(token)
            status = found.status if found else "gone"
        impossible = len(done) > 1 or (was == "cancelled" and done) or (status != was and not (done or unknown))
        if impossible or status not in {was, "cancelled"}:
            raise Wrong(f"An order that was {was} is {status} after: {'; '.join(map(str, tries))}")
        for tried in tries:
            if isinstance(tried.refusal, NotPossible) and status != "cancelled":
                raise Wrong(f"An order that is {status} could not be cancelled: {tried}")
            if tried.refusal and not isinstance(tried.refusal, NotPossible):
                self._expect_refusal(tried)
        customer.statuses[token] = status
        self._note_taken(customer, customer.carts, tries)

    # Customers' carts

    def _shop(self, step: Step) -> None:
        customer = self.customers[step.customer]
        if step.kind not in ("reserve", "join") and not customer.carts.sides[step.side].lines:
            step = _with_more_sense(customer, step)
        tries = self._at_once(step, lambda one, _by: self._on_cart(customer, one))
        for tried in tries:
            if tried.kind == "checkout":
                customer.tried[tried.token].append((tried.began, tried.ended))
        self._settle(customer, tries, look_again=step.chance < _LOOK_AGAIN)

    def _at_once(self, step: Step, act: Callable[[Step, str], Try]) -> list[Try]:
        if step.second is None:
            return [act(step, "alice")]
        second = step.second
        return list(self.schedule.together(lambda: act(step, "alice"), lambda: act(second, "dana")))

    def _on_cart(self, customer: Customer, step: Step) -> Try:
        owner, side = customer.owners[step.side], customer.carts.sides[step.side]
        product = self._product(step)
        if step.kind in ("change", "remove") and side.lines:
            product = sorted(side.lines)[step.product % len(side.lines)]
        pages = customer.pages[step.side]
        token = (pages[-1] if step.chance < 0.9 else pages[int(step.chance * 1000) % len(pages)]) if pages else "none"
        tried = Try(step.kind, step.side, product, step.quantity, token if step.kind == "checkout" else "")
        rule: dict[str, Callable[[], Any]] = {
            "reserve": lambda: reservations.reserve(owner, product, quantity=step.quantity),
            "change": lambda: reservations.change(owner, product, quantity=step.quantity),
            "remove": lambda: reservations.remove(owner, product),
            "extend": lambda: reservations.extend(owner),
            "renew": lambda: reservations.renew(owner)[0],
            "join": lambda: reservations.join(customer.owners[GUEST], customer.owners[USER]),
            "look": lambda: baskets.look(owner),
            "checkout": lambda: checkout.place_order(owner, token=token, contact=CONTACT),
        }
        return self._attempt(step, tried, rule[step.kind])

    def _settle(self, customer: Customer, tries: list[Try], *, look_again: bool) -> None:
        """Find out what the carts are now, and whether they may be that."""
        before = customer.carts
        if look_again or len(tries) > 1 or tries[0].outcome == UNKNOWN or tries[0].kind == "join":
            after, prices = self.read(customer, {tried.token for tried in tries if tried.token})
        else:
            after, prices = _as_claimed(customer, tries[0])
        expected = books.explain(self.rules, before, tries, after)
        if expected is None:
            raise Wrong(_story(customer, before, tries, after))
        self._note_shortages(customer, before, expected, after, tries)
        self._note_prices(customer, before, after, prices, tries)
        for tried in tries:
            self._check_order(customer, tried)
        for token in after.placed - before.placed:
            customer.statuses[token] = "pending"
        self._remember(customer, after, prices)
        self._note_taken(customer, before, tries)

    def read(self, customer: Customer, tokens: set[str]) -> tuple[Carts, Prices]:
        """The customer's carts as they stand in the table, with the orders that some tokens have become."""
        carts, found = dynamodb.get_many((Cart, customer.owners.values()), (Order, sorted(tokens)))
        sides, prices = {}, {}
        for name, owner in customer.owners.items():
            sides[name], prices[name] = as_side(carts.get(owner) or Cart(owner))
        mine = {order.id for order in found.values() if order.user_id in customer.owners.values()}
        return Carts(sides, customer.carts.placed | mine), prices

    def _remember(self, customer: Customer, after: Carts, prices: Prices) -> None:
        customer.carts, customer.prices = after, prices
        for name, side in after.sides.items():
            if side.lines and side.token and side.token not in customer.offers:
                customer.offers[side.token] = Offer(name, dict(side.lines), dict(prices[name]))
                customer.pages[name].append(side.token)

    def _note_taken(self, customer: Customer, before: Carts, tries: list[Try]) -> None:
        began, ended, _ = _span(tries)
        at_most = sum(tried.quantity for tried in tries) if len(tries) > 1 else 0
        for product in self.products:
            now = held(customer.carts, product) + customer.bought(product)
            timeline = self.shelf.taken[customer.number, product]
            if at_most:
                peak = max(now, held(before, product) + customer.bought(product)) + at_most
                timeline.set(peak, began=began, ended=ended)
            timeline.set(now, began=began, ended=ended)

    def _note_shortages(
        self, customer: Customer, before: Carts, expected: Carts, after: Carts, tries: list[Try]
    ) -> None:
        began, ended, said = _span(tries)
        for name, side in expected.sides.items():
            for product, units in side.lines.items():
                if after.sides[name].lines.get(product, 0) < units:
                    claim = Shortage(product, units, began, ended, said, unless_archived=True)
                    self.shelf.claims.append(claim)
        if len(tries) == 1 and tries[0].refusal:
            short = books.shortage(before, tries[0])
            self.shelf.claims += [short] if short else []
            if isinstance(tries[0].refusal, NotForSale):
                self.shelf.claims.append(NotSold(tries[0].product, began, ended, said))

    def _note_prices(self, customer: Customer, before: Carts, after: Carts, prices: Prices, tries: list[Try]) -> None:
        """A price stays as it was shown while the hold lasts, or falls; else it is one that the product had."""
        began, ended, said = _span(tries)
        latest = max(tried.latest for tried in tries)
        # Of two things at once the first may have taken the line out, and the second put it in at today's price.
        may_leave = len(tries) > 1 and any(tried.kind in {"remove", "change", "checkout", "join"} for tried in tries)
        for name, side in after.sides.items():
            for product in side.lines:
                price, old = prices[name][product], customer.prices[name].get(product)
                if price == old:
                    continue
                if old is not None and price > old and not before.sides[name].may_be_dead(latest) and not may_leave:
                    raise Wrong(f"{product} was shown at {old} and costs {price} in a cart that is held: {said}")
                known = frozenset(one[product] for one in customer.prices.values() if product in one)
                self.shelf.claims.append(Priced(product, price, known, began, ended, said))

    def _check_order(self, customer: Customer, tried: Try) -> None:
        if tried.kind == "checkout" and tried.outcome == DONE and tried.value.id != tried.token:
            raise Wrong(f"Order {tried.value.id} was given out for {tried}")

    def _product(self, step: Step) -> str:
        return self.products[step.product]


def as_side(cart: Cart) -> tuple[Side, dict[str, int]]:
    """A cart of the table as the books have it, and its prices."""
    until = (cart.expires_at, cart.expires_at) if cart.is_held and cart.expires_at else None
    lines = {line.product_id: line.quantity for line in cart.lines}
    prices = {line.product_id: line.price_cents for line in cart.lines}
    return Side(lines, until if lines else None, cart.order_id or "" if lines else ""), prices


def held(carts: Carts, product: str) -> int:
    return sum(side.lines.get(product, 0) for side in carts.sides.values() if side.until)


def _with_more_sense(customer: Customer, step: Step) -> Step:
    """Who has nothing in this cart looks into the other one, and mostly puts something in if that is empty too."""
    other = GUEST if step.side == USER else USER
    if customer.carts.sides[other].lines:
        return replace(step, side=other, second=step.second and replace(step.second, side=other))
    return replace(step, kind="reserve", quantity=max(1, step.quantity)) if step.chance < _SENSIBLE else step


def _span(tries: list[Try]) -> tuple[int, int, str]:
    """When some operations were on their way, and what they were."""
    began, ended = min(tried.began for tried in tries), max(tried.ended for tried in tries)
    return began, ended, "; ".join(map(str, tries))


def _as_claimed(customer: Customer, tried: Try) -> tuple[Carts, Prices]:
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


def _story(customer: Customer, before: Carts, tries: list[Try], after: Carts) -> str:
    lines = [f"Customer {customer.number} had {_in_words(before)}."]
    lines += [f"    {tried}" for tried in tries]
    return "\n".join([*lines, f"    and has {_in_words(after)}, which is none of the things that may come of it."])


def _in_words(carts: Carts) -> str:
    def one(name: str, side: Side) -> Iterator[str]:
        if side.lines:
            what = ", ".join(f"{units} of {product[-9:]}" for product, units in side.lines.items())
            until = f"held until {side.until[0]:%d. %H:%M:%S}" if side.until else "not held"
            yield f"as {name} {what} ({until}, {side.token[:8]})"

    words = [word for name, side in carts.sides.items() for word in one(name, side)]
    return f"{'; '.join(words) or 'nothing'}; {len(carts.placed)} orders"

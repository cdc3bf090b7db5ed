"""Customers: they shop, order and cancel, often in two tabs, and after each step the books must balance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from inventory import baskets, checkout, orders, reservations
from inventory.errors import NotForSale, NotPossible
from inventory.models import Order
from tests.proofs.operations import books
from tests.proofs.operations.books import GUEST, USER, Carts, Try
from tests.proofs.operations.floor import Shop, Wrong, expect_busy, span
from tests.proofs.operations.plans import Step
from tests.proofs.operations.shelf import DONE, UNKNOWN, NotSold, Priced, Shortage
from tests.proofs.operations.sights import Customer, Offer, Prices, as_claimed, held, read, story

CONTACT = checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")
_LOOK_AGAIN = 0.05
_SENSIBLE = 0.7


def cancel(shop: Shop, step: Step) -> None:
    customer = shop.customers[step.customer]
    if not customer.statuses:
        go_shopping(shop, replace(step, kind="look", second=None))
        return
    tokens = list(customer.statuses)
    token = tokens[int(step.chance * len(tokens))]
    tries = shop.at_once(step, lambda one, by: _cancelling(shop, one, token, by))
    _settle_cancelling(shop, customer, token, tries)


def _cancelling(shop: Shop, step: Step, token: str, by: str) -> Try:
    return shop.attempt(step, Try("cancel", "", token=token), lambda: orders.cancel(Order(token), by=by))


def _settle_cancelling(shop: Shop, customer: Customer, token: str, tries: list[Try]) -> None:
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
            expect_busy(tried)
    customer.statuses[token] = status
    _note_taken(shop, customer, customer.carts, tries)


def go_shopping(shop: Shop, step: Step) -> None:
    customer = shop.customers[step.customer]
    if step.kind not in ("reserve", "join") and not customer.carts.sides[step.side].lines:
        step = _with_more_sense(customer, step)
    tries = shop.at_once(step, lambda one, _by: _on_cart(shop, customer, one))
    for tried in tries:
        if tried.kind == "checkout":
            customer.tried[tried.token].append((tried.began, tried.ended))
    _settle(shop, customer, tries, look_again=step.chance < _LOOK_AGAIN)


def _on_cart(shop: Shop, customer: Customer, step: Step) -> Try:
    owner, side = customer.owners[step.side], customer.carts.sides[step.side]
    product = shop.product(step)
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
    return shop.attempt(step, tried, rule[step.kind])


def _settle(shop: Shop, customer: Customer, tries: list[Try], *, look_again: bool) -> None:
    """Find out what the carts are now, and whether they may be that."""
    before = customer.carts
    if look_again or len(tries) > 1 or tries[0].outcome == UNKNOWN or tries[0].kind == "join":
        after, prices = read(customer, {tried.token for tried in tries if tried.token})
    else:
        after, prices = as_claimed(customer, tries[0])
    expected = books.explain(shop.rules, before, tries, after, latest=shop.time.latest)
    if expected is None:
        raise Wrong(story(customer, before, tries, after))
    _note_shortages(shop, customer, before, expected, after, tries)
    _note_prices(shop, customer, before, after, prices, tries)
    for tried in tries:
        _check_order(tried)
    for token in after.placed - before.placed:
        customer.statuses[token] = "pending"
    _remember(customer, after, prices)
    _note_taken(shop, customer, before, tries)


def _remember(customer: Customer, after: Carts, prices: Prices) -> None:
    customer.carts, customer.prices = after, prices
    for name, side in after.sides.items():
        if side.lines and side.token and side.token not in customer.offers:
            customer.offers[side.token] = Offer(name, dict(side.lines), dict(prices[name]))
            customer.pages[name].append(side.token)


def _note_taken(shop: Shop, customer: Customer, before: Carts, tries: list[Try]) -> None:
    began, ended, _ = span(tries)
    at_most = sum(tried.quantity for tried in tries) if len(tries) > 1 else 0
    for product in shop.products:
        now = held(customer.carts, product) + customer.bought(product)
        timeline = shop.shelf.taken[customer.number, product]
        if at_most:
            peak = max(now, held(before, product) + customer.bought(product)) + at_most
            timeline.set(peak, began=began, ended=ended)
        timeline.set(now, began=began, ended=ended)


def _note_shortages(
    shop: Shop, customer: Customer, before: Carts, expected: Carts, after: Carts, tries: list[Try]
) -> None:
    began, ended, said = span(tries)
    for name, side in expected.sides.items():
        for product, units in side.lines.items():
            if after.sides[name].lines.get(product, 0) < units:
                claim = Shortage(product, units, began, ended, said, unless_archived=True)
                shop.shelf.claims.append(claim)
    if len(tries) == 1 and tries[0].refusal:
        short = books.shortage(before, tries[0])
        shop.shelf.claims += [short] if short else []
        if isinstance(tries[0].refusal, NotForSale):
            shop.shelf.claims.append(NotSold(tries[0].product, began, ended, said))


def _note_prices(shop: Shop, customer: Customer, before: Carts, after: Carts, prices: Prices, tries: list[Try]) -> None:
    """A price stays as it was shown while the hold lasts, or falls; else it is one that the product had."""
    began, ended, said = span(tries)
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
            shop.shelf.claims.append(Priced(product, price, known, began, ended, said))


def _check_order(tried: Try) -> None:
    if tried.kind == "checkout" and tried.outcome == DONE and tried.value.id != tried.token:
        raise Wrong(f"Order {tried.value.id} was given out for {tried}")


def _with_more_sense(customer: Customer, step: Step) -> Step:
    """Who has nothing in this cart looks into the other one, and mostly puts something in if that is empty too."""
    other = GUEST if step.side == USER else USER
    if customer.carts.sides[other].lines:
        return replace(step, side=other, second=step.second and replace(step.second, side=other))
    return replace(step, kind="reserve", quantity=max(1, step.quantity)) if step.chance < _SENSIBLE else step

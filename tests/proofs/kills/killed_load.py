"""Customers who order while the processes that serve them are killed, one after the other, at any moment of it.

Whoever gets no answer presses again, with the same page, until the shop has said what became of it.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from inventory import orders
from inventory.models import Cart, Movement, Order
from tests.proofs.web.customers import ADDRESS, Answer, Connection, NoAnswer, Request, Shop, Visitor

CUSTOMERS_AT_ONCE = 4
PROCESSES = 2
MOST_TRIES = 100
PAUSE_SECONDS = 0.1
#: So many checkouts are answered between two kills, at the most.
MOST_BETWEEN = 6
LATELY = 20
PATIENCE_SECONDS = 60


@dataclass
class Customer:
    """What one customer pressed and heard. ``order_id`` is the order that the shop has led them to."""

    owner_id: str
    presses: Counter[str] = field(default_factory=Counter)
    order_id: str = ""
    refusal: str = ""
    complaint: str = ""
    unanswered: int = 0
    unanswered_checkouts: int = 0
    #: Of those, how many had become an order although nobody heard of it.
    placed_unheard: int = 0


class _Checkouts:
    """The checkouts that are under way, and how long they take, so that a worker is killed in the midst of one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._seconds: list[float] = []

    @contextmanager
    def one(self) -> Iterator[None]:
        """While somebody waits for the answer to theirs."""
        began = time.monotonic()
        with self._changed:
            self._under_way += 1
            self._changed.notify()
        try:
            yield
            with self._changed:
                self._seconds.append(time.monotonic() - began)
        finally:
            with self._changed:
                self._under_way -= 1

    def wait(self, *, answers: int) -> float:
        """Let so many be answered, then wait for one to be under way; gives how many seconds they take now."""
        with self._changed:
            enough = len(self._seconds) + answers

            def ready() -> bool:
                return len(self._seconds) >= enough and self._under_way > 0

            if not self._changed.wait_for(ready, PATIENCE_SECONDS):
                raise TimeoutError("No checkout was sent any more")
            return statistics.median(self._seconds[-LATELY:]) if self._seconds else 0.0


def order_while_killed(
    shop: Shop, product_ids: Sequence[str], *, kills: int, dice: random.Random, progress: Callable[[int], None]
) -> list[Customer]:
    """Let customers come until so many workers were killed; gives all customers, each through to the end."""
    checkouts, done, numbers = _Checkouts(), threading.Event(), iter(range(1_000_000))
    basket = {number: dice.sample(product_ids, dice.randint(1, 2)) for number in range(997)}

    def come(_number: int) -> list[Customer]:
        came = []
        with Connection(shop) as connection:
            while not done.is_set():
                number = next(numbers)
                came.append(_Visit(connection, shop, f"guest-load-{number}", checkouts).order(basket[number % 997]))
        return came

    with ThreadPoolExecutor(CUSTOMERS_AT_ONCE) as pool:
        try:
            comers = [pool.submit(come, number) for number in range(CUSTOMERS_AT_ONCE)]
            for number in range(1, kills + 1):
                usual_seconds = checkouts.wait(answers=dice.randint(0, MOST_BETWEEN))
                time.sleep(dice.uniform(0, usual_seconds))
                _kill(shop, dice.choice(_workers(shop)))
                progress(number)
        finally:
            done.set()
    return [customer for comer in comers for customer in comer.result()]


def _kill(shop: Shop, worker: int) -> None:
    """End a worker, and wait for another to take its place."""
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while worker in (workers := _workers(shop)) or len(workers) < PROCESSES:
        if time.monotonic() > deadline:
            raise TimeoutError("A killed worker was not replaced")
        time.sleep(0.01)


def _workers(shop: Shop) -> list[int]:
    """The processes that serve the shop: the children of the one that was started."""
    master = shop.process.pid
    return [int(word) for word in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


class _Visit:
    """One customer on the way from the shelf to an order or to a sentence that says why there is none."""

    def __init__(self, connection: Connection, shop: Shop, owner_id: str, checkouts: _Checkouts) -> None:
        self._connection = connection
        self._visitor = Visitor(shop, owner_id=owner_id)
        self._checkouts = checkouts
        self._customer = Customer(owner_id)

    def order(self, product_ids: Sequence[str]) -> Customer:
        try:
            added = [self._add(product_id) for product_id in product_ids]
            if any(added):
                self._check_out()
        except NoAnswer as failed:
            self._customer.complaint = f"never got an answer: {failed}"
        return self._customer

    def _add(self, product_id: str) -> bool:
        form = self._visitor.form("/cart/add/", product_id=product_id, quantity=1)

        def press(_tried: int) -> Answer:
            self._customer.presses[product_id] += 1
            return self._connection.ask(form)

        answer = self._until_answered(press)
        if answer.location == "/cart/":
            return True
        page = self._until_answered(
            lambda _tried: self._connection.ask(self._visitor.page(answer.location or "/cart/"))
        )
        self._customer.refusal = " ".join(page.alerts())
        if answer.status != 302 or page.status != 200 or not self._customer.refusal:
            self._customer.complaint = f"{form}: {answer.status}, then {page.status}, {self._customer.refusal!r}"
        return False

    def _check_out(self) -> None:
        page = self._until_answered(lambda _tried: self._connection.ask(self._visitor.page("/checkout/")))
        token = page.hidden("checkout_token")
        form = self._visitor.form("/checkout/", **ADDRESS, checkout_token=token)
        answer = self._until_answered(lambda tried: self._press_order(form, token, tried))
        if answer.location.startswith(f"/orders/{token}/"):
            self._customer.order_id = token
        else:
            self._customer.complaint = f"{form}: {answer.status} {answer.location} {answer.alerts()}"

    def _press_order(self, form: Request, token: str, tried: int) -> Answer:
        if tried:
            self._customer.unanswered_checkouts += 1
            self._customer.placed_unheard += tried == 1 and orders.find(token) is not None
        with self._checkouts.one():
            return self._connection.ask(form)

    def _until_answered(self, press: Callable[[int], Answer]) -> Answer:
        """Press until an answer comes, told how often it was pressed before. Raises NoAnswer in the end."""
        for tried in range(MOST_TRIES):
            try:
                return self._visitor.keep(press(tried))
            except NoAnswer as failed:
                self._customer.unanswered += 1
                lost = failed
                time.sleep(PAUSE_SECONDS)
        raise lost


def wrong_orders(customers: Sequence[Customer]) -> Iterator[str]:
    """What the tables say of each customer's order, against what the customer heard of it."""
    placed: dict[str, list[Order]] = defaultdict(list)
    sold: dict[str, Counter[str]] = defaultdict(Counter)
    for order in Order.scan(consistent_read=True):
        placed[order.user_id].append(order)
    for movement in Movement.scan(Movement.kind == "sold", consistent_read=True):
        sold[str(movement.order_id)][movement.product_id] -= movement.quantity
    filled = {cart.user_id for cart in Cart.scan(consistent_read=True) if cart.lines}
    for customer in customers:
        mine = placed[customer.owner_id]
        if customer.complaint:
            yield f"{customer.owner_id}: {customer.complaint}"
        for sentence in _wrong_order(customer, mine, sold, still_filled=customer.owner_id in filled):
            yield f"{customer.owner_id}: {sentence}"


def _wrong_order(
    customer: Customer, placed: list[Order], sold: dict[str, Counter[str]], *, still_filled: bool
) -> Iterator[str]:
    acknowledged = [customer.order_id] if customer.order_id else []
    if [order.id for order in placed] != acknowledged:
        yield f"was led to {acknowledged or 'no order'}, and has {[order.id for order in placed]}"
    if not customer.order_id and not customer.refusal and not customer.complaint:
        yield "has neither an order nor a reason why not"
    if placed and still_filled:
        yield "what was ordered is still in the cart"
    for order in placed:
        units = Counter({line.product_id: line.quantity for line in order.items})
        if not units or any(not 0 < units[key] <= customer.presses[key] for key in units):
            yield f"pressed {dict(customer.presses)} and ordered {dict(units)}"
        if sold[order.id] != units:
            yield f"ordered {dict(units)}, of which the movements say {dict(sold[order.id])}"

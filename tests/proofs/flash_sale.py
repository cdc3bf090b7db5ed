"""A thousand people want one of a hundred units at the same moment, through gunicorn, twenty times over.

Guests and customers, in German and in English. In the first round everybody has opened the product's page before; in
the others they come with a CSRF cookie of their own making, which is as good, and spares two cores a third of the work.
Between the first round and the last ones the shop asks its engine by a shorter way (``tests/quick_sdk``): half of what
a purchase costs two cores is the SDK, and what the SDK does under a crowd the other rounds show.
In the last rounds units lie in carts whose hold is over and that nobody has swept: whoever wants one gets it. There,
who is told "very busy, please try again" does so, as people do; the summary says how often.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from unittest import mock

from inventory import accounts, clock, orders, products, reservations, stock
from inventory.models import Order, Product
from tests.proofs import Result, World, promises
from tests.proofs.web.customers import ADDRESS, Answer, Connection, Shop, Visitor, crowd, shop

TITLE = "Flash sale through gunicorn"
WANTED = "1,000 buyers, 100 units, 64 connections, 20 rounds: 100 orders each time, 900 clean “sold out” pages, no 5xx"
ENGINE = "dynoxide"

CONNECTIONS = 64
ROUND_SECONDS = 300
SMALL_ROUNDS = 10
_LANGUAGES = ("de", "en")
_ACCOUNT_EVERY = 4
_MOST_NAMED = 5
_PATIENCE_TIMES = 10
_BUSY = {"de": "Im Shop ist gerade sehr viel los", "en": "The shop is very busy right now"}


@dataclass(frozen=True)
class Sale:
    """One round. ``lapsed`` units lie in carts of ``each`` whose hold is over; all have the page open if ``looked``.

    ``application`` is the shop that sells.
    """

    number: int
    buyers: int
    units: int
    lapsed: int = 0
    each: int = 1
    looked: bool = False
    application: str = "ecokart.wsgi"

    @property
    def name(self) -> str:
        return f"Laufschuh {self.number}"


@dataclass
class Buyer:
    """Somebody who wants one unit, and what became of it: an order, a clean refusal, or something else."""

    visitor: Visitor
    language: str
    order_id: str = ""
    is_refused: bool = False
    times_busy: int = 0
    strange: list[str] = field(default_factory=list)


def prove(world: World) -> Result:
    return _run(world, _sales(world))


def control(world: World) -> Result:
    """A shop that reads, compares and writes, and one that leaves expired holds to the sweeper: both are noticed."""
    naive = _run(world, [Sale(1, buyers=200, units=20, application="tests.integration.naive_wsgi")])
    lapsed = Sale(2, buyers=20, units=20, lapsed=20, application="tests.integration.stranding_wsgi")
    stranding = _run(world, [lapsed])
    wrong = [*naive.wrong, *stranding.wrong] if naive.wrong and stranding.wrong else []
    return Result(f"{naive.ran}; {stranding.ran}", wrong)


def _sales(world: World) -> list[Sale]:
    buyers, units, rounds = (1000, 100, 20) if world.full else (200, 20, 2)
    sales = [Sale(1, buyers, units, looked=True)]
    sales += [Sale(number, buyers, units, application="tests.proofs.web.quick_wsgi") for number in range(2, rounds)]
    sales.append(Sale(rounds, buyers, units, lapsed=units // 2))
    # As many buyers as units, and every unit in a cart whose time is up: nobody may be told "sold out". First in many
    # carts, then in one: then the eight need the same cart released at the same moment.
    sales.append(Sale(rounds + 1, buyers=units, units=units, lapsed=units))
    few = [Sale(rounds + 2 + number, buyers=8, units=8, lapsed=8, each=8) for number in range(SMALL_ROUNDS)]
    return sales + few


def _run(world: World, sales: list[Sale]) -> Result:
    wrong: list[str] = []
    total, done, sold, refused, busy, seconds = sum(sale.buyers for sale in sales), 0, 0, 0, 0, 0.0
    account_ids = list(_accounts(max(sale.buyers for sale in sales) // _ACCOUNT_EVERY))
    for application, some in itertools.groupby(sales, key=lambda sale: sale.application):
        with shop(world, application) as open_shop:
            for sale in some:
                product = _on_the_shelf(sale)
                began = time.monotonic()
                buyers = _sell(open_shop, sale, product, account_ids)
                seconds += time.monotonic() - began
                wrong += [f"Round {sale.number} ({sale}): {what}" for what in _judge(sale, product, buyers)]
                done += sale.buyers
                sold += sum(bool(buyer.order_id) for buyer in buyers)
                refused += sum(buyer.is_refused for buyer in buyers)
                busy += sum(buyer.times_busy for buyer in buyers)
                world.progress(done, total)
    wrong += promises.broken(f"sale-{sale.number}" for sale in sales)
    most = max(sale.buyers for sale in sales)
    big = [sale for sale in sales if sale.buyers == most]
    lapsed = sum(sale.lapsed == sale.units for sale in sales)
    ran = (
        f"{len(big)} rounds of {most:,} buyers for {big[0].units} units, {lapsed} with each unit in an"
        f" expired cart, {total / seconds:.0f} buyers a second over {CONNECTIONS} connections: {sold:,} orders,"
        f" {refused:,} times “sold out”, {busy} times “busy”"
    )
    return Result(ran, wrong)


def _accounts(number: int) -> Iterator[str]:
    for _ in range(number):
        email = f"buyer-{uuid.uuid4().hex}@example.com"
        yield accounts.register(email=email, password="correct horse 1", name="Bob").id


def _on_the_shelf(sale: Sale) -> Product:
    product = Product(f"sale-{sale.number}", name=sale.name, price_cents=9999, category="shoes")
    product = products.add(product, units=sale.units, by="proof")
    three_hours_ago = clock.now() - timedelta(hours=3)
    with mock.patch.object(clock, "now", return_value=three_hours_ago):
        for number in range(sale.lapsed // sale.each):
            reservations.reserve(f"guest-gone-{sale.number}-{number}", product.id, quantity=sale.each)
    return product


def _sell(open_shop: Shop, sale: Sale, product: Product, account_ids: list[str]) -> list[Buyer]:
    buyers = []
    for number in range(sale.buyers):
        owner_id = account_ids[number // _ACCOUNT_EVERY] if number % _ACCOUNT_EVERY == 0 else ""
        language = _LANGUAGES[number % 3 == 0]
        buyers.append(Buyer(Visitor(open_shop, owner_id=owner_id, language=language), language))
    if sale.looked:
        crowd(
            open_shop, buyers, lambda line, buyer: _look(line, buyer, product), connections=CONNECTIONS,
            seconds=ROUND_SECONDS,
        )  # fmt: skip
    return crowd(
        open_shop, buyers, lambda line, buyer: _buy(line, buyer, sale, product), connections=CONNECTIONS,
        seconds=ROUND_SECONDS,
    )  # fmt: skip


def _look(connection: Connection, buyer: Buyer, product: Product) -> None:
    """Open the product's page with a browser that knows no token yet: the page brings it."""
    del buyer.visitor.cookies["csrftoken"]
    page = buyer.visitor.open(connection, f"/products/{product.id}/")
    _expect(buyer, "the product's page", page, 200)


def _buy(connection: Connection, buyer: Buyer, sale: Sale, product: Product) -> Buyer:
    visitor = buyer.visitor
    answer = visitor.post(connection, "/cart/add/", product_id=product.id, quantity=1)
    if answer.location == "/cart/":
        _check_out(connection, buyer)
    elif answer.location != f"/products/{product.id}/":
        buyer.strange.append(f"adding answered {answer.status} {answer.location}")
    else:
        page = visitor.follow(connection, answer)
        sentence = f"{product.name} {'is sold out' if buyer.language == 'en' else 'ist ausverkauft'}."
        buyer.is_refused = page.status == 200 and sentence in page.alerts()
        if sale.lapsed and _is_busy(buyer, page) and buyer.times_busy < _PATIENCE_TIMES:
            buyer.times_busy += 1
            return _buy(connection, buyer, sale, product)
        if not buyer.is_refused:
            buyer.strange.append(f"refused with {page.status} {page.alerts()}")
    return buyer


def _is_busy(buyer: Buyer, page: Answer) -> bool:
    return page.status == 200 and any(said.startswith(_BUSY[buyer.language]) for said in page.alerts())


def _check_out(connection: Connection, buyer: Buyer) -> None:
    page = buyer.visitor.open(connection, "/checkout/")
    token = page.hidden("checkout_token")
    if not _expect(buyer, "the checkout", page, 200):
        return
    answer = buyer.visitor.post(connection, "/checkout/", checkout_token=token, **ADDRESS)
    if not _expect(buyer, "ordering", answer, 302):
        return
    if not answer.location.startswith(f"/orders/{token}/"):
        buyer.strange.append(f"ordering led to {answer.location}")
        return
    buyer.order_id = token
    _expect(buyer, "the order's page", buyer.visitor.follow(connection, answer), 200)


def _expect(buyer: Buyer, what: str, answer: Answer, status: int) -> bool:
    if answer.status != status:
        buyer.strange.append(f"{what} answered {answer.status} {answer.location}")
    return answer.status == status


def _judge(sale: Sale, product: Product, buyers: list[Buyer]) -> Iterator[str]:
    """What is wrong after a round, in the answers and in the tables."""
    ordered = {buyer.order_id for buyer in buyers if buyer.order_id}
    refused = sum(buyer.is_refused for buyer in buyers)
    if (len(ordered), refused) != (sale.units, sale.buyers - sale.units):
        yield f"{len(ordered)} orders and {refused} times “sold out”"
    strange = Counter(what for buyer in buyers for what in buyer.strange)
    for what, times in strange.most_common(_MOST_NAMED):
        yield f"{times} times: {what}"
    product.refresh(consistent_read=True)
    if (product.stock, product.available, product.reserved) != (0, 0, 0):
        yield f"stock {product.stock}, available {product.available}, reserved {product.reserved} are left"
    movements = stock.movements(product.id, limit=sale.buyers * 2)
    if {movement.order_id for movement in movements if movement.kind == "sold"} != ordered:
        yield "the movements name other orders than those that were acknowledged"
    if sum(movement.quantity for movement in movements):
        yield f"the movements add up to {sum(movement.quantity for movement in movements)}, not to the stock of 0"
    if not all(map(orders.find, ordered)):
        yield "an acknowledged order is not in the table"
    written = sum(order.items[0].product_id == product.id for order in Order.scan(consistent_read=True))
    if written != sale.units:
        yield f"{written} orders are in the table for {sale.units} units"
    if stock.holds(product.id):
        yield f"carts still hold units: {stock.holds(product.id)}"

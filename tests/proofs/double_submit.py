"""What is sent twice is done once: the same checkout eight times at the same moment, and two forms of a double click.

Beside the checkouts: a visitor who has no session yet presses "add to cart" twice at once (one cart, not two), and an
admin's form that changes stock arrives twice at once (one movement, not two).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count

from inventory import accounts, orders, products, reservations, stock
from inventory.models import Order, Product
from tests.proofs import Result, World, promises
from tests.proofs.web.customers import ADDRESS, Answer, Connection, NoAnswer, Request, Shop, Visitor, at_once, shop

TITLE = "Double submit"
WANTED = "1,000 carts × 8 simultaneous POSTs: 1,000 orders, 8 identical answers each"
ENGINE = "dynoxide"

TIMES = 8
GROUPS = 2
_PRODUCTS = 10

Tick = Callable[[], None]


@dataclass
class Checkout:
    """A cart that is ready to be ordered, and what came back for the same form sent eight times."""

    visitor: Visitor
    units: Counter[str]
    token: str = ""
    answers: list[Answer | NoAnswer] = field(default_factory=list)

    def __str__(self) -> str:
        return f"cart of {self.visitor.owner_id} ({dict(self.units)}), order {self.token}"


def prove(world: World) -> Result:
    carts, forms = (1000, 200) if world.full else (20, 10)
    ran, found = _run(world, carts=carts, forms=forms, application="ecokart.wsgi")
    return Result(ran, [sentence for part in found for sentence in part])


def control(world: World) -> Result:
    """The same in a shop that takes what comes twice for two wishes. Every one of the three parts has to notice."""
    ran, found = _run(world, carts=10, forms=5, application="tests.integration.doubling_wsgi")
    return Result(ran, [sentence for part in found for sentence in part] if all(found) else [])


def _run(world: World, *, carts: int, forms: int, application: str) -> tuple[str, list[list[str]]]:
    done = count(1)

    def tick() -> None:
        world.progress(next(done), carts + 2 * forms)

    with shop(world, application) as open_shop:
        found = [
            list(_checkouts(open_shop, carts, tick)),
            list(_first_adds(open_shop, forms, tick)),
            list(_stock_forms(open_shop, forms, tick)),
        ]
    found[0] += promises.broken(product.id for product in Product.scan(consistent_read=True))
    ran = (
        f"{carts:,} carts × {TIMES} simultaneous checkouts, {_count(Order):,} orders;"
        f" {forms} first visits and {forms} stock forms sent twice at once"
    )
    return ran, found


def _count(model: type[Order]) -> int:
    return sum(1 for _ in model.scan(consistent_read=True))


# Checkouts


def _checkouts(open_shop: Shop, number: int, tick: Tick) -> Iterator[str]:
    shelf = [_product(f"double-{one}", units=number) for one in range(_PRODUCTS)]
    carts = [_filled(open_shop, shelf, one) for one in range(number)]

    def group(own: Sequence[Checkout]) -> None:
        with ExitStack() as stack:
            lines = [stack.enter_context(Connection(open_shop)) for _ in range(TIMES)]
            for cart in own:
                _order_at_once(cart, lines)
                tick()

    with ThreadPoolExecutor(GROUPS) as pool:
        list(pool.map(group, [carts[first::GROUPS] for first in range(GROUPS)]))
    for cart in carts:
        yield from (f"{cart}: {what}" for what in _judge(cart))
    if _count(Order) != number:
        yield f"{_count(Order)} orders from {number} carts"
    for product in shelf:
        sold = sum(cart.units[product.id] for cart in carts)
        yield from _numbers(product, stock_wanted=number - sold)


def _product(product_id: str, *, units: int) -> Product:
    product = Product(product_id, name=f"Laufschuh {product_id}", price_cents=9999, category="shoes")
    return products.add(product, units=units, by="proof")


def _filled(open_shop: Shop, shelf: list[Product], number: int) -> Checkout:
    """A cart of one to three lines; every other one is an account's."""
    owner_id = f"guest-double-{number}"
    if number % 2:
        email = f"double-{number}@example.com"
        owner_id = accounts.register(email=email, password="correct horse 1", name="Alice").id
    units = Counter({shelf[(number + line) % len(shelf)].id: 1 + line for line in range(1 + number % 3)})
    for product_id, quantity in units.items():
        # So that the numbers work out for a thousand carts whatever they hold.
        reservations.reserve(owner_id, product_id, quantity=quantity)
    return Checkout(Visitor(open_shop, owner_id=owner_id), units)


def _order_at_once(cart: Checkout, lines: Sequence[Connection]) -> None:
    cart.token = cart.visitor.open(lines[0], "/checkout/").hidden("checkout_token")
    form = cart.visitor.form("/checkout/", checkout_token=cart.token, **ADDRESS)
    cart.answers = at_once(lines, [form] * TIMES)


def _judge(cart: Checkout) -> Iterator[str]:
    placed = f"302 /orders/{cart.token}/"
    shown = Counter(_shown(answer) for answer in cart.answers)
    same = len({answer.location if isinstance(answer, Answer) else "" for answer in cart.answers}) == 1
    if shown != {placed: TIMES} or not same:
        yield f"the {TIMES} answers are not the same order: {dict(shown)}"
    order = orders.find(cart.token)
    if order is None:
        yield "there is no such order"
    elif Counter({line.product_id: line.quantity for line in order.items}) != cart.units:
        yield f"ordered was {[(line.product_id, line.quantity) for line in order.items]}"
    if reservations.find(cart.visitor.owner_id) is not None:
        yield "the cart is still there"


def _shown(answer: Answer | NoAnswer) -> str:
    """An answer in short: an order's address without the key that opens it."""
    if isinstance(answer, NoAnswer):
        return f"no answer ({answer})"
    return f"{answer.status} {answer.location.partition('?')[0]}"


def _numbers(product: Product, *, stock_wanted: int, reserved: int = 0) -> Iterator[str]:
    product.refresh(consistent_read=True)
    seen = (product.stock, product.available, product.reserved)
    wanted = (stock_wanted, stock_wanted - reserved, reserved)
    if seen != wanted:
        yield f"{product.id}: stock, available and reserved are {seen}, not {wanted}"
    booked = sum(movement.quantity for movement in stock.movements(product.id, limit=10_000))
    if booked != stock_wanted:
        yield f"{product.id}: the movements add up to {booked}, not {stock_wanted}"


# Double clicks


def _first_adds(open_shop: Shop, number: int, tick: Tick) -> Iterator[str]:
    """A browser without a session sends the same form twice at once, with the CSRF cookie of the page that it is on."""
    product = _product("first-adds", units=number * 2)
    with Connection(open_shop) as one, Connection(open_shop) as two:
        for _ in range(number):
            visitor = Visitor(open_shop)
            del visitor.cookies["csrftoken"]
            visitor.open(one, f"/products/{product.id}/")
            yield from _add_twice(visitor, visitor.form("/cart/add/", product_id=product.id, quantity=1), one, two)
            tick()
    held = Counter(hold.quantity for hold in stock.holds(product.id))
    if held != {2: number}:
        yield f"{number} guests sent “add to cart” twice at once: carts by their units are {dict(held)}"
    yield from _numbers(product, stock_wanted=number * 2, reserved=number * 2)


def _add_twice(visitor: Visitor, form: Request, one: Connection, two: Connection) -> Iterator[str]:
    for answer in at_once([one, two], [form, form]):
        if not isinstance(answer, Answer) or (answer.status, answer.location) != (302, "/cart/"):
            yield f"a guest's first “add to cart”, sent twice at once, was answered {_shown(answer)}"
        else:
            visitor.keep(answer)
    page = visitor.open(one, "/cart/")
    if 'name="quantity" value="2"' not in " ".join(page.text.split()):
        yield "after “add to cart” twice at once the guest does not see two units in the cart"


def _stock_forms(open_shop: Shop, number: int, tick: Tick) -> Iterator[str]:
    """The admin panel's form for a change of stock, sent by a double click, or by a browser that tries again."""
    dana = accounts.create_admin(email="dana@example.com", password="correct horse 1", name="Dana")
    product = _product("stock-forms", units=1)
    path = f"/admin/stock/{product.id}/"
    visitor = Visitor(open_shop, owner_id=dana.id)
    with Connection(open_shop) as one, Connection(open_shop) as two:
        for _ in range(number):
            page = visitor.open(one, path)
            form = visitor.form(path, change="+5", reason="received", form_id=page.hidden("form_id"))
            answers = {_shown(answer) for answer in at_once([one, two], [form, form])}
            tick()
            if answers != {f"302 {path}"}:
                yield f"a stock form, sent twice at once, was answered {sorted(answers)}"
    yield from _numbers(product, stock_wanted=1 + 5 * number)

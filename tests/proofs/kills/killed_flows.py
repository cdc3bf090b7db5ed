"""What customers and admins do, and what must be true after they did it once: for ``call_sites``.

Each flow has products of its own, so what the tables say of them is this flow's doing alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from unittest import mock

from inventory import accounts, checkout, clock, dynamodb, orders, products, reservations, stock
from inventory.models import Cart, Order, Product
from tests.proofs.web.customers import ADDRESS, Answer, Connection, Request, Shop, Visitor

UNITS = 10
PASSWORD = "correct horse 1"


@dataclass(frozen=True)
class Scene:
    """Who sends which page. ``units`` is what they have in their cart or have ordered, by product."""

    visitor: Visitor
    owner_id: str
    units: dict[str, int]
    press: Request
    order_id: str = ""


@dataclass(frozen=True)
class Flow:
    """``begin`` makes the products and brings its customer as far as the page; ``wrong`` looks at what came of it."""

    name: str
    begin: Callable[[Shop, str], Scene]
    wrong: Callable[[Scene, Answer], Iterator[str]]


# How things are before


def _products(name: str, count: int) -> list[str]:
    made = [Product(f"{name}-{number}", name=name, price_cents=9999, category="shoes") for number in range(count)]
    return [products.add(product, units=UNITS, by="proof").id for product in made]


def _cart(owner_id: str, units: dict[str, int]) -> Cart:
    for product_id, quantity in units.items():
        cart = reservations.reserve(owner_id, product_id, quantity=quantity)
    return cart


def _order(owner_id: str, units: dict[str, int]) -> Order:
    return checkout.place_order(
        owner_id, token=str(_cart(owner_id, units).order_id), contact=checkout.Contact(**ADDRESS)
    )


def _admin(shop: Shop, name: str) -> Visitor:
    account = accounts.create_admin(email=f"{name}@example.com", password=PASSWORD, name="Dana")
    return Visitor(shop, owner_id=account.id)


def _empty_cart(shop: Shop, name: str) -> Scene:
    (product_id,), visitor = _products(name, 1), Visitor(shop, owner_id=f"guest-{name}")
    press = visitor.form("/cart/add/", product_id=product_id, quantity=1)
    return Scene(visitor, visitor.owner_id, {product_id: 0}, press)


def _no_cart(shop: Shop, name: str) -> Scene:
    """Somebody whom the shop sees for the first time."""
    (product_id,), visitor = _products(name, 1), Visitor(shop)
    return Scene(visitor, "", {product_id: 0}, visitor.form("/cart/add/", product_id=product_id, quantity=1))


def _filled_cart(path: str, *, lines: int = 1, **fields: str | int) -> Callable[[Shop, str], Scene]:
    """A guest with so many lines in the cart who sends this form, or opens the page when there are no fields."""

    def begin(shop: Shop, name: str) -> Scene:
        units = {product_id: number for number, product_id in enumerate(_products(name, lines), start=1)}
        visitor = Visitor(shop, owner_id=f"guest-{name}")
        cart = _cart(visitor.owner_id, units)
        known = {"product_id": next(iter(units)), "checkout_token": str(cart.order_id), **ADDRESS}
        press = visitor.form(path, **{**known, **fields})
        return Scene(visitor, visitor.owner_id, units, press, str(cart.order_id))

    return begin


def _lapsed_cart(path: str, method: str) -> Callable[[Shop, str], Scene]:
    """A guest whose two hours have been over for one."""

    def begin(shop: Shop, name: str) -> Scene:
        with mock.patch.object(clock, "now", return_value=datetime.now(UTC) - timedelta(hours=3)):
            scene = _filled_cart(path, lines=2)(shop, name)
        return (
            scene if method == "POST" else Scene(scene.visitor, scene.owner_id, scene.units, scene.visitor.page(path))
        )

    return begin


def _guest_with_account(shop: Shop, name: str) -> Scene:
    """An account with two products in its cart, of which the guest who logs in now has one as well."""
    account = accounts.register(email=f"{name}@example.com", password=PASSWORD, name="Alice")
    first, second = _products(name, 2)
    _cart(account.id, {first: 1, second: 1})
    visitor = Visitor(shop, owner_id=f"guest-{name}")
    _cart(visitor.owner_id, {second: 2})
    press = visitor.form("/account/login/", email=account.email, password=PASSWORD)
    return Scene(visitor, account.id, {first: 1, second: 3}, press)


def _placed_order(shop: Shop, name: str) -> Scene:
    visitor, units = Visitor(shop, owner_id=f"guest-{name}"), {_products(name, 1)[0]: 2}
    order = _order(visitor.owner_id, units)
    return Scene(visitor, visitor.owner_id, units, visitor.form(f"/orders/{order.id}/cancel/"), order.id)


def _order_to_step(shop: Shop, name: str) -> Scene:
    visitor, units = _admin(shop, name), {_products(name, 1)[0]: 2}
    order = _order(f"guest-{name}", units)
    press = visitor.form(f"/admin/orders/{order.id}/status/", status="paid")
    return Scene(visitor, order.user_id, units, press, order.id)


def _stock_to_change(shop: Shop, name: str) -> Scene:
    visitor, (product_id,) = _admin(shop, name), _products(name, 1)
    path = f"/admin/stock/{product_id}/"
    with Connection(shop) as connection:
        page = visitor.open(connection, path).text
    # Whatever the page would send along, so that the shop can tell this page from another.
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    hidden.pop("csrfmiddlewaretoken", None)
    press = visitor.form(path, **{**hidden, "change": 5, "reason": "received", "note": "LS 1"})
    return Scene(visitor, visitor.owner_id, {product_id: 0}, press)


def _product_to_save(shop: Shop, name: str) -> Scene:
    visitor, (product_id,) = _admin(shop, name), _products(name, 1)
    fields = {"name": "Renamed", "description": "Läuft.", "price": "99,99", "category": "shoes", "status": "active"}
    press = visitor.form(f"/admin/products/{product_id}/", **fields, low_stock_at=5, version=1)
    return Scene(visitor, visitor.owner_id, {product_id: 0}, press)


# How things must be after


def _differs(what: str, found: object, wanted: object) -> Iterator[str]:
    if found != wanted:
        yield f"{what}: {found} instead of {wanted}"


def _product(product_id: str) -> Product:
    return Product.get(product_id, consistent_read=True)


def _in_cart(owner_id: str) -> dict[str, int]:
    cart = dynamodb.get(Cart, owner_id)
    return {line.product_id: line.quantity for line in cart.lines} if cart else {}


def _moved(product_id: str) -> list[tuple[str, int]]:
    return sorted((movement.kind, movement.quantity) for movement in stock.movements(product_id))


def _added(scene: Scene, _answer: Answer) -> Iterator[str]:
    """A form of the catalogue is worth one unit each time it arrives; who presses twice may have sent it twice."""
    ((product_id, _),) = scene.units.items()
    units, product = _in_cart(scene.owner_id).get(product_id, 0), _product(product_id)
    yield from _differs("Units in the cart, reserved and moved", (product.reserved, product.moves), (units, units))
    if units not in (1, 2):
        yield f"Two presses put {units} units into the cart"


def _added_first(scene: Scene, answer: Answer) -> Iterator[str]:
    """Whoever has no cookie of ours yet ends up with one cart as well."""
    ((product_id, _),) = scene.units.items()
    holds = stock.holds(product_id)
    yield from _differs("Carts with it", len(holds), 1)
    for hold in holds:
        yield from _added(replace(scene, owner_id=hold.owner_id), answer)


def _updated(scene: Scene, _answer: Answer) -> Iterator[str]:
    ((product_id, _),) = scene.units.items()
    product = _product(product_id)
    yield from _differs("The cart", _in_cart(scene.owner_id), {product_id: 4})
    yield from _differs("Reserved and moves", (product.reserved, product.moves), (4, 2))


def _removed(scene: Scene, _answer: Answer) -> Iterator[str]:
    first = next(iter(scene.units))
    product, rest = _product(first), {key: units for key, units in scene.units.items() if key != first}
    yield from _differs("The cart", _in_cart(scene.owner_id), rest)
    yield from _differs("Reserved and moves", (product.reserved, product.moves), (0, 2))


def _extended(scene: Scene, _answer: Answer) -> Iterator[str]:
    yield from _differs("The cart", _in_cart(scene.owner_id), scene.units)
    yield from _differs("Moves", [_product(key).moves for key in scene.units], [1] * len(scene.units))


def _held_again(scene: Scene, _answer: Answer) -> Iterator[str]:
    cart = dynamodb.get(Cart, scene.owner_id)
    yield from _differs("What the cart holds", cart and cart.is_live(clock.now()) and cart.held, scene.units)


def _released(scene: Scene, _answer: Answer) -> Iterator[str]:
    cart = Cart.get(scene.owner_id, consistent_read=True)
    yield from _differs("Whether the cart holds anything", cart.is_held, False)
    yield from _differs("The cart", _in_cart(scene.owner_id), scene.units)
    yield from _differs("Its version", cart.version, len(scene.units) + 1)
    yield from _differs("Moves", [_product(key).moves for key in scene.units], [2] * len(scene.units))


def _joined(scene: Scene, answer: Answer) -> Iterator[str]:
    yield from _differs("The account's cart", _in_cart(scene.owner_id), scene.units)
    yield from _differs("The guest's cart", _in_cart(scene.visitor.owner_id), {})
    yield from _differs("Moves", [_product(key).moves for key in scene.units], [1, 2])
    yield from _differs("The answer", answer.status, 302)


def _ordered(scene: Scene, answer: Answer) -> Iterator[str]:
    yield from _differs("The answer leads to", answer.location.partition("?")[0], f"/orders/{scene.order_id}/")
    order = orders.find(scene.order_id)
    yield from _differs("The order", order and {line.product_id: line.quantity for line in order.items}, scene.units)
    yield from _differs("The customer's orders", len(orders.list_for(scene.owner_id)), 1)
    yield from _differs("The cart", _in_cart(scene.owner_id), {})
    for product_id, units in scene.units.items():
        product, left = _product(product_id), UNITS - units
        found = (product.stock, product.reserved, product.available, product.moves)
        yield from _differs(f"{product_id}: stock, reserved, available, moves", found, (left, 0, left, 2))
        yield from _differs(f"{product_id}: movements", _moved(product_id), [("received", UNITS), ("sold", -units)])


def _stepped(*steps: str, back: bool = False) -> Callable[[Scene, Answer], Iterator[str]]:
    """The order went these steps, each once; ``back`` says whether its units did."""

    def wrong(scene: Scene, _answer: Answer) -> Iterator[str]:
        order = orders.find(scene.order_id)
        yield from _differs("The order's steps", order and [step.status for step in order.history], list(steps))
        for product_id, units in scene.units.items():
            moved = [("received", UNITS), *([("returned", units)] if back else []), ("sold", -units)]
            yield from _differs(f"{product_id}: movements", _moved(product_id), moved)
            yield from _differs(f"{product_id}: moves", _product(product_id).moves, 2 + back)

    return wrong


def _adjusted(scene: Scene, _answer: Answer) -> Iterator[str]:
    ((product_id, _),) = scene.units.items()
    product = _product(product_id)
    yield from _differs("Stock and moves", (product.stock, product.moves), (UNITS + 5, 1))
    yield from _differs("Movements", _moved(product_id), [("received", 5), ("received", UNITS)])


def _saved(scene: Scene, answer: Answer) -> Iterator[str]:
    ((product_id, _),) = scene.units.items()
    product = _product(product_id)
    found = (product.name, product.version, product.stock, product.moves)
    yield from _differs("Name, version, stock, moves", found, ("Renamed", 2, UNITS, 0))
    yield from _differs("The answer", answer.status, 302)


QUICK = (
    Flow("add", _empty_cart, _added),
    Flow("checkout", _filled_cart("/checkout/"), _ordered),
)
ALL = (
    *QUICK,
    Flow("first-add", _no_cart, _added_first),
    Flow("checkout-3", _filled_cart("/checkout/", lines=3), _ordered),
    Flow("update", _filled_cart("/cart/update/", quantity=4), _updated),
    Flow("remove", _filled_cart("/cart/remove/", lines=2), _removed),
    Flow("remove-last", _filled_cart("/cart/remove/"), _removed),
    Flow("extend", _filled_cart("/cart/extend/", lines=2), _extended),
    Flow("renew", _lapsed_cart("/cart/reserve/", "POST"), _held_again),
    Flow("look", _lapsed_cart("/cart/", "GET"), _released),
    Flow("log-in", _guest_with_account, _joined),
    Flow("cancel", _placed_order, _stepped("pending", "cancelled", back=True)),
    Flow("status", _order_to_step, _stepped("pending", "paid")),
    Flow("stock", _stock_to_change, _adjusted),
    Flow("save", _product_to_save, _saved),
)

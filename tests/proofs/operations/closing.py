"""The end of an episode: nothing goes wrong any more, and every number must add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from inventory import checkout, dynamodb, reservations, stock
from inventory.errors import ProductChanged
from inventory.models import Cart, Movement, Order, Product
from tests.proofs import promises
from tests.proofs.operations import books
from tests.proofs.operations.books import Try
from tests.proofs.operations.floor import Shop, Wrong
from tests.proofs.operations.shelf import DONE, REFUSED, UNKNOWN
from tests.proofs.operations.shoppers import CONTACT
from tests.proofs.operations.sights import Customer, as_side

_LONG_AFTER_MINUTES = 600


def check(shop: Shop) -> None:
    """Everything that must be true when all threads have ended. Raises Wrong."""
    # Every other episode has taken its carts and orders away.
    carts, bought = list(Cart.scan(consistent_read=True)), list(Order.scan(consistent_read=True))
    for one in shop.customers:
        _check_customer(shop, one, carts, bought)
    moved = {product: stock.movements(product, limit=10_000) for product in shop.products}
    _check_promises(shop, carts, bought, moved)
    for product in shop.products:
        _check_movements(shop, product, bought, moved[product])
        _check_saves(shop, product)
    wrong = list(shop.shelf.wrong())
    if wrong:
        raise Wrong(wrong[0])
    _check_nothing_is_stuck(shop)


def sweep_up(shop: Shop) -> None:
    """Take the episode's carts and orders away, so that the next one does not meet them."""
    for model in (Cart, Order):
        with model.batch_write() as batch:
            for item in model.scan(consistent_read=True):
                batch.delete(item)


def _check_customer(shop: Shop, customer: Customer, carts: list[Cart], bought: list[Order]) -> None:
    """Their carts are what they were told, and so are their orders: none more, none less, none twice."""
    latest, owned = shop.time.latest, {cart.user_id: cart for cart in carts}
    for name, owner in customer.owners.items():
        told, (after, _) = customer.carts.sides[name], as_side(owned.get(owner) or Cart(owner))
        if not books.side_fits(told, after, latest):
            raise Wrong(f"{owner} has {after} at the end, and was told {told}")
    found = [order for order in bought if order.user_id in customer.owners.values()]
    if Counter(order.id for order in found) != Counter(list(customer.statuses)):
        raise Wrong(f"Customer {customer.number} has the orders {found}, and was told {customer.statuses}")
    for order in found:
        _check_order(shop, customer, order)


def _check_order(shop: Shop, customer: Customer, order: Order) -> None:
    """It is what its checkout page showed, at those prices or less, and in the state that its customer was told."""
    offer = customer.offers[order.id]
    lines = {line.product_id: line.quantity for line in order.items}
    if lines != offer.lines or order.user_id != customer.owners[offer.side]:
        raise Wrong(f"Order {order.id} has {lines}, and its page showed {offer}")
    if order.total_cents != sum(line.quantity * line.price_cents for line in order.items):
        raise Wrong(f"Order {order.id} does not add up: {order.total_cents}")
    if order.status != customer.statuses[order.id]:
        raise Wrong(f"Order {order.id} is {order.status}, and its customer was told {customer.statuses[order.id]}")
    began = min(began for began, _ in customer.tried[order.id])
    ended = max(ended for _, ended in customer.tried[order.id])
    for line in order.items:
        shown, price = offer.prices[line.product_id], line.price_cents
        possible = set(shop.shelf.price[line.product_id].possible(began, ended))
        if price > shown or price > max(possible) or price not in possible | {shown}:
            raise Wrong(f"Order {order.id} charges {price} for {line.product_id}: shown {shown}, then {possible}")


def _check_movements(shop: Shop, product: str, bought: list[Order], moved: list[Movement]) -> None:
    """Each change of stock that happened is written down once, and nothing else is."""
    found = Counter(_words(movement) for movement in moved)
    expected = Counter([("received", shop.shelf.opening[product][0], "", "")])
    for order in bought:
        for line in order.items:
            if line.product_id == product:
                expected["sold", -line.quantity, "", order.id] += 1
                if order.status == "cancelled":
                    expected["returned", line.quantity, "", order.id] += 1
    for booking in shop.shelf.bookings:
        if booking.product == product:
            times = sum(count for (_, _, why, _), count in found.items() if why == booking.note)
            if times > 1 or (times == 0 and booking.outcome == DONE) or (times and booking.outcome == REFUSED):
                raise Wrong(f"{booking} is booked {times} times")
            expected += Counter({words: count for words, count in found.items() if words[2] == booking.note})
    if found != expected:
        raise Wrong(f"Movements of {product}: {found - expected} too many, {expected - found} missing")


def _words(movement: Movement) -> tuple[str, int, str, str]:
    return movement.kind, movement.quantity, movement.why, movement.order_id or ""


def _check_saves(shop: Shop, product: str) -> None:
    """Every save that was confirmed has counted, and none was undone."""
    (found,) = stock.products([product])
    sure = sum(tried.outcome == DONE for tried in shop.saves[product])
    perhaps = sum(tried.outcome == UNKNOWN for tried in shop.saves[product])
    if not sure <= found.version - 1 <= sure + perhaps:
        raise Wrong(f"{product} was saved {found.version - 1} times; {sure} saves were confirmed, {perhaps} unknown")
    end = shop.moment()
    if found.price_cents not in shop.shelf.price[product].possible(end, end):
        raise Wrong(f"{product} costs {found.price_cents}, which nobody saved last")
    if found.status not in shop.shelf.status[product].possible(end, end):
        raise Wrong(f"{product} is {found.status}, which nobody saved last")
    for tried in shop.saves[product]:
        if isinstance(tried.refusal, ProductChanged) and not any(
            _overlap(tried, other) for other in shop.saves[product]
        ):
            raise Wrong(f"Nobody else had saved: {tried}")


def _overlap(tried: Try, other: Try) -> bool:
    return other is not tried and other.outcome != REFUSED and other.began <= tried.ended and other.ended >= tried.began


def _check_promises(shop: Shop, carts: list[Cart], bought: list[Order], moved: dict[str, list[Movement]]) -> None:
    (found,) = dynamodb.get_many((Product, shop.products))
    kept = promises.Books(found, carts, bought, [one for movements in moved.values() for one in movements])
    broken = [sentence for product in shop.products for sentence in kept.broken(product)]
    if broken:
        raise Wrong("; ".join(broken))


def _check_nothing_is_stuck(shop: Shop) -> None:
    """When every hold is over, one sweep frees everything, and somebody new can buy all that is left."""
    shop.time.wait(minutes=_LONG_AFTER_MINUTES)
    reservations.release_expired()
    (carts,) = dynamodb.get_many((Cart, _owners(shop)))
    if any(cart.is_held for cart in carts.values()):
        raise Wrong(f"Still held after a sweep: {[cart.user_id for cart in carts.values() if cart.is_held]}")
    left = {product.id: product for product in stock.products(shop.products)}
    if any(product.reserved for product in left.values()):
        raise Wrong(f"Still reserved after a sweep: {left}")
    for_sale = [product for product in left.values() if product.is_active and product.available]
    if for_sale:
        _buy(shop, for_sale)


def _buy(shop: Shop, for_sale: Iterable[Product]) -> None:
    owner = _last_customer(shop)
    token = ""
    for product in for_sale:
        token = reservations.reserve(owner, product.id, quantity=product.available).order_id or ""
    checkout.place_order(owner, token=token, contact=CONTACT)
    for product in stock.products(product.id for product in for_sale):
        if (product.stock, product.reserved, product.available) != (0, 0, 0):
            raise Wrong(f"Stuck: {product.id} has {product.stock} left after everything was bought")


def _last_customer(shop: Shop) -> str:
    return f"user-{shop.name}-last"


def _owners(shop: Shop) -> list[str]:
    return [owner for one in shop.customers for owner in one.owners.values()]

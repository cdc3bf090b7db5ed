"""The end of an episode: nothing goes wrong any more, and every number must add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from inventory import checkout, dynamodb, orders, reservations, stock
from inventory.models import Cart, Movement, Order, Product
from tests.proofs import books
from tests.proofs.books import DONE, REFUSED, Shortage, Try
from tests.proofs.shoppers import CONTACT, Customer, Shop, Wrong

_LONG_AFTER_MINUTES = 600


def check(shop: Shop) -> None:
    """Everything that must be true when all threads have ended. Raises Wrong."""
    placed = {one.number: _check_customer(shop, one) for one in shop.customers}
    bought = [order for found in placed.values() for order in found]
    for product in shop.shelf:
        _check_movements(shop, product, bought)
        _check_saves(shop, product)
    _check_sums(shop)
    for shortage in shop.shortages:
        _check_shortage(shop, shortage)
    _check_nothing_is_stuck(shop)


def sweep_up(shop: Shop) -> None:
    """Take the episode's carts away, so that the next one's sweeps do not meet them."""
    with Cart.batch_write() as batch:
        for owner in [*_owners(shop), _last_customer(shop)]:
            batch.delete(Cart(owner))


def _check_customer(shop: Shop, customer: Customer) -> list[Order]:
    """Their carts are what they were told, and so are their orders: none more, none less, none twice."""
    after, _ = shop.read(customer, set())
    latest = shop.time.latest
    if not all(books.side_fits(customer.carts.sides[name], side, latest) for name, side in after.sides.items()):
        raise Wrong(f"Customer {customer.number} has {after} at the end, and was told {customer.carts}")
    found = [order for owner in customer.owners.values() for order in orders.list_for(owner, limit=1000)]
    if Counter(order.id for order in found) != Counter(list(customer.statuses)):
        raise Wrong(f"Customer {customer.number} has the orders {found}, and was told {customer.statuses}")
    for order in found:
        _check_order(shop, customer, order)
    return found


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
        possible = set(shop.price[line.product_id].possible(began, ended))
        if price > shown or price > max(possible) or price not in possible | {shown}:
            raise Wrong(f"Order {order.id} charges {price} for {line.product_id}: shown {shown}, then {possible}")


def _check_movements(shop: Shop, product: str, bought: list[Order]) -> None:
    """Each change of stock that happened is written down once, and nothing else is."""
    found = Counter(_words(movement) for movement in stock.movements(product, limit=10_000))
    expected = Counter([("received", shop.shelf[product][0], "", "")])
    for order in bought:
        for line in order.items:
            if line.product_id == product:
                expected["sold", -line.quantity, "", order.id] += 1
                if order.status == "cancelled":
                    expected["returned", line.quantity, "", order.id] += 1
    for booking in shop.bookings:
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
    perhaps = sum(tried.outcome == books.UNKNOWN for tried in shop.saves[product])
    if not sure <= found.version - 1 <= sure + perhaps:
        raise Wrong(f"{product} was saved {found.version - 1} times; {sure} saves were confirmed, {perhaps} unknown")
    end = shop.moment()
    if found.price_cents not in shop.price[product].possible(end, end):
        raise Wrong(f"{product} costs {found.price_cents}, which nobody saved last")
    if found.status not in shop.status[product].possible(end, end):
        raise Wrong(f"{product} is {found.status}, which nobody saved last")
    for tried in shop.saves[product]:
        if tried.outcome == REFUSED and not any(_overlap(tried, other) for other in shop.saves[product]):
            raise Wrong(f"Nobody else had saved: {tried}")


def _overlap(tried: Try, other: Try) -> bool:
    return other is not tried and other.outcome != REFUSED and other.began <= tried.ended and other.ended >= tried.began


def _check_sums(shop: Shop) -> None:
    """The promises of every product."""
    owners = _owners(shop)
    carts, found = dynamodb.get_many((Cart, owners), (Product, shop.shelf))
    reserved = sum((Counter(cart.held) for cart in carts.values()), Counter())
    for product in found.values():
        moved = sum(movement.quantity for movement in stock.movements(product.id, limit=10_000))
        numbers = (product.stock, product.reserved, product.available)
        if min(numbers) < 0:
            raise Wrong(f"{product.id} has {numbers}: oversold")
        if product.stock != product.available + product.reserved:
            raise Wrong(f"{product.id} has {numbers}: stock is not available + reserved")
        if product.reserved != reserved[product.id]:
            raise Wrong(f"{product.id} has {product.reserved} reserved; carts hold {reserved[product.id]}")
        if product.stock != moved:
            raise Wrong(f"{product.id} has {product.stock} in stock; its movements add up to {moved}")


def _check_shortage(shop: Shop, shortage: Shortage) -> None:
    """Nobody was told "sold out" of what was there all the time."""
    product, began, ended = shortage.product, shortage.began, shortage.ended
    there = shop.shelf[product][0]
    for booking in shop.bookings:
        if booking.product != product or booking.outcome == REFUSED:
            continue
        if booking.units < 0 and booking.began <= ended:
            there += booking.units
        if booking.units > 0 and booking.ended < began and booking.outcome == DONE:
            there += booking.units
    there -= sum(max(shop.taken[one.number, product].possible(began, ended)) for one in shop.customers)
    if there >= shortage.needed:
        raise Wrong(f"{there} of {product} were free all the time: {shortage}")


def _check_nothing_is_stuck(shop: Shop) -> None:
    """When every hold is over, one sweep frees everything, and somebody new can buy all that is left."""
    shop.time.wait(minutes=_LONG_AFTER_MINUTES)
    reservations.release_expired()
    (carts,) = dynamodb.get_many((Cart, _owners(shop)))
    if any(cart.is_held for cart in carts.values()):
        raise Wrong(f"Still held after a sweep: {[cart.user_id for cart in carts.values() if cart.is_held]}")
    left = {product.id: product for product in stock.products(shop.shelf)}
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

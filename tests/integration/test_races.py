"""Races for stock on a real server, in threads. Each begins with its control: the naive way must fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from inventory import accounts, checkout, clock, dynamodb, orders, products, reservations, stock
from inventory.errors import Busy, EmailTaken, InventoryError, NotPossible, OutOfStock, ProductChanged
from inventory.models import Cart, Movement, Product

CUSTOMERS = 24
UNITS = 10
CONTACT = checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")


def race(run: Callable[[int], Any], *, runners: int = CUSTOMERS) -> list[Any]:
    """Let runners start at the same moment; gives what each of them returned or the refusal that it got."""
    start = Barrier(runners)

    def one(number: int) -> Any:
        start.wait(timeout=30)
        try:
            return run(number)
        except InventoryError as refusal:
            return refusal

    with ThreadPoolExecutor(runners) as pool:
        return list(pool.map(one, range(runners)))


def won(results: list[Any]) -> list[Any]:
    return [result for result in results if not isinstance(result, InventoryError)]


def numbers(product_id: str) -> tuple[int, int, int]:
    (product,) = stock.products([product_id])
    return product.stock, product.reserved, product.available


def naive_reserve(product_id: str) -> bool:
    """Read, compare, write: how shops oversell."""
    product = Product.get(product_id, consistent_read=True)
    if product.available < 1:
        raise OutOfStock(product.name, left=0)
    product.available -= 1
    product.reserved += 1
    product.save()
    return True


@pytest.fixture
def owners(request: pytest.FixtureRequest) -> list[str]:
    """Customers of this test alone."""
    return [f"{request.node.name}-{number}" for number in range(CUSTOMERS)]


@pytest.fixture
def product(make_product: Callable[..., Product]) -> Iterator[Product]:
    product = make_product(stock=UNITS)
    yield product
    assert_promises(product.id)


def assert_promises(product_id: str) -> None:
    """What docs/reservations.md promises of a product at every moment, from all that is in the tables."""
    units, reserved, available = numbers(product_id)
    in_carts = sum(cart.held.get(product_id, 0) for cart in Cart.scan(consistent_read=True))
    moved = sum(movement.quantity for movement in Movement.query(product_id, consistent_read=True))
    assert min(reserved, available) >= 0
    assert (units, reserved, units) == (available + reserved, in_carts, moved)
    (product,) = stock.products([product_id])
    assert (product.in_stock_since is not None) == (available > 0)


def test_the_race_is_real(make_product: Callable[..., Product]) -> None:
    """If the naive way does not oversell here, the tests below prove nothing."""
    product = make_product(stock=UNITS)

    winners = won(race(lambda number: naive_reserve(product.id)))

    assert len(winners) > UNITS


def test_reserve_never_oversells(product: Product, owners: list[str]) -> None:
    winners = won(race(lambda number: reservations.reserve(owners[number], product.id, quantity=1)))

    assert len(winners) == UNITS
    assert numbers(product.id) == (UNITS, UNITS, 0)


def test_a_product_that_sells_out_and_comes_back_all_the_time_is_marked_by_what_there_is(
    product: Product, owners: list[str]
) -> None:
    """The product's own fixture looks whether its mark is right in the end."""

    def take_and_put_back(number: int) -> None:
        for _ in range(4):
            try:
                reservations.reserve(owners[number], product.id, quantity=UNITS // 2)
                reservations.remove(owners[number], product.id)
            except (OutOfStock, Busy):
                continue

    race(take_and_put_back, runners=8)


def test_two_tabs_of_one_customer_lose_nothing(product: Product, owners: list[str]) -> None:
    results = race(lambda number: reservations.reserve(owners[0], product.id, quantity=1), runners=8)

    added = len(won(results))
    assert {type(result) for result in results} <= {Cart, Busy}
    assert Cart.get(owners[0], consistent_read=True).units == added


def test_everybody_checks_out_at_once_and_nobody_twice(product: Product, owners: list[str]) -> None:
    carts = [reservations.reserve(owner, product.id, quantity=1) for owner in owners[:UNITS]]

    def buy_twice(number: int) -> str:
        cart = carts[number % UNITS]
        return checkout.place_order(cart.user_id, token=str(cart.order_id), contact=CONTACT).id

    placed = Counter(won(race(buy_twice, runners=2 * UNITS)))

    assert set(placed) == {cart.order_id for cart in carts}
    assert numbers(product.id) == (0, 0, 0)


def test_one_checkout_submitted_by_many_tabs_is_one_order(product: Product, owners: list[str]) -> None:
    cart = reservations.reserve(owners[0], product.id, quantity=3)

    results = race(lambda _: checkout.place_order(owners[0], token=str(cart.order_id), contact=CONTACT).id, runners=8)

    assert set(won(results)) == {cart.order_id}
    assert len(orders.list_for(owners[0])) == 1
    assert numbers(product.id) == (UNITS - 3, 0, UNITS - 3)


def test_many_sweepers_release_each_cart_once(
    product: Product, owners: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in owners[:UNITS]:
        reservations.reserve(owner, product.id, quantity=1)
    three_hours_on = clock.now() + timedelta(hours=3)
    monkeypatch.setattr(clock, "now", lambda: three_hours_on)

    released = won(race(lambda _: reservations.release_expired(), runners=4))

    assert sum(released) >= UNITS
    assert numbers(product.id) == (UNITS, 0, UNITS)


def test_checkout_and_sweeper_never_both_win(
    product: Product, owners: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cart = reservations.reserve(owners[0], product.id, quantity=4)
    expired = clock.now() + timedelta(hours=3)

    def run(number: int) -> Any:
        if number == 0:
            return checkout.place_order(owners[0], token=str(cart.order_id), contact=CONTACT)
        stale = Cart.get(owners[0], consistent_read=True)
        stale.expires_at = expired - timedelta(days=1)
        return reservations.expire(stale)

    race(run, runners=2)

    sold = len(orders.list_for(owners[0]))
    assert numbers(product.id) == ((6, 0, 6) if sold else (10, 0, 10))


def test_cancelling_from_both_doors_returns_the_units_once(product: Product, owners: list[str]) -> None:
    cart = reservations.reserve(owners[0], product.id, quantity=3)
    order = checkout.place_order(owners[0], token=str(cart.order_id), contact=CONTACT)

    results = race(lambda _: orders.cancel(order, by="dana"), runners=6)

    assert len(won(results)) == 1
    assert {type(result) for result in results} - {type(order)} <= {NotPossible, Busy}
    assert numbers(product.id) == (UNITS, 0, UNITS)


def test_stock_that_moves_while_an_admin_saves_is_not_overwritten(product: Product, owners: list[str]) -> None:
    def run(number: int) -> Any:
        if number == 0:
            return products.save(product.id, version=1, name="Renamed")
        return reservations.reserve(owners[number], product.id, quantity=1)

    race(run, runners=UNITS + 1)

    assert stock.products([product.id])[0].name == "Renamed"
    assert numbers(product.id) == (UNITS, UNITS, 0)


def test_of_two_admins_who_save_at_once_one_is_told(product: Product) -> None:
    results = race(lambda number: products.save(product.id, version=1, name=f"Admin {number}"), runners=2)

    assert sorted(type(result).__name__ for result in results) == [Product.__name__, ProductChanged.__name__]


def test_adjusting_never_takes_what_a_cart_holds(product: Product, owners: list[str]) -> None:
    def run(number: int) -> Any:
        if number % 2:
            return stock.adjust(product.id, by=-1, reason="damaged", note="", who="dana")
        return reservations.reserve(owners[number], product.id, quantity=1)

    winners = won(race(run))

    assert len(winners) == UNITS
    assert numbers(product.id)[2] == 0


def test_one_address_gets_one_account() -> None:
    results = race(
        lambda _: accounts.register(email="Race@Example.com", password="correct horse 1", name="R"), runners=6
    )

    assert len(won(results)) == 1
    assert {type(result) for result in results} - {type(won(results)[0])} <= {EmailTaken, Busy}


def test_joining_while_the_guest_still_shops_holds_nothing_twice(product: Product, owners: list[str]) -> None:
    guest, user = owners[0], owners[1]
    reservations.reserve(guest, product.id, quantity=1)

    def run(number: int) -> Any:
        if number == 0:
            return reservations.join(guest, user)
        return reservations.reserve(guest, product.id, quantity=1)

    added = won(race(run, runners=4))

    assert numbers(product.id)[1] == len(added) - any(isinstance(result, list) for result in added) + 1


def test_reading_many_items_at_once_reads_them_all(make_product: Callable[..., Product]) -> None:
    made = [make_product(stock=1).id for _ in range(105)]

    (found,) = dynamodb.get_many((Product, made))

    assert set(found) == set(made)

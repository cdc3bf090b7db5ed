"""Carts and the stock that they hold. One thread: the races are in tests/integration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from pynamodb.exceptions import GetError

from inventory import baskets, carts, catalogue, checkout, clock, dynamodb, products, reservations, stock
from inventory.errors import (
    BadQuantity,
    Busy,
    CartChanged,
    CartEmpty,
    HoldExpired,
    NoSuchProduct,
    NotForSale,
    OutOfStock,
    TooMany,
    TooManyLines,
    Unsure,
)
from inventory.models import Cart, Product
from tests.unit import wire

GUEST = "guest-1"
ALICE = "alice"
BOB = "bob"


def numbers(product_id: str = "prod-1") -> tuple[int, int, int]:
    """Stock, reserved, available: what every test here is about."""
    product = catalogue.find(product_id)
    assert product is not None
    return product.stock, product.reserved, product.available


def cart(owner_id: str = ALICE) -> Cart | None:
    return dynamodb.get(Cart, owner_id)


def quantities(owner_id: str = ALICE) -> dict[str, int]:
    found = cart(owner_id)
    return {line.product_id: line.quantity for line in found.lines} if found else {}


# Reserve


def test_reserve_moves_units_from_available_to_reserved(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)

    assert numbers() == (10, 3, 7)
    assert quantities() == {product.id: 3}


def test_reserve_adds_to_a_line_that_is_there(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)

    reservations.reserve(ALICE, product.id, quantity=2)

    assert numbers() == (10, 5, 5)
    assert quantities() == {product.id: 5}


def test_reserve_takes_the_last_unit(make_product: Any) -> None:
    make_product(stock=1)

    reservations.reserve(ALICE, "prod-1", quantity=1)

    assert numbers() == (1, 1, 0)


def test_reserve_refuses_more_than_is_available_and_writes_nothing(product: Product) -> None:
    with pytest.raises(OutOfStock) as refused:
        reservations.reserve(ALICE, product.id, quantity=11)

    assert refused.value.left == 10
    assert numbers() == (10, 0, 10)
    assert cart() is None


def test_reserve_refuses_what_others_hold(product: Product) -> None:
    reservations.reserve(BOB, product.id, quantity=8)

    with pytest.raises(OutOfStock) as refused:
        reservations.reserve(ALICE, product.id, quantity=3)

    assert refused.value.left == 2
    assert numbers() == (10, 8, 2)


@pytest.mark.parametrize("quantity", [0, -1, -100])
def test_reserve_refuses_a_quantity_below_one(product: Product, quantity: int) -> None:
    with pytest.raises(BadQuantity):
        reservations.reserve(ALICE, product.id, quantity=quantity)

    assert numbers() == (10, 0, 10)


def test_reserve_refuses_more_than_a_line_may_have(make_product: Any) -> None:
    make_product(stock=1000)
    reservations.reserve(ALICE, "prod-1", quantity=settings.LINE_MAX_QUANTITY)

    with pytest.raises(TooMany):
        reservations.reserve(ALICE, "prod-1", quantity=1)

    assert numbers() == (1000, settings.LINE_MAX_QUANTITY, 1000 - settings.LINE_MAX_QUANTITY)


def test_reserve_refuses_more_lines_than_a_checkout_can_sell(make_product: Any, settings: Any) -> None:
    settings.CART_MAX_LINES = 2
    for number in (1, 2, 3):
        make_product(id=f"prod-{number}")
    for number in (1, 2):
        reservations.reserve(ALICE, f"prod-{number}", quantity=1)

    with pytest.raises(TooManyLines):
        reservations.reserve(ALICE, "prod-3", quantity=1)

    assert len(quantities()) == 2


@pytest.mark.parametrize("status", ["draft", "unknown"])
def test_reserve_does_not_find_what_is_not_shown(make_product: Any, status: str) -> None:
    make_product(status="draft")

    with pytest.raises(NoSuchProduct):
        reservations.reserve(ALICE, "prod-1" if status == "draft" else "nothing", quantity=1)


def test_reserve_refuses_what_is_archived(make_product: Any) -> None:
    make_product(status="archived")

    with pytest.raises(NotForSale):
        reservations.reserve(ALICE, "prod-1", quantity=1)


def test_reserve_finds_that_a_product_vanished_after_it_was_read(product: Product, monkeypatch: Any) -> None:
    read = dynamodb.get_many

    def read_then_lose(*wanted: Any) -> Any:
        found = read(*wanted)
        Product(product.id).delete()
        return found

    monkeypatch.setattr(dynamodb, "get_many", read_then_lose)

    with pytest.raises(NoSuchProduct):
        reservations.reserve(ALICE, product.id, quantity=1)


def test_a_hold_lasts_two_hours_from_the_last_change(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)

    basket = baskets.look(ALICE)
    assert basket is not None
    assert basket.is_held
    assert basket.minutes_left in (119, 120)


def test_a_change_starts_the_hold_anew(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    later(minutes=60)
    reservations.reserve(ALICE, product.id, quantity=1)
    later(minutes=90)

    assert reservations.release_expired() == 0
    assert numbers() == (10, 2, 8)


def test_a_cart_that_holds_stock_is_never_left_to_ttl(product: Product) -> None:
    held = reservations.reserve(ALICE, product.id, quantity=1)

    assert held.delete_at is None


# Change and remove


@pytest.mark.parametrize(("quantity", "expected"), [(1, (10, 1, 9)), (3, (10, 3, 7)), (10, (10, 10, 0))])
def test_change_sets_the_quantity_and_moves_the_difference(product: Product, quantity: int, expected: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)

    reservations.change(ALICE, product.id, quantity=quantity)

    assert numbers() == expected
    assert quantities() == {product.id: quantity}


def test_change_refuses_more_than_there_is_and_keeps_what_is_held(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)

    with pytest.raises(OutOfStock):
        reservations.change(ALICE, product.id, quantity=11)

    assert numbers() == (10, 3, 7)


def test_change_to_nothing_removes_the_line(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)

    reservations.change(ALICE, product.id, quantity=0)

    assert numbers() == (10, 0, 10)
    assert quantities() == {}


def test_change_below_zero_is_refused(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)

    with pytest.raises(BadQuantity):
        reservations.change(ALICE, product.id, quantity=-3)


def test_change_of_a_line_that_is_not_there_says_that_the_cart_changed(product: Product) -> None:
    with pytest.raises(CartChanged):
        reservations.change(ALICE, product.id, quantity=1)


def test_change_of_a_product_that_was_deleted_is_refused(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    product.delete()

    with pytest.raises(NoSuchProduct):
        reservations.change(ALICE, product.id, quantity=2)


def test_remove_gives_the_units_back_and_keeps_the_other_lines(make_product: Any) -> None:
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=3)
    reservations.reserve(ALICE, "prod-2", quantity=1)

    reservations.remove(ALICE, "prod-1")

    assert numbers() == (10, 0, 10)
    assert numbers("prod-2") == (10, 1, 9)
    assert quantities() == {"prod-2": 1}


@pytest.mark.parametrize("had_a_cart", [True, False])
def test_remove_twice_is_no_error(product: Product, had_a_cart: bool) -> None:
    if had_a_cart:
        reservations.reserve(ALICE, product.id, quantity=1)
    reservations.remove(ALICE, product.id)

    reservations.remove(ALICE, product.id)

    assert numbers() == (10, 0, 10)


# Hold: extend, expire, renew


def test_extend_restarts_the_hold_and_keeps_the_offer(product: Product, later: Any) -> None:
    before = reservations.reserve(ALICE, product.id, quantity=1)
    later(minutes=100)

    after = reservations.extend(ALICE)

    assert after.expires_at > before.expires_at
    assert after.order_id == before.order_id


def test_extend_comes_too_late_after_the_end(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    later(minutes=121)

    with pytest.raises(HoldExpired):
        reservations.extend(ALICE)


@pytest.mark.parametrize("rule", [reservations.extend, reservations.renew])
def test_an_empty_cart_cannot_be_held(rule: Any) -> None:
    with pytest.raises(CartEmpty):
        rule(ALICE)


def test_expiry_gives_the_units_back_and_keeps_the_lines(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    later(minutes=121)

    released = reservations.release_expired()

    assert released == 1
    assert numbers() == (10, 0, 10)
    assert quantities() == {product.id: 3}


def test_expiry_gives_back_exactly_once(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    held = cart()
    later(minutes=121)

    first, second = reservations.expire(held), reservations.expire(held)

    assert (first, second) == (True, False)
    assert numbers() == (10, 0, 10)


def test_a_hold_does_not_end_early(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    later(minutes=119)

    assert reservations.release_expired() == 0
    assert not reservations.expire(cart())
    assert numbers() == (10, 3, 7)


def test_expiry_is_checked_on_access_too(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    later(minutes=121)

    basket = baskets.look(ALICE)

    assert basket is not None
    assert basket.needs_renewal
    assert basket.minutes_left == 0
    assert numbers() == (10, 0, 10)


def test_a_sweeper_leaves_a_cart_that_was_extended_meanwhile(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    stale = cart()
    later(minutes=100)
    reservations.extend(ALICE)
    later(minutes=21)

    assert not reservations.expire(stale)
    assert numbers() == (10, 3, 7)


def test_a_buyer_does_not_wait_for_the_sweeper(make_product: Any, later: Any) -> None:
    make_product(stock=1)
    reservations.reserve(BOB, "prod-1", quantity=1)
    later(minutes=121)

    reservations.reserve(ALICE, "prod-1", quantity=1)

    assert quantities() == {"prod-1": 1}
    assert numbers() == (1, 1, 0)


def test_a_buyer_releases_no_more_carts_than_it_takes(product: Product, later: Any) -> None:
    for number in range(5):
        reservations.reserve(f"guest-{number}", product.id, quantity=2)
    later(minutes=121)

    reservations.reserve(BOB, product.id, quantity=3)

    assert numbers() == (10, 9, 1)


def test_a_buyer_whose_own_hold_is_over_releases_enough_for_all_they_want(make_product: Any, later: Any) -> None:
    make_product(stock=12)
    reservations.reserve(BOB, "prod-1", quantity=8)
    later(minutes=121)
    reservations.release_expired()
    for number in range(12):
        reservations.reserve(f"guest-{number}", "prod-1", quantity=1)
    later(minutes=121)

    with wire.heard() as calls:
        reservations.reserve(BOB, "prod-1", quantity=4)

    assert quantities(BOB) == {"prod-1": 12}
    # Refused once: eight releases for the lines of before, four for the new units.
    assert sum(name == "TransactWriteItems" for name, _ in calls) == 8 + 1 + 4 + 1


def test_nobody_waits_for_releases_longer_than_for_any_rule(product: Product, later: Any, monkeypatch: Any) -> None:
    for number in range(10):
        reservations.reserve(f"guest-{number}", product.id, quantity=1)
    later(minutes=121)
    monkeypatch.setattr(dynamodb, "RETRY_SECONDS", 0)

    reservations.on_shelf(product.id)

    assert numbers() == (10, 9, 1)


def test_a_lapsed_hold_on_something_else_does_not_help_a_buyer(make_product: Any, later: Any) -> None:
    make_product(stock=1)
    make_product(id="prod-2")
    reservations.reserve(BOB, "prod-2", quantity=1)
    later(minutes=121)
    reservations.reserve(GUEST, "prod-1", quantity=1)

    with pytest.raises(OutOfStock):
        reservations.reserve(ALICE, "prod-1", quantity=1)


def test_renew_reserves_the_lines_again(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    later(minutes=121)
    reservations.release_expired()

    renewed, notices = reservations.renew(ALICE)

    assert renewed.is_held
    assert notices == []
    assert numbers() == (10, 3, 7)


def test_renew_before_the_sweep_holds_the_same_units(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=10)
    later(minutes=121)

    reservations.renew(ALICE)

    assert numbers() == (10, 10, 0)


def test_renew_takes_what_is_left_and_says_so(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=5)
    later(minutes=121)
    reservations.release_expired()
    reservations.reserve(BOB, product.id, quantity=8)

    renewed, notices = reservations.renew(ALICE)

    assert renewed.units == 2
    assert len(notices) == 1
    assert numbers() == (10, 10, 0)


def test_renew_lets_go_of_what_is_sold_out(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=5)
    later(minutes=121)
    reservations.release_expired()
    reservations.reserve(BOB, product.id, quantity=10)

    renewed, notices = reservations.renew(ALICE)

    assert (renewed.lines, len(notices)) == ([], 1)
    assert quantities() == {}


def test_renew_lets_go_of_what_is_no_longer_sold(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=5)
    later(minutes=121)
    reservations.release_expired()
    products.archive(product.id, version=1)

    _renewed, notices = reservations.renew(ALICE)

    assert len(notices) == 1
    assert numbers() == (10, 0, 10)


def test_renew_before_the_sweep_lets_go_of_what_is_no_longer_sold(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=5)
    products.archive(product.id, version=1)
    later(minutes=121)

    _renewed, notices = reservations.renew(ALICE)

    assert len(notices) == 1
    assert quantities() == {}
    assert numbers() == (10, 0, 10)


def test_change_before_the_sweep_does_not_hold_what_is_no_longer_sold(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=5)
    products.archive(product.id, version=1)
    later(minutes=121)

    with pytest.raises(NotForSale):
        reservations.change(ALICE, product.id, quantity=4)

    assert quantities() == {product.id: 5}


def test_reserving_revives_a_lapsed_cart_and_tells_what_it_lost(make_product: Any, later: Any) -> None:
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=5)
    later(minutes=121)
    reservations.release_expired()
    reservations.reserve(BOB, "prod-1", quantity=9)

    revived = reservations.reserve(ALICE, "prod-2", quantity=1)

    assert quantities() == {"prod-1": 1, "prod-2": 1}
    assert len(revived.notices) == 1
    assert numbers() == (10, 10, 0)


def test_removing_from_a_lapsed_cart_holds_nothing_anew(make_product: Any, later: Any) -> None:
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=5)
    reservations.reserve(ALICE, "prod-2", quantity=1)
    later(minutes=121)

    reservations.remove(ALICE, "prod-2")

    assert numbers() == (10, 0, 10)
    assert not cart().is_held


# Price


def reprice(product_id: str, price_cents: int) -> None:
    version = catalogue.find(product_id).version
    products.save(product_id, version=version, price_cents=price_cents)


def test_the_price_that_was_seen_holds_while_the_hold_lasts(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=2)
    reprice(product.id, 14999)

    basket = baskets.look(ALICE)

    assert basket.total_cents == 2 * 9999
    assert basket.lines[0].notice == ""


def test_a_lower_price_counts_at_once(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=2)
    reprice(product.id, 4999)

    line = baskets.look(ALICE).lines[0]

    assert (line.price_cents, line.was_cents, line.total_cents) == (4999, 9999, 9998)
    assert line.notice


def test_more_units_of_a_held_line_cost_what_was_seen(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    reprice(product.id, 14999)

    held = reservations.reserve(ALICE, product.id, quantity=1)

    assert held.total_cents == 2 * 9999


def test_after_expiry_todays_price_counts_with_a_notice(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    reprice(product.id, 14999)
    later(minutes=121)

    line = baskets.look(ALICE).lines[0]
    renewed, notices = reservations.renew(ALICE)

    assert (line.price_cents, bool(line.notice)) == (14999, True)
    assert (renewed.total_cents, len(notices)) == (14999, 1)


def test_a_renewed_cart_is_a_new_offer(product: Product, later: Any) -> None:
    before = reservations.reserve(ALICE, product.id, quantity=1)
    later(minutes=121)

    after, _notices = reservations.renew(ALICE)

    assert after.order_id != before.order_id


# The basket


def test_the_basket_of_nobody_is_none() -> None:
    assert baskets.look(ALICE) is None


def test_the_basket_tells_the_most_that_a_line_could_have(product: Product) -> None:
    reservations.reserve(BOB, product.id, quantity=4)
    reservations.reserve(ALICE, product.id, quantity=2)

    basket = baskets.look(ALICE)

    assert basket.lines[0].most == 6
    assert (basket.units, basket.lines[0].quantity, basket.lines[0].product_id) == (2, 2, product.id)
    assert basket.lines[0].name == "Laufschuh Luchs"
    assert basket.lines[0].image_url == ""


def test_the_basket_warns_of_a_lapsed_line_that_is_sold_out(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    later(minutes=121)
    reservations.release_expired()
    reservations.reserve(BOB, product.id, quantity=10)

    line = baskets.look(ALICE).lines[0]

    assert (line.most, bool(line.notice)) == (0, True)


def test_the_basket_shows_a_line_whose_product_is_gone(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    later(minutes=121)
    reservations.release_expired()
    product.delete()

    line = baskets.look(ALICE).lines[0]

    assert (line.product, line.name, line.image_url, line.most) == (None, "Laufschuh Luchs", "", 0)
    assert line.price_cents == 9999
    assert line.notice


# Join


def test_join_moves_a_guests_cart_without_moving_stock(product: Product) -> None:
    reservations.reserve(GUEST, product.id, quantity=3)

    notices = reservations.join(GUEST, ALICE)

    assert notices == []
    assert quantities() == {product.id: 3}
    assert quantities(GUEST) == {}
    assert numbers() == (10, 3, 7)


def test_join_adds_up_what_both_hold(make_product: Any) -> None:
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=2)
    reservations.reserve(GUEST, "prod-1", quantity=3)
    reservations.reserve(GUEST, "prod-2", quantity=1)

    reservations.join(GUEST, ALICE)

    assert quantities() == {"prod-1": 5, "prod-2": 1}
    assert numbers() == (10, 5, 5)


def test_join_gives_back_what_is_past_the_limits(make_product: Any, settings: Any) -> None:
    settings.LINE_MAX_QUANTITY = 4
    settings.CART_MAX_LINES = 1
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=3)
    reservations.reserve(GUEST, "prod-1", quantity=3)
    Cart(GUEST).update([Cart.lines.set(cart(GUEST).lines)])  # A cart keeps what it has when the limits shrink.

    notices = reservations.join(GUEST, ALICE)

    assert quantities() == {"prod-1": 4}
    assert len(notices) == 1
    assert numbers() == (10, 4, 6)


def test_join_leaves_out_lines_past_the_limit(make_product: Any, settings: Any) -> None:
    settings.CART_MAX_LINES = 1
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=1)
    reservations.reserve(GUEST, "prod-2", quantity=1)

    notices = reservations.join(GUEST, ALICE)

    assert quantities() == {"prod-1": 1}
    assert len(notices) == 1
    assert numbers("prod-2") == (10, 0, 10)


def test_join_reserves_a_lapsed_cart_again_beside_a_held_one(make_product: Any, later: Any) -> None:
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=2)
    later(minutes=121)
    reservations.release_expired()
    reservations.reserve(GUEST, "prod-2", quantity=1)

    reservations.join(GUEST, ALICE)

    assert quantities() == {"prod-1": 2, "prod-2": 1}
    assert (numbers(), numbers("prod-2")) == ((10, 2, 8), (10, 1, 9))


def test_join_does_not_lose_to_a_hold_that_is_over(make_product: Any, later: Any) -> None:
    make_product(stock=5)
    reservations.reserve(ALICE, "prod-1", quantity=2)
    reservations.reserve(BOB, "prod-1", quantity=2)
    later(minutes=121)
    reservations.find(ALICE)
    reservations.reserve(GUEST, "prod-1", quantity=2)

    notices = reservations.join(GUEST, ALICE)

    assert notices == []
    assert quantities() == {"prod-1": 4}


def test_join_of_two_lapsed_carts_holds_nothing(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=2)
    reservations.reserve(GUEST, product.id, quantity=1)
    later(minutes=121)

    reservations.join(GUEST, ALICE)

    assert quantities() == {product.id: 3}
    assert numbers() == (10, 0, 10)


def test_a_hold_that_ends_during_a_join_costs_no_line_for_nothing(
    make_product: Any, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-2", quantity=1)
    later(minutes=121)
    reservations.release_expired()
    products.archive("prod-2", version=1)
    reservations.reserve(GUEST, "prod-1", quantity=1)
    read = reservations.products_in

    def slowly(*wanting: Cart) -> Any:
        later(minutes=121)
        return read(*wanting)

    monkeypatch.setattr(reservations, "products_in", slowly)
    notices = reservations.join(GUEST, ALICE)

    # What is no longer sold is left out of a cart that is held: so it must be held.
    assert [notice.product_id for notice in notices] == ["prod-2"]
    assert cart(ALICE).is_held
    assert numbers() == (10, 1, 9)


def test_join_without_a_guests_cart_changes_nothing(product: Product) -> None:
    before = reservations.reserve(ALICE, product.id, quantity=2)

    assert reservations.join(GUEST, ALICE) == []
    assert cart().version == before.version


# When others are in the way, or the answer is lost


def test_a_cart_that_others_keep_writing_ends_in_busy(product: Product, monkeypatch: Any) -> None:
    def always_in_the_way(*_: Any, **__: Any) -> None:
        raise dynamodb.Contention

    monkeypatch.setattr(carts, "rewrite", always_in_the_way)
    monkeypatch.setattr(dynamodb.time, "sleep", lambda seconds: None)

    with pytest.raises(Busy):
        reservations.reserve(ALICE, product.id, quantity=1)


@pytest.fixture
def lose_answer(monkeypatch: Any) -> Any:
    """Let the next transaction's answer get lost, after or before it was carried out."""
    leave = dynamodb.transaction.__exit__

    def lose(*, after: bool, then: Any = lambda: None) -> None:
        def leave_and_lose(self: Any, *error: Any) -> None:
            monkeypatch.setattr(dynamodb.transaction, "__exit__", leave)
            if after:
                leave(self, *error)
            then()
            raise dynamodb.OutcomeUnknown

        monkeypatch.setattr(dynamodb.transaction, "__exit__", leave_and_lose)

    return lose


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_reserves_once(product: Product, lose_answer: Any, after: bool) -> None:
    lose_answer(after=after)

    reservations.reserve(ALICE, product.id, quantity=3)

    assert numbers() == (10, 3, 7)
    assert quantities() == {product.id: 3}


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_removes_once(product: Product, lose_answer: Any, after: bool) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    lose_answer(after=after)

    reservations.remove(ALICE, product.id)

    assert numbers() == (10, 0, 10)
    assert quantities() == {}


@pytest.mark.parametrize("writes", [1, Cart.OFFERS_KEPT])
def test_a_lost_answer_is_settled_although_another_tab_wrote_meanwhile(
    product: Product, lose_answer: Any, writes: int
) -> None:
    def other_tab() -> None:
        for _ in range(writes):
            reservations.reserve(ALICE, product.id, quantity=1)

    lose_answer(after=True, then=other_tab)

    reservations.reserve(ALICE, product.id, quantity=2)

    assert numbers() == (10, 2 + writes, 8 - writes)


def test_a_lost_change_does_not_undo_what_another_tab_said_after_it(product: Product, lose_answer: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    lose_answer(after=True, then=lambda: reservations.change(ALICE, product.id, quantity=5))

    reservations.change(ALICE, product.id, quantity=3)

    assert quantities() == {product.id: 5}


def test_a_lost_removal_does_not_remove_what_another_tab_added_after_it(product: Product, lose_answer: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    lose_answer(after=True, then=lambda: reservations.reserve(ALICE, product.id, quantity=5))

    reservations.remove(ALICE, product.id)

    assert quantities() == {product.id: 5}


def test_an_answer_that_nobody_can_find_out_is_said_to_be_unsure(product: Product, lose_answer: Any) -> None:
    def other_tab() -> None:
        for _ in range(Cart.OFFERS_KEPT + 1):
            reservations.reserve(ALICE, product.id, quantity=1)

    lose_answer(after=True, then=other_tab)

    with pytest.raises(Unsure):
        reservations.reserve(ALICE, product.id, quantity=1)

    assert numbers() == (10, Cart.OFFERS_KEPT + 2, 8 - Cart.OFFERS_KEPT)


@pytest.mark.parametrize("settle", [reservations.remove, None])
def test_a_cart_that_was_emptied_behind_a_lost_answer_still_knows_what_happened(
    product: Product, lose_answer: Any, settle: Any, contact: Any
) -> None:
    def other_tab() -> None:
        if settle:
            settle(ALICE, product.id)
        else:
            checkout.place_order(ALICE, token=str(cart().order_id), contact=contact)

    lose_answer(after=True, then=other_tab)

    after = reservations.reserve(ALICE, product.id, quantity=1)

    assert after.lines == []
    assert numbers()[1] == 0


@pytest.mark.parametrize("first", [True, False])
def test_a_guests_cart_that_was_joined_behind_a_lost_answer_still_knows_what_happened(
    product: Product, lose_answer: Any, first: bool
) -> None:
    if not first:
        reservations.reserve(GUEST, product.id, quantity=1)
    lose_answer(after=True, then=lambda: reservations.join(GUEST, ALICE))

    reservations.reserve(GUEST, product.id, quantity=1)

    assert quantities(GUEST) == {}
    assert quantities() == {product.id: 1 if first else 2}


def test_a_cart_that_is_gone_behind_a_lost_answer_is_unsure(product: Product, lose_answer: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    lose_answer(after=True, then=lambda: Cart(ALICE).delete())

    with pytest.raises(Unsure):
        reservations.reserve(ALICE, product.id, quantity=1)


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_changes_to_nothing_once(product: Product, lose_answer: Any, after: bool) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    lose_answer(after=after)

    reservations.change(ALICE, product.id, quantity=0)

    assert (numbers(), quantities()) == ((10, 0, 10), {})


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_joins_once_and_tells_what_was_left_out(
    make_product: Any, lose_answer: Any, later: Any, after: bool
) -> None:
    make_product(stock=3)
    reservations.reserve(ALICE, "prod-1", quantity=2)
    later(minutes=121)
    reservations.reserve(GUEST, "prod-1", quantity=2)
    lose_answer(after=after)

    notices = reservations.join(GUEST, ALICE)

    assert (numbers(), quantities()) == ((3, 3, 0), {"prod-1": 3})
    assert [notice.product_id for notice in notices] == ["prod-1"]


def test_what_renewing_had_to_tell_is_told_although_the_answer_was_lost(
    product: Product, lose_answer: Any, later: Any
) -> None:
    reservations.reserve(ALICE, product.id, quantity=5)
    later(minutes=121)
    reservations.release_expired()
    reservations.reserve(BOB, product.id, quantity=8)
    lose_answer(after=True)

    renewed, notices = reservations.renew(ALICE)

    assert (renewed.units, len(notices)) == (2, 1)


def test_holds_are_listed_with_their_carts(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=2)

    (hold,) = stock.holds(product.id)

    assert (hold.owner_id, hold.quantity) == (ALICE, 2)
    assert hold.since <= clock.now() < hold.until


def test_a_request_that_arrives_late_reserves_once(product: Product, lose_answer: Any, monkeypatch: Any) -> None:
    """The look finds nothing, the next try is on its way, and then the first one is carried out after all."""
    late: list[Any] = []
    leave = dynamodb.transaction.__exit__

    def delay(self: Any, *error: Any) -> None:
        monkeypatch.setattr(dynamodb.transaction, "__exit__", second)
        late.append(lambda: leave(self, *error))
        raise dynamodb.OutcomeUnknown

    def second(self: Any, *error: Any) -> None:
        monkeypatch.setattr(dynamodb.transaction, "__exit__", leave)
        late.pop()()
        leave(self, *error)

    monkeypatch.setattr(dynamodb.transaction, "__exit__", delay)
    reservations.reserve(ALICE, product.id, quantity=2)

    assert numbers() == (10, 2, 8)


def test_a_refused_second_try_reserves_once(product: Product) -> None:
    refused = wire.refusing("TransactWriteItems", "ThrottlingException", retries=2)

    with refused:
        reservations.reserve(ALICE, product.id, quantity=2)

    assert numbers() == (10, 2, 8)


def test_a_lower_price_that_was_shown_stays_when_the_price_rises(product: Product) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    reprice(product.id, 4999)
    baskets.look(ALICE)
    reprice(product.id, 14999)

    assert baskets.look(ALICE).total_cents == 4999


def test_showing_a_lower_price_does_not_lengthen_the_hold(product: Product, later: Any) -> None:
    before = reservations.reserve(ALICE, product.id, quantity=1)
    reprice(product.id, 4999)
    later(minutes=30)

    assert baskets.look(ALICE).expires_at == before.expires_at


def test_join_tells_that_a_lapsed_line_has_become_dearer(make_product: Any, later: Any) -> None:
    make_product()
    make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=1)
    reprice("prod-1", 14999)
    later(minutes=121)
    reservations.reserve(GUEST, "prod-2", quantity=1)

    (notice,) = reservations.join(GUEST, ALICE)

    assert notice.product_id == "prod-1"
    assert "149,99" in notice.sentence


def test_adding_to_a_lapsed_line_tells_its_new_price(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    reprice(product.id, 14999)
    later(minutes=121)

    revived = reservations.reserve(ALICE, product.id, quantity=1)

    assert revived.total_cents == 2 * 14999
    assert [notice.product_id for notice in revived.notices] == [product.id]


def test_renew_does_not_lose_to_a_hold_that_is_over(make_product: Any, later: Any) -> None:
    make_product(stock=1)
    reservations.reserve(ALICE, "prod-1", quantity=1)
    later(minutes=121)
    reservations.release_expired()
    reservations.reserve(BOB, "prod-1", quantity=1)
    later(minutes=121)

    renewed, notices = reservations.renew(ALICE)

    assert (renewed.units, notices) == (1, [])


def test_the_shelf_does_not_count_holds_that_are_over(make_product: Any, later: Any) -> None:
    make_product(stock=1)
    reservations.reserve(BOB, "prod-1", quantity=1)
    later(minutes=121)

    assert reservations.on_shelf("prod-1").available == 1
    assert reservations.on_shelf("nothing") is None
    assert reservations.on_shelf("") is None


def test_the_shelf_takes_back_as_many_as_one_customer_may_have(make_product: Any, later: Any, settings: Any) -> None:
    settings.LINE_MAX_QUANTITY = 5
    make_product(stock=7)
    reservations.reserve(BOB, "prod-1", quantity=5)
    reservations.reserve(ALICE, "prod-1", quantity=2)
    later(minutes=121)

    assert reservations.on_shelf("prod-1").available in (5, 7)


def test_the_shelf_counts_holds_that_last(make_product: Any) -> None:
    make_product(stock=1)
    reservations.reserve(BOB, "prod-1", quantity=1)

    assert reservations.on_shelf("prod-1").available == 0


@pytest.fixture
def someone_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for expired holds finds none: somebody has released them a moment ago."""
    expired = reservations._expired

    def too_late(holding: Any) -> Any:
        for found in list(expired(holding)):
            reservations._release(found.user_id)
        return expired(holding)

    monkeypatch.setattr(reservations, "_expired", too_late)


def test_a_buyer_gets_units_that_somebody_else_has_just_released(
    make_product: Any, later: Any, someone_is_faster: None
) -> None:
    make_product(stock=2)
    reservations.reserve(BOB, "prod-1", quantity=2)
    later(minutes=121)

    reservations.reserve(ALICE, "prod-1", quantity=2)

    assert numbers() == (2, 2, 0)


def test_a_buyer_releases_no_more_expired_carts_than_they_need(make_product: Any, later: Any) -> None:
    make_product(stock=4)
    for number in range(4):
        reservations.reserve(f"guest-{number}", "prod-1", quantity=1)
    later(minutes=121)

    reservations.reserve(ALICE, "prod-1", quantity=2)

    assert numbers() == (4, 4, 0)
    assert sum(cart(f"guest-{number}").is_held for number in range(4)) == 2


def test_a_buyer_waits_for_the_release_that_is_under_way(
    make_product: Any, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_product(stock=2)
    reservations.reserve(BOB, "prod-1", quantity=2)
    later(minutes=121)
    release, calls = reservations._release, []

    def in_conflict_at_first(owner_id: str) -> bool:
        calls.append(owner_id)
        return release(owner_id) if len(calls) > 1 else False

    monkeypatch.setattr(reservations, "_release", in_conflict_at_first)

    reservations.reserve(ALICE, "prod-1", quantity=2)

    assert (numbers(), len(calls)) == ((2, 2, 0), 2)


def test_a_cart_is_renewed_with_units_that_somebody_else_has_just_released(
    make_product: Any, later: Any, someone_is_faster: None
) -> None:
    make_product(stock=2)
    reservations.reserve(ALICE, "prod-1", quantity=2)
    later(minutes=121)
    reservations.expire(cart(ALICE))
    reservations.reserve(BOB, "prod-1", quantity=2)
    later(minutes=121)

    reservations.renew(ALICE)

    assert quantities(ALICE) == {"prod-1": 2}


def test_the_shelf_shows_units_that_somebody_else_has_just_released(
    make_product: Any, later: Any, someone_is_faster: None
) -> None:
    make_product(stock=1)
    reservations.reserve(BOB, "prod-1", quantity=1)
    later(minutes=121)

    assert reservations.on_shelf("prod-1").available == 1


def test_a_product_that_goes_while_units_are_looked_for_is_sold_out(
    make_product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product(stock=1)
    reservations.reserve(BOB, "prod-1", quantity=1)

    def gone(_holding: Any) -> list[Any]:
        product.delete()
        return []

    monkeypatch.setattr(reservations, "_expired", gone)

    with pytest.raises(OutOfStock):
        reservations.reserve(ALICE, "prod-1", quantity=1)


def test_a_sweep_goes_on_past_a_cart_that_cannot_be_read(make_product: Any, later: Any) -> None:
    make_product()
    for owner in (ALICE, BOB):
        reservations.reserve(owner, "prod-1", quantity=1)
    later(minutes=121)

    with wire.losing_requests("GetItem"):
        released = reservations.release_expired()

    assert released == 1
    assert reservations.release_expired() == 1


def test_a_sweep_does_not_hide_a_mistake_of_ours(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    later(minutes=121)

    with wire.refusing("GetItem", "ValidationException"), pytest.raises(GetError):
        reservations.release_expired()


def test_the_page_is_shown_although_the_expiry_got_lost(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=1)
    later(minutes=121)

    with wire.losing_requests():
        basket = baskets.look(ALICE)

    assert basket.needs_renewal


# What each condition is there for, when somebody is faster


def test_what_is_archived_as_it_is_reserved_is_refused(product: Product) -> None:
    with (
        wire.just_before("TransactWriteItems", lambda: products.archive(product.id, version=1)),
        pytest.raises(NotForSale),
    ):
        reservations.reserve(ALICE, product.id, quantity=1)

    assert numbers() == (10, 0, 10)


def test_what_was_not_reserved_is_not_put_back(product: Product, pauses: list[float]) -> None:
    reservations.reserve(ALICE, product.id, quantity=3)
    Product(product.id).update([Product.reserved.set(2)])  # As it must never be.

    with pytest.raises(Busy):
        reservations.remove(ALICE, product.id)

    assert numbers() == (10, 2, 7)
    assert quantities() == {product.id: 3}


def test_join_takes_what_the_guest_added_as_it_was_joined(product: Product) -> None:
    reservations.reserve(GUEST, product.id, quantity=1)

    with wire.just_before("TransactWriteItems", lambda: reservations.reserve(GUEST, product.id, quantity=2)):
        reservations.join(GUEST, ALICE)

    assert quantities() == {product.id: 3}
    assert numbers() == (10, 3, 7)


def test_renew_goes_without_what_is_sold_out_as_it_is_renewed(product: Product, later: Any) -> None:
    reservations.reserve(ALICE, product.id, quantity=5)
    later(minutes=121)
    reservations.release_expired()

    with wire.just_before("TransactWriteItems", lambda: reservations.reserve(BOB, product.id, quantity=8)):
        reservations.renew(ALICE)

    assert quantities() == {product.id: 2}
    assert numbers() == (10, 10, 0)


# Whether there is any at all, as the product's item says it


def marks(product_id: str = "prod-1") -> tuple[Any, Any]:
    """Since when it is in stock, and when it last sold out or came back."""
    product = catalogue.find(product_id)
    assert product is not None
    return product.in_stock_since, product.availability_at


def test_an_ordinary_reservation_leaves_the_marks_as_they_are(product: Product, later: Callable[..., None]) -> None:
    before = marks()
    later(minutes=1)

    reservations.reserve(ALICE, product.id, quantity=9)
    reservations.change(ALICE, product.id, quantity=4)
    reservations.remove(ALICE, product.id)

    assert marks() == before
    assert before[0] == before[1] is not None


@pytest.mark.parametrize("earlier", [0, 9])
def test_the_last_unit_takes_the_mark_along(product: Product, later: Callable[..., None], earlier: int) -> None:
    if earlier:
        reservations.reserve(BOB, product.id, quantity=earlier)
    _, came = marks()
    later(minutes=1)

    reservations.reserve(ALICE, product.id, quantity=10 - earlier)

    since, sold_out = marks()
    assert since is None
    assert sold_out > came


def test_the_first_unit_that_comes_back_brings_the_mark(product: Product, later: Callable[..., None]) -> None:
    reservations.reserve(ALICE, product.id, quantity=10)
    _, sold_out = marks()
    later(minutes=1)

    reservations.change(ALICE, product.id, quantity=9)

    since, came = marks()
    assert since == came > sold_out


def test_what_a_sweep_gives_back_is_in_stock(product: Product, later: Callable[..., None]) -> None:
    reservations.reserve(ALICE, product.id, quantity=10)
    later(hours=3)

    reservations.release_expired()

    since, came = marks()
    assert since == came is not None


def test_renewing_takes_the_last_units(product: Product, later: Callable[..., None]) -> None:
    reservations.reserve(ALICE, product.id, quantity=10)
    later(hours=3)
    reservations.release_expired()

    reservations.renew(ALICE)

    assert numbers() == (10, 10, 0)
    assert marks()[0] is None


def test_adding_beside_a_lapsed_line_takes_the_last_units_of_both(
    make_product: Callable[..., Product], later: Callable[..., None]
) -> None:
    make_product(id="prod-1", stock=2), make_product(id="prod-2", stock=3)
    reservations.reserve(ALICE, "prod-1", quantity=2)
    later(hours=3)
    reservations.release_expired()

    reservations.reserve(ALICE, "prod-2", quantity=3)

    assert (marks("prod-1")[0], marks("prod-2")[0]) == (None, None)


@pytest.fixture(params=["swept", "not swept"])
def lapsed(make_product: Callable[..., Product], later: Callable[..., None], request: pytest.FixtureRequest) -> None:
    """Alice's cart with two of prod-1 for 99.99 each, whose time is up; prod-2 is there too."""
    make_product(id="prod-1"), make_product(id="prod-2")
    reservations.reserve(ALICE, "prod-1", quantity=2)
    later(hours=3)
    if request.param == "swept":
        reservations.release_expired()


def prices(owner_id: str = ALICE) -> dict[str, int]:
    found = cart(owner_id)
    return {line.product_id: line.price_cents for line in found.lines} if found else {}


@pytest.mark.usefixtures("lapsed")
def test_adding_beside_a_lapsed_line_holds_both() -> None:
    revived = reservations.reserve(ALICE, "prod-2", quantity=3)

    assert quantities() == {"prod-1": 2, "prod-2": 3}
    assert (numbers("prod-1"), numbers("prod-2")) == ((10, 2, 8), (10, 3, 7))
    assert revived.notices == []


@pytest.mark.usefixtures("lapsed")
@pytest.mark.parametrize("price_cents", [8999, 10999])
def test_adding_beside_a_lapsed_line_takes_its_price_of_today(price_cents: int) -> None:
    products.save("prod-1", version=1, by="dana", price_cents=price_cents)

    revived = reservations.reserve(ALICE, "prod-2", quantity=1)

    assert prices() == {"prod-1": price_cents, "prod-2": 9999}
    assert [notice.product_id for notice in revived.notices] == ["prod-1"]
    assert numbers("prod-1") == (10, 2, 8)


@pytest.mark.usefixtures("lapsed")
def test_adding_beside_a_lapsed_line_that_is_no_longer_sold_leaves_it_out() -> None:
    products.archive("prod-1", version=1)

    revived = reservations.reserve(ALICE, "prod-2", quantity=1)

    assert quantities() == {"prod-2": 1}
    assert [notice.product_id for notice in revived.notices] == ["prod-1"]
    assert numbers("prod-1") == (10, 0, 10)


@pytest.mark.usefixtures("lapsed")
def test_adding_beside_a_lapsed_line_never_takes_more_than_there_is() -> None:
    reservations.release_expired()
    reservations.reserve(BOB, "prod-1", quantity=9)

    reservations.reserve(ALICE, "prod-2", quantity=1)

    assert quantities() == {"prod-1": 1, "prod-2": 1}
    assert numbers("prod-1") == (10, 10, 0)


@pytest.mark.usefixtures("lapsed")
def test_adding_beside_a_lapsed_line_keeps_to_the_limits_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LINE_MAX_QUANTITY", 1)

    reservations.reserve(ALICE, "prod-2", quantity=1)

    assert quantities() == {"prod-1": 1, "prod-2": 1}
    assert numbers("prod-1") == (10, 1, 9)


def test_joining_a_held_cart_takes_the_last_units_of_a_lapsed_one(product: Product, later: Callable[..., None]) -> None:
    reservations.reserve(ALICE, product.id, quantity=4)
    later(hours=3)
    reservations.release_expired()
    reservations.reserve(GUEST, product.id, quantity=6)

    reservations.join(GUEST, ALICE)

    assert numbers() == (10, 10, 0)
    assert marks()[0] is None


def test_of_two_buyers_of_the_last_two_both_get_one_and_the_second_sells_out(make_product: Any) -> None:
    """Both read two. Whoever comes second finds the last one, and that it is the last."""
    make_product(stock=2)

    with wire.just_before("TransactWriteItems", lambda: reservations.reserve(BOB, "prod-1", quantity=1)):
        reservations.reserve(ALICE, "prod-1", quantity=1)

    assert numbers() == (2, 2, 0)
    assert marks()[0] is None


def test_who_would_have_taken_the_last_finds_that_more_have_come(product: Product) -> None:
    reservations.reserve(BOB, product.id, quantity=4)

    with wire.just_before("TransactWriteItems", lambda: reservations.change(BOB, product.id, quantity=3)):
        reservations.reserve(ALICE, product.id, quantity=6)

    assert numbers() == (10, 9, 1)
    assert marks()[0] is not None


def test_who_would_have_taken_the_last_is_told_when_somebody_else_has(make_product: Any) -> None:
    make_product(stock=1)

    with (
        wire.just_before("TransactWriteItems", lambda: reservations.reserve(BOB, "prod-1", quantity=1)),
        pytest.raises(OutOfStock) as refused,
    ):
        reservations.reserve(ALICE, "prod-1", quantity=1)

    assert refused.value.left == 0
    assert numbers() == (1, 1, 0)
    assert marks()[0] is None


def test_a_checkout_leaves_the_marks_as_they_are(product: Product, contact: checkout.Contact) -> None:
    cart = reservations.reserve(ALICE, product.id, quantity=3)
    before = marks()

    checkout.place_order(ALICE, token=str(cart.order_id), contact=contact)

    assert marks() == before

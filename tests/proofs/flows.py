"""Everything that a customer, the shopkeeper or the sweeper can do to stock, each with a small world to do it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inventory import accounts, baskets, checkout, dynamodb, errors, orders, products, reservations, stock
from inventory.models import Cart, Product
from tests.proofs.stage import CONTACT, PRICE_CENTS, Stage

HOUR = 60
Act = Callable[[Stage], object]


@dataclass(frozen=True)
class Flow:
    """Something that somebody does.

    ``steps``: what the flow may do on its way to make room; to stop after one of them is right too.
    ``may_leave_undone``: it answers although it did not get everything done, because it will be called again.
    ``may_refuse``: what it may say instead of "busy", because it was true when it looked.
    ``alone``: it works on all there is, so it shares the tables with no other run.
    """

    name: str
    prepare: Callable[[Stage], None]
    act: Act
    steps: tuple[Act, ...] = ()
    may_leave_undone: bool = False
    may_refuse: tuple[type[errors.InventoryError], ...] = ()
    alone: bool = False
    more: Callable[[Stage], list[str]] = lambda _stage: []


def _shelf(stage: Stage) -> None:
    stage.product("p1", stock=9)
    stage.product("p2", stock=9)


def _held(stage: Stage) -> None:
    _shelf(stage)
    stage.cart("alice", minutes=HOUR, p1=2)


def _two_held(stage: Stage) -> None:
    _shelf(stage)
    stage.cart("alice", minutes=HOUR, p1=2, p2=1)


def _three_held(stage: Stage) -> None:
    _shelf(stage)
    stage.product("p3", stock=2)
    stage.cart("alice", minutes=HOUR, p1=2, p2=1, p3=2)


def _lapsed(stage: Stage) -> None:
    _shelf(stage)
    stage.cart("alice", minutes=None, p1=2)


def _expired(stage: Stage) -> None:
    _shelf(stage)
    stage.cart("alice", minutes=-1, p1=2)


def _last_unit_held(stage: Stage, *, minutes: int) -> None:
    stage.product("p1", stock=1)
    stage.cart("bob", minutes=minutes, p1=1)


def _guest(stage: Stage) -> None:
    _shelf(stage)
    stage.cart("guest", minutes=HOUR, p1=2)


def _guest_and_own(stage: Stage) -> None:
    _shelf(stage)
    stage.cart("guest", minutes=HOUR, p1=2, p2=1)
    stage.cart("alice", minutes=HOUR, p1=1)


def _fallen_price(stage: Stage) -> None:
    stage.product("p1", stock=9, price_cents=PRICE_CENTS - 500)
    stage.cart("alice", minutes=HOUR, p1=2)


def _ordered(stage: Stage, *, status: str) -> None:
    _shelf(stage)
    stage.order("o1", "alice", status=status, p1=2, p2=1)


def _ordered_already(stage: Stage) -> None:
    _shelf(stage)
    stage.order("offer-alice", "alice", status="pending", p1=2, p2=1)


def _for_the_sweeper(stage: Stage) -> None:
    _shelf(stage)
    stage.cart("alice", minutes=-1, p1=2)
    stage.cart("bob", minutes=-2, p1=1, p2=1)
    stage.cart("charlie", minutes=HOUR, p2=1)


def _with_new(stage: Stage) -> None:
    _shelf(stage)
    stage.product_ids.append(stage.id("new"))


def _account(stage: Stage) -> None:
    _shelf(stage)


def _reserve(role: str, quantity: int) -> Act:
    return lambda stage: reservations.reserve(stage.id("alice"), stage.id(role), quantity=quantity)


def _change(quantity: int) -> Act:
    return lambda stage: reservations.change(stage.id("alice"), stage.id("p1"), quantity=quantity)


def _remove(stage: Stage) -> object:
    return reservations.remove(stage.id("alice"), stage.id("p1"))


def _renew(stage: Stage) -> object:
    return reservations.renew(stage.id("alice"))[0]


def _join(stage: Stage) -> object:
    return reservations.join(stage.id("guest"), stage.id("alice"))


def _look(stage: Stage) -> object:
    return baskets.look(stage.id("alice"))


def _checkout(stage: Stage) -> object:
    return checkout.place_order(stage.id("alice"), token=stage.offer("alice"), contact=CONTACT)


def _checkout_twice(stage: Stage) -> object:
    return [_checkout(stage), _checkout(stage)]


def _cancel(stage: Stage) -> object:
    order = orders.find(stage.id("o1"))
    return orders.cancel(order, by="alice@example.com") if order else None


def _ship(stage: Stage) -> object:
    order = orders.find(stage.id("o1"))
    return orders.advance(order, to="shipped", by="Dana", tracking="DHL 1") if order else None


def _adjust(by: int, reason: str) -> Act:
    return lambda stage: stock.adjust(stage.id("p1"), by=by, reason=reason, note="", who="Dana")


def _add(stage: Stage) -> object:
    return products.add(Product(stage.id("new"), name="Shoe new"), units=4, by="Dana")


def _save(stage: Stage) -> object:
    return products.save(stage.id("p1"), version=1, name="Shoe of today", price_cents=2499)


def _archive(stage: Stage) -> object:
    return products.archive(stage.id("p1"), version=1)


def _sweep(stage: Stage) -> object:
    return reservations.release_expired()


def _expire(owner: str) -> Act:
    def expire(stage: Stage) -> object:
        cart = dynamodb.get(Cart, stage.id(owner))
        return reservations.expire(cart) if cart else None

    return expire


def _make_room(stage: Stage) -> object:
    return reservations.release_expired(holding=[stage.id("p1")])


def _register(stage: Stage) -> object:
    return accounts.register(email=f"{stage.name}@example.com", password="correct horse 1", name="Alice")


def _who_is_registered(stage: Stage) -> list[str]:
    user = accounts.find_by_email(f"{stage.name}@example.com")
    return [f"registered: {user.name}, {user.role}"] if user else []


FLOWS = {
    flow.name: flow
    for flow in (
        Flow("reserve-first", _shelf, _reserve("p1", 2)),
        Flow("reserve-more", _held, _reserve("p1", 2)),
        Flow("reserve-another", _held, _reserve("p2", 1)),
        Flow("reserve-lapsed", _lapsed, _reserve("p2", 1)),
        Flow("reserve-expired", _expired, _reserve("p2", 1)),
        Flow(
            "reserve-last", lambda stage: _last_unit_held(stage, minutes=-1), _reserve("p1", 1), steps=(_make_room,)
        ),
        Flow("reserve-sold-out", lambda stage: _last_unit_held(stage, minutes=HOUR), _reserve("p1", 1)),
        Flow("change-up", _held, _change(5)),
        Flow("change-down", _held, _change(1)),
        Flow("change-to-zero", _two_held, _change(0)),
        Flow("remove-one", _two_held, _remove),
        Flow("remove-last", _held, _remove),
        Flow("extend", _held, lambda stage: reservations.extend(stage.id("alice"))),
        Flow("renew-lapsed", _lapsed, _renew),
        Flow("renew-expired", _expired, _renew),
        Flow("join-guest", _guest, _join),
        Flow("join-both", _guest_and_own, _join),
        Flow("look-fallen-price", _fallen_price, _look),
        # That its time is up is written down whatever becomes of the page.
        Flow("look-expired", _expired, _look, steps=(_expire("alice"),), may_leave_undone=True),
        Flow("checkout-one", _held, _checkout),
        Flow("checkout-three", _three_held, _checkout),
        # The second is told "busy" after the first was served: nothing was changed by the second.
        Flow("checkout-twice", _two_held, _checkout_twice, steps=(_checkout,)),
        Flow("checkout-again", _ordered_already, _checkout),
        Flow("checkout-too-late", _expired, _checkout),
        Flow("cancel", lambda stage: _ordered(stage, status="pending"), _cancel),
        Flow("ship", lambda stage: _ordered(stage, status="paid"), _ship),
        Flow("ship-too-late", lambda stage: _ordered(stage, status="pending"), _ship),
        Flow("adjust-up", _held, _adjust(3, "received")),
        Flow("adjust-down", _held, _adjust(-3, "damaged")),
        Flow("adjust-too-low", _held, _adjust(-8, "corrected")),
        Flow("product-add", _with_new, _add),
        Flow("product-save", _held, _save),
        Flow("product-archive", _held, _archive),
        Flow(
            "sweep", _for_the_sweeper, _sweep, steps=(_expire("alice"), _expire("bob")),
            may_leave_undone=True, alone=True,
        ),
        Flow("register", _account, _register, more=_who_is_registered),
    )
}  # fmt: skip

"""Everything that a customer, the shopkeeper or the sweeper can do to stock, each with a small world to do it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inventory import accounts, baskets, checkout, dynamodb, orders, products, reservations, stock
from inventory.models import Cart, Product
from tests.proofs.matrix.stage import CONTACT, PRICE_CENTS, Stage

HOUR = 60
Act = Callable[[Stage], object]


@dataclass(frozen=True)
class Flow:
    """Something that somebody does.

    ``says``: what it answers when all is well, "done" or a refusal's name.
    ``steps``: what the flow may do on its way to make room; to stop after one of them is right too.
    ``may_leave_undone``: it answers although it did not get everything done, because it will be called again.
    ``may_be_unavailable``: it reads outside of any rule, which the page for "the shop is not available" answers.
    ``alone``: it works on all there is, so it shares the tables with no other run.
    """

    name: str
    prepare: Callable[[Stage], None]
    act: Act
    says: str = "done"
    steps: tuple[Act, ...] = ()
    may_leave_undone: bool = False
    may_be_unavailable: bool = False
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


def _last_unit_expired(stage: Stage) -> None:
    stage.product("p1", stock=1)
    stage.cart("bob", minutes=-1, p1=1)


def _last_unit_held(stage: Stage) -> None:
    stage.product("p1", stock=1)
    stage.cart("bob", minutes=HOUR, p1=1)


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


def _to_pay(stage: Stage) -> None:
    _shelf(stage)
    stage.order("o1", "alice", status="pending", p1=2, p2=1)


def _to_ship(stage: Stage) -> None:
    _shelf(stage)
    stage.order("o1", "alice", status="paid", p1=2, p2=1)


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
    return reservations.release_expired(missing={stage.id("p1"): 99})


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
        Flow("reserve-last", _last_unit_expired, _reserve("p1", 1), steps=(_make_room,)),
        Flow("reserve-sold-out", _last_unit_held, _reserve("p1", 1), says="OutOfStock"),
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
        Flow("checkout-too-late", _expired, _checkout, says="HoldExpired"),
        Flow("cancel", _to_pay, _cancel, may_be_unavailable=True),
        Flow("ship", _to_ship, _ship, may_be_unavailable=True),
        Flow("ship-too-early", _to_pay, _ship, says="NotPossible", may_be_unavailable=True),
        Flow("adjust-up", _held, _adjust(3, "received")),
        Flow("adjust-down", _held, _adjust(-3, "damaged")),
        Flow("adjust-too-low", _held, _adjust(-8, "corrected"), says="StockTooLow"),
        Flow("product-add", _with_new, _add),
        Flow("product-save", _held, _save),
        Flow("product-archive", _held, _archive),
        Flow(
            "sweep", _for_the_sweeper, _sweep, steps=(_expire("alice"), _expire("bob")),
            may_leave_undone=True, may_be_unavailable=True, alone=True,
        ),
        Flow("register", _shelf, _register, more=_who_is_registered),
    )
}  # fmt: skip

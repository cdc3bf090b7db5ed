"""An order and its confirmation go together, wherever the process dies or an answer gets lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail as outbox

from ecokart import post
from inventory import checkout, clock, dynamodb, mails, reservations
from inventory.errors import InventoryError
from inventory.models import Cart, Mail, Order, Product
from tests import faults
from tests.faults import Fault, Killed, Kind, Plan

CONTACT = checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")
#: GetItem, BatchGetItem, TransactWriteItems; then UpdateItem (claim), GetItem (order), DeleteItem.
CALLS = range(1, 7)


@pytest.fixture(autouse=True)
def _no_mails() -> None:
    """What other tests left is not this test's business."""
    with Mail.batch_write() as batch:
        for one in Mail.scan():
            batch.delete(one)


@pytest.fixture
def cart(make_product: Callable[..., Product], request: pytest.FixtureRequest) -> Cart:
    return reservations.reserve(f"guest-{id(request)}", make_product().id, quantity=1)


def buy(cart: Cart) -> None:
    """What a request for a checkout does: the rule, and then the mails that it wrote."""
    with mails.collected() as ids:
        checkout.place_order(cart.user_id, token=str(cart.order_id), contact=CONTACT)
    for mail_id in ids:
        post.send(mail_id)


def buy_naively(cart: Cart) -> None:
    """Commit, then send, with nothing written down in between."""
    with mock.patch.object(mails, "write"):
        order = checkout.place_order(cart.user_id, token=str(cart.order_id), contact=CONTACT)
    dynamodb.get(Order, order.id)
    outbox.EmailMessage(f"Order {order.number}", "", to=[order.email]).send()


def sweep_later(times: int = 1) -> None:
    """As the schedule does, once nobody can still have a mail for themselves."""
    for number in range(1, times + 1):
        moment = clock.now() + number * 2 * mails.LEASE
        with mock.patch.object(clock, "now", return_value=moment):
            post.sweep()


def is_placed(cart: Cart) -> bool:
    return dynamodb.get(Order, str(cart.order_id)) is not None


def sent() -> int:
    return len(outbox.outbox)


@pytest.fixture(params=[Kind.KILLED_BEFORE, Kind.KILLED_AFTER], ids=lambda kind: str(kind.value))
def death(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


def test_whoever_only_sends_after_the_commit_loses_mails(cart: Cart) -> None:
    """If it lost none here, the tests below would prove nothing."""
    with faults.injected(Plan({4: Fault.once(Kind.KILLED_BEFORE)})), pytest.raises(Killed):
        buy_naively(cart)
    sweep_later()

    assert is_placed(cart)
    assert sent() == 0


@pytest.mark.parametrize("nth", CALLS)
def test_an_order_has_its_mail_wherever_the_process_dies(cart: Cart, nth: int, death: Kind) -> None:
    with faults.injected(Plan({nth: Fault.once(death)})) as heard, pytest.raises(Killed):
        buy(cart)
    sweep_later(times=2)

    assert heard.calls[-1].number == nth
    assert is_placed(cart) == (sent() > 0)
    # Twice only where the process died between sending and writing that down.
    assert sent() <= (2 if (nth, death) == (6, Kind.KILLED_BEFORE) else 1)
    assert len({one.extra_headers["Message-ID"] for one in outbox.outbox}) <= 1
    assert list(Mail.scan(consistent_read=True)) == []


@pytest.mark.parametrize("nth", CALLS)
@pytest.mark.parametrize(
    "kind", [Kind.REQUEST_LOST, Kind.ANSWER_LOST, Kind.ANSWER_CUT, Kind.ERROR_AFTER, Kind.THROTTLED]
)
def test_an_order_has_its_mail_whichever_answer_gets_lost(cart: Cart, nth: int, kind: Kind) -> None:
    with faults.injected(Plan({nth: Fault.always(kind)})):
        try:
            buy(cart)
        except (InventoryError, dynamodb.Contention):
            assert not is_placed(cart)
    sweep_later(times=2)

    assert is_placed(cart) == (sent() > 0)
    assert sent() <= 2
    assert list(Mail.scan(consistent_read=True)) == []


def test_a_sweep_that_dies_leaves_the_rest_to_the_next(make_product: Callable[..., Product]) -> None:
    product = make_product(stock=3)
    for number in range(3):
        cart = reservations.reserve(f"guest-{product.id}-{number}", product.id, quantity=1)
        checkout.place_order(cart.user_id, token=str(cart.order_id), contact=CONTACT)

    # Scan, then claim, order, remove for each: it dies with the second mail in its hand.
    with faults.injected(Plan({6: Fault.once(Kind.KILLED_BEFORE)})), pytest.raises(Killed):
        post.sweep()
    first = sent()
    sweep_later()

    assert (first, sent()) == (1, 3)


def test_a_mail_in_somebodys_hands_is_not_swept_meanwhile(cart: Cart) -> None:
    checkout.place_order(cart.user_id, token=str(cart.order_id), contact=CONTACT)
    (mail_id,) = mails.due()
    mails.claim(mail_id)

    with mock.patch.object(clock, "now", return_value=clock.now() + mails.LEASE - timedelta(seconds=10)):
        swept: Any = post.sweep()

    assert (swept.sent, sent()) == (0, 0)

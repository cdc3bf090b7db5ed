"""Mails that wait: written with what they tell about, tried by one at a time, put off, given up, never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import translation
from pynamodb.exceptions import UpdateError

from inventory import checkout, clock, dynamodb, mails, orders, reservations
from inventory.models import Mail, Note, Order, Product
from tests.unit import wire

Later = Callable[..., None]


def written(kind: str = "test", *, to: str = "alice@example.com", language: str = "") -> Mail:
    with mails.collected() as ids, dynamodb.transaction() as tx:
        mails.write(tx, kind, to=to, about={"order": "order-1"}, language=language)
    return stored(ids[0])


def stored(mail_id: str) -> Mail:
    found = dynamodb.get(Mail, mail_id)
    assert found is not None
    return found


def waiting() -> list[Mail]:
    return list(Mail.scan(consistent_read=True))


@pytest.fixture
def order(product: Product, contact: checkout.Contact) -> Order:
    cart = reservations.reserve("alice", product.id, quantity=1)
    return checkout.place_order("alice", token=str(cart.order_id), contact=contact)


# Written with what they tell about


def test_a_mail_says_what_about_and_to_whom():
    mail = written(language="en")

    assert (mail.kind, mail.to, mail.language, mail.about) == ("test", "alice@example.com", "en", {"order": "order-1"})
    assert mail.due_at is not None
    assert mail.tries == 0


@pytest.mark.parametrize(("asking", "spoken"), [("en", "en"), ("de", "de"), ("en-gb", "en"), (None, "de")])
def test_a_mail_speaks_the_language_of_whoever_is_asking(asking: str | None, spoken: str):
    with translation.override(asking):
        assert written().language == spoken


def test_a_transaction_that_fails_leaves_no_mail():
    Note("note#1").save()

    def fail() -> None:
        with dynamodb.transaction() as tx:
            mails.write(tx, "test", to="alice@example.com", about={})
            tx.put(Note("note#1"), condition=Note.id.does_not_exist(), otherwise=dynamodb.contended)

    with mails.collected() as ids, pytest.raises(dynamodb.Contention):
        fail()

    assert waiting() == []
    assert mails.claim(ids[0]) is None


def test_nobody_collects_where_nobody_asks():
    with dynamodb.transaction() as tx:
        mails.write(tx, "test", to="alice@example.com", about={})

    with mails.collected() as ids:
        pass

    assert ids == []
    assert len(waiting()) == 1


def test_an_order_is_confirmed_in_the_transaction_that_places_it(order: Order):
    (mail,) = waiting()

    assert (mail.kind, mail.to, mail.about) == ("order-placed", "alice@example.com", {"order": order.id})


def test_an_order_placed_twice_is_confirmed_once(product: Product, contact: checkout.Contact):
    token = str(reservations.reserve("alice", product.id, quantity=1).order_id)

    with wire.losing_answers():
        checkout.place_order("alice", token=token, contact=contact)
    checkout.place_order("alice", token=token, contact=contact)

    assert [mail.kind for mail in waiting()] == ["order-placed"]


def test_a_customer_is_told_what_becomes_of_the_order_in_their_own_language(
    product: Product, contact: checkout.Contact
):
    token = str(reservations.reserve("alice", product.id, quantity=1).order_id)
    with translation.override("en"):
        order = checkout.place_order("alice", token=token, contact=contact)

    with translation.override("de"):
        for step in ("paid", "shipped", "delivered"):
            orders.advance(order, to=step, by="dana")

    assert {(mail.kind, mail.language) for mail in waiting()} == {("order-placed", "en"), ("order-shipped", "en")}


def test_a_customer_is_told_of_a_cancelled_order(order: Order):
    orders.cancel(order, by="dana")

    assert {mail.kind for mail in waiting()} == {"order-placed", "order-cancelled"}


def test_an_order_without_an_address_is_no_reason_to_fail(order: Order):
    """The first version asked for none."""
    order.update([Order.email.set("")])

    orders.cancel(order, by="dana")

    assert {mail.kind for mail in waiting()} == {"order-placed"}


# Tried by one at a time


def test_of_two_who_try_at_once_one_has_the_mail():
    mail = written()

    claimed = [mails.claim(mail.id), mails.claim(mail.id)]

    assert [bool(one) for one in claimed] == [True, False]


def test_what_somebody_died_with_is_due_again(later: Later):
    mail = written()
    mails.claim(mail.id)
    assert mails.due() == []

    later(seconds=mails.LEASE.total_seconds() + 1)

    assert mails.due() == [mail.id]
    assert mails.claim(mail.id).tries == 2


def test_what_is_sent_is_gone():
    mail = written()

    mails.remove(mails.claim(mail.id))

    assert waiting() == []
    assert mails.claim(mail.id) is None


def test_a_claim_whose_answer_is_lost_is_left_to_the_next_sweep(later: Later):
    mail = written()

    with wire.losing_answers("UpdateItem"):
        assert mails.claim(mail.id) is None
    later(minutes=3)

    assert mails.due() == [mail.id]


def test_what_cannot_be_removed_now_comes_again(later: Later):
    """Twice is better than never."""
    mail = mails.claim(written().id)

    with wire.losing_requests("DeleteItem"):
        mails.remove(mail)
    later(minutes=3)

    assert mails.due() == [mail.id]


def test_a_mistake_of_ours_is_not_taken_for_a_database_that_is_away():
    mail = written()

    with wire.refusing("UpdateItem", "AccessDeniedException"), pytest.raises(UpdateError):
        mails.claim(mail.id)
    with wire.refusing("DeleteItem", "AccessDeniedException"), pytest.raises(Exception, match="AccessDenied"):
        mails.remove(mail)


def test_the_longest_waiting_come_first(later: Later):
    first = written()
    later(seconds=1)
    second = written()

    assert mails.due() == [first.id, second.id]


# Put off and given up


def test_the_pauses_between_tries_grow(later: Later):
    mail = written()
    pauses = []

    for _ in range(mails.TRIES - 1):
        claimed = mails.claim(mail.id)
        assert not mails.put_off(claimed)
        pause = stored(mail.id).due_at - clock.now()
        pauses.append(round(pause.total_seconds() / 60))
        later(seconds=pause.total_seconds() + 1)

    assert pauses == [1, 4, 16, 64, 256, 360, 360, 360, 360]
    assert mails.put_off(mails.claim(mail.id))


@pytest.fixture
def parked(later: Later) -> Mail:
    """A mail that was tried as often as any is."""
    mail = written()
    Mail(mail.id).update([Mail.tries.set(mails.TRIES - 1)])
    mails.put_off(mails.claim(mail.id))
    return stored(mail.id)


def test_a_mail_that_was_given_up_is_kept_but_not_tried(parked: Mail, later: Later):
    later(days=1)

    assert mails.due() == []
    assert mails.claim(parked.id) is None
    assert parked.delete_at > clock.now() + timedelta(days=28)


def test_an_operator_lets_it_begin_anew(parked: Mail):
    waits = written()

    assert mails.try_parked_again() == 1

    assert set(mails.due()) == {parked.id, waits.id}
    assert (stored(parked.id).tries, stored(parked.id).delete_at) == (0, None)


def test_whoever_lost_their_claim_puts_nothing_off(later: Later):
    slow = mails.claim(written().id)
    later(minutes=3)
    quick = mails.claim(slow.id)

    mails.put_off(slow)

    assert stored(slow.id).due_at == quick.due_at


# How long they wait


def test_the_oldest_wait_is_told(later: Later, parked: Mail):
    assert mails.oldest_wait() == timedelta(0)
    first = written()
    later(minutes=10)
    written()

    mails.put_off(mails.claim(first.id))

    assert round(mails.oldest_wait().total_seconds() / 60) == 10


def test_whoever_asks_a_database_that_is_away_is_told_so():
    for ask in (mails.due, mails.oldest_wait, mails.try_parked_again):
        with wire.losing_requests("Scan"), pytest.raises(dynamodb.Contention):
            ask()

"""An e-mail address is its account's once a mail to it is answered, at first and when it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inventory import accounts, dynamodb, passwords, verification
from inventory.errors import Busy, EmailTaken, LinkUsed, SessionEnded, WrongPassword
from inventory.models import EmailGuard, User
from tests.unit import letterbox, wire
from tests.unit.conftest import PASSWORD

NEW = "new@example.com"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)


def now(user: User) -> User:
    found = accounts.find(user.id)
    assert found is not None
    return found


def guards() -> dict[str, str]:
    return {guard.id: guard.user_id for guard in EmailGuard.scan(EmailGuard.user_id.exists())}


# At first


def test_registering_asks_whether_the_address_is_right(alice: User):
    assert now(alice).verified_at is None
    assert letterbox.waiting() == [("verify-address", alice.email)]


def test_an_operators_accounts_need_no_mail():
    user = accounts.create(email="eve@example.com", password=PASSWORD, name="Eve")

    assert now(user).verified_at is not None
    assert letterbox.waiting() == []


def test_whoever_answers_is_verified(alice: User):
    verification.verify(alice.id, alice.email)
    first = now(alice).verified_at
    verification.verify(alice.id, alice.email)

    assert first is not None
    assert now(alice).verified_at == first


@pytest.mark.parametrize("email", ["bob@example.com", "", "Alice@example.com"])
def test_a_link_is_good_for_its_own_address_only(alice: User, email: str):
    with pytest.raises(LinkUsed):
        verification.verify(alice.id, email)

    assert now(alice).verified_at is None


def test_a_link_to_an_account_that_is_gone_is_used():
    with pytest.raises(LinkUsed):
        verification.verify("nobody", "alice@example.com")


def test_the_mail_is_sent_again_until_it_is_answered(alice: User):
    verification.send_again(alice)
    verification.verify(alice.id, alice.email)
    verification.send_again(now(alice))

    assert letterbox.waiting() == [("verify-address", alice.email)] * 2


def test_a_name_that_a_stranger_chose_stands_in_nobodys_mail(alice: User):
    about = accounts.who(alice)
    verification.verify(alice.id, alice.email)

    assert about["name"] == ""
    assert accounts.who(now(alice))["name"] == "Alice"


# Another address


def test_a_new_address_counts_once_a_mail_to_it_is_answered(alice: User):
    letterbox.empty()

    verification.ask_change(alice, " New@Example.com", password=PASSWORD)
    assert (now(alice).email, now(alice).new_email) == ("alice@example.com", NEW)
    assert letterbox.waiting() == [("verify-new-address", NEW)]
    verification.change(alice.id, NEW)

    assert (now(alice).email, now(alice).new_email) == (NEW, None)
    assert now(alice).verified_at is not None
    assert guards() == {f"email#{NEW}": alice.id}
    assert ("email-changed", "alice@example.com") in letterbox.waiting()
    assert accounts.authenticate(NEW, PASSWORD).id == alice.id
    assert accounts.authenticate("alice@example.com", PASSWORD) is None


def test_the_old_address_is_free_afterwards(alice: User):
    verification.ask_change(alice, NEW, password=PASSWORD)
    verification.change(alice.id, NEW)

    assert accounts.register(email="alice@example.com", password=PASSWORD, name="Another").id != alice.id


def test_only_who_knows_the_password_asks(alice: User):
    letterbox.empty()

    with pytest.raises(WrongPassword):
        verification.ask_change(alice, NEW, password="wrong")

    assert letterbox.waiting() == []
    assert now(alice).new_email is None


def test_an_address_that_is_taken_is_asked_in_the_same_way_but_it_is_its_owner_who_hears(alice: User, bob: User):
    letterbox.empty()

    verification.ask_change(alice, bob.email, password=PASSWORD)

    assert letterbox.waiting() == [("address-taken", bob.email)]
    assert now(alice).new_email is None
    with pytest.raises(LinkUsed):
        verification.change(alice.id, bob.email)


def test_a_link_to_an_address_that_is_no_longer_wanted_is_used(alice: User):
    verification.ask_change(alice, NEW, password=PASSWORD)
    verification.ask_change(alice, "newer@example.com", password=PASSWORD)

    with pytest.raises(LinkUsed):
        verification.change(alice.id, NEW)

    assert now(alice).email == "alice@example.com"


def test_a_link_that_is_opened_again_changes_nothing(alice: User):
    verification.ask_change(alice, NEW, password=PASSWORD)
    verification.change(alice.id, NEW)
    letterbox.empty()

    assert verification.change(alice.id, NEW).id == alice.id
    assert letterbox.waiting() == []


def test_who_was_faster_keeps_the_address(alice: User, bob: User):
    for user in (alice, bob):
        verification.ask_change(user, NEW, password=PASSWORD)

    with wire.just_before("TransactWriteItems", lambda: verification.change(bob.id, NEW)), pytest.raises(EmailTaken):
        verification.change(alice.id, NEW)

    assert guards() == {"email#alice@example.com": alice.id, f"email#{NEW}": bob.id}
    assert now(alice).email == "alice@example.com"


@pytest.mark.parametrize("losing", [wire.losing_requests, wire.losing_answers])
def test_a_change_happens_once_whatever_gets_lost(alice: User, losing: Callable[[], Any]):
    verification.ask_change(alice, NEW, password=PASSWORD)
    letterbox.empty()

    with losing():
        verification.change(alice.id, NEW)

    assert guards() == {f"email#{NEW}": alice.id}
    assert letterbox.waiting() == [("email-changed", "alice@example.com")]


def test_an_account_that_vanishes_meanwhile_keeps_no_guard(alice: User):
    verification.ask_change(alice, NEW, password=PASSWORD)

    with wire.just_before("TransactWriteItems", lambda: User(alice.id).delete()), pytest.raises(LinkUsed):
        verification.change(alice.id, NEW)

    assert dynamodb.get(EmailGuard, f"email#{NEW}") is None


def test_a_change_that_never_gets_through_changes_nothing(alice: User):
    verification.ask_change(alice, NEW, password=PASSWORD)

    with wire.cancelling("TransactionConflict", times=99), pytest.raises(Busy):
        verification.change(alice.id, NEW)

    assert guards() == {"email#alice@example.com": alice.id}


def test_an_account_whose_address_changed_meanwhile_still_asks_for_another(alice: User):
    def meanwhile() -> None:
        User(alice.id).update([User.email.set("else@example.com")])

    with wire.just_before("TransactWriteItems", meanwhile):
        verification.ask_change(alice, NEW, password=PASSWORD)

    assert accounts.find(alice.id).new_email == NEW


def test_an_account_that_is_gone_asks_for_no_other_address(alice: User):
    def meanwhile() -> None:
        User(alice.id).delete()

    with wire.just_before("TransactWriteItems", meanwhile), pytest.raises(SessionEnded):
        verification.ask_change(alice, NEW, password=PASSWORD)


def test_who_is_shut_out_meanwhile_leaves_no_address_of_their_own_behind(alice: User):
    def meanwhile() -> None:
        passwords.reset(alice.id, seen=passwords.state(alice), new="seven green frogs")

    with wire.just_before("TransactWriteItems", meanwhile), pytest.raises(SessionEnded):
        verification.ask_change(alice, NEW, password=PASSWORD)

    assert accounts.find(alice.id).new_email is None

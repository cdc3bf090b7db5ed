"""A password is changed by whoever knows it, or reads its account's mail, and ends every session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inventory import accounts, passwords, sessions, verification
from inventory.errors import LinkUsed, SessionEnded, WrongPassword
from inventory.models import User
from tests.unit import letterbox, wire
from tests.unit.conftest import PASSWORD

NEW = "seven green frogs"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)


@pytest.fixture(autouse=True)
def _empty_letterbox(alice: User) -> None:
    letterbox.empty()


def now(user: User) -> User:
    found = accounts.find(user.id)
    assert found is not None
    return found


def opens(user: User, password: str) -> bool:
    return accounts.authenticate(now(user).email, password) is not None


# Changing


def test_the_new_password_opens_and_the_old_one_does_not(alice: User):
    passwords.change(alice, old=PASSWORD, new=NEW)

    assert (opens(alice, NEW), opens(alice, PASSWORD)) == (True, False)
    assert letterbox.waiting() == [("password-changed", alice.email)]


def test_a_changed_password_ends_every_session(alice: User):
    claims = sessions.begin(alice, kind="shop", device="")
    assert sessions.account(claims) is not None

    passwords.change(now(alice), old=PASSWORD, new=NEW)

    assert sessions.account(claims) is None


@pytest.mark.parametrize("old", ["", "wrong", PASSWORD.upper(), "x" * 5000])
def test_who_does_not_know_the_old_one_changes_nothing(alice: User, old: str):
    with pytest.raises(WrongPassword):
        passwords.change(alice, old=old, new=NEW)

    assert opens(alice, PASSWORD)
    assert letterbox.waiting() == []


@pytest.mark.parametrize("losing", [wire.losing_requests, wire.losing_answers])
def test_a_change_is_told_once_whatever_gets_lost(alice: User, losing: Callable[[], Any]):
    with losing():
        passwords.change(alice, old=PASSWORD, new=NEW)

    assert opens(alice, NEW)
    assert letterbox.waiting() == [("password-changed", alice.email)]


def test_of_two_who_change_it_at_once_one_is_told(alice: User):
    def meanwhile() -> None:
        passwords.change(alice, old=PASSWORD, new="another horse 2")

    with wire.just_before("TransactWriteItems", meanwhile), pytest.raises(SessionEnded):
        passwords.change(alice, old=PASSWORD, new=NEW)

    assert opens(alice, "another horse 2")


def test_who_is_logged_out_everywhere_meanwhile_changes_nothing(alice: User):
    with (
        wire.just_before("TransactWriteItems", lambda: sessions.end_all(alice.id)),
        pytest.raises(SessionEnded),
    ):
        passwords.change(alice, old=PASSWORD, new=NEW)

    assert opens(alice, PASSWORD)


def test_a_session_may_begin_with_the_changed_password_unless_all_have_ended_since(alice: User):
    changed = passwords.change(alice, old=PASSWORD, new=NEW)
    assert sessions.account(sessions.begin(changed, kind="shop", device="")) is not None

    sessions.end_all(alice.id)
    with pytest.raises(SessionEnded):
        sessions.begin(changed, kind="shop", device="")


# Forgotten


def test_a_known_address_gets_a_link(alice: User):
    passwords.ask_reset(" Alice@Example.com")

    assert letterbox.waiting() == [("reset-password", "alice@example.com")]


def test_an_unknown_address_gets_a_mail_too():
    passwords.ask_reset("Nobody@example.com")

    assert letterbox.waiting() == [("no-account", "nobody@example.com")]


def test_asking_takes_the_same_calls_for_known_and_unknown_addresses(alice: User):
    """Else the time would tell who has an account."""
    calls = []
    for email in (alice.email, "nobody@example.com"):
        with wire.heard() as heard:
            passwords.ask_reset(email)
        calls.append([operation for operation, _ in heard])

    assert calls[0] == calls[1] == ["GetItem", "GetItem", "TransactWriteItems"]


def test_a_lost_answer_asks_once(alice: User):
    with wire.losing_answers():
        passwords.ask_reset(alice.email)

    assert letterbox.waiting() == [("reset-password", alice.email)]


def test_a_link_sets_a_password_once(alice: User):
    seen = passwords.state(alice)

    passwords.reset(alice.id, seen=seen, new=NEW)
    with pytest.raises(LinkUsed):
        passwords.reset(alice.id, seen=seen, new="another horse 2")

    assert opens(alice, NEW)
    assert letterbox.waiting() == [("password-changed", alice.email)]


def test_a_reset_ends_every_session_and_shows_that_the_address_is_right(alice: User):
    claims = sessions.begin(alice, kind="shop", device="")

    passwords.reset(alice.id, seen=passwords.state(now(alice)), new=NEW)

    assert sessions.account(claims) is None
    assert now(alice).verified_at is not None


def test_an_address_that_somebody_asked_for_with_the_password_of_before_is_not_waited_for(alice: User):
    verification.ask_change(alice, "thief@example.com", password=PASSWORD)

    passwords.reset(alice.id, seen=passwords.state(now(alice)), new=NEW)

    with pytest.raises(LinkUsed):
        verification.change(alice.id, "thief@example.com")


def test_a_reset_leaves_when_an_address_was_confirmed(alice: User):
    verification.verify(alice.id, alice.email)
    before = now(alice).verified_at

    passwords.reset(alice.id, seen=passwords.state(now(alice)), new=NEW)

    assert now(alice).verified_at == before


def test_a_changed_password_ends_the_links_of_before(alice: User):
    seen = passwords.state(alice)
    passwords.change(alice, old=PASSWORD, new=NEW)

    with pytest.raises(LinkUsed):
        passwords.reset(alice.id, seen=seen, new="another horse 2")


def test_a_changed_address_ends_the_links_of_before(alice: User):
    seen = passwords.state(alice)
    verification.ask_change(alice, "new@example.com", password=PASSWORD)
    verification.change(alice.id, "new@example.com")

    with pytest.raises(LinkUsed):
        passwords.reset(alice.id, seen=seen, new=NEW)


def test_of_two_who_use_a_link_at_once_one_succeeds(alice: User):
    seen = passwords.state(alice)

    def meanwhile() -> None:
        passwords.reset(alice.id, seen=seen, new="another horse 2")

    with wire.just_before("TransactWriteItems", meanwhile), pytest.raises(LinkUsed):
        passwords.reset(alice.id, seen=seen, new=NEW)

    assert (opens(alice, NEW), opens(alice, "another horse 2")) == (False, True)


def test_a_link_to_nobody_is_used():
    with pytest.raises(LinkUsed):
        passwords.reset("nobody", seen="", new=NEW)

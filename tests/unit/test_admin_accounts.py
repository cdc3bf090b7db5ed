"""Accounts in the admin panel: found by their address, changed by another admin who has just shown who they are."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from inventory import accounts, audit, second_factor, sessions
from inventory.models import SecondFactor, User
from tests.unit.conftest import PASSWORD

FIND = "/admin/accounts/"


@pytest.fixture(autouse=True)
def _dana_is_in(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    sign_in(client, dana)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


@pytest.fixture
def alice(alice: User) -> User:
    """Her address is confirmed."""
    alice.update([User.verified_at.set(alice.created_at)])
    return alice


@pytest.fixture
def erin() -> User:
    """Another admin."""
    return accounts.create_admin(email="erin@example.com", password=PASSWORD, name="Erin")


def now(user: User) -> User:
    found = accounts.find(user.id)
    assert found is not None
    return found


def page_of(user: User) -> str:
    return f"{FIND}{user.id}/"


def offered(client: Client, user: User) -> set[str]:
    """What the page has a button for."""
    return set(re.findall(r'name="deed" value="(\w+)"', client.get(page_of(user)).text))


def do(client: Client, user: User, deed: str, **more: str) -> HttpResponse:
    """Press a button of the page as it stands now."""
    return client.post(page_of(user), {"deed": deed, "seen": str(now(user).epoch), **more})


# Finding


@pytest.mark.parametrize("typed", ["alice@example.com", " Alice@Example.com "])
def test_an_account_is_found_by_its_whole_address(client: Client, alice: User, typed: str) -> None:
    assert client.post(FIND, {"email": typed})["Location"] == page_of(alice)


def test_an_address_without_an_account_is_told_as_such(client: Client) -> None:
    answer = client.post(FIND, {"email": "nobody@example.com"})

    assert answer.status_code == 404
    assert "There is no such account." in answer.text
    assert 'value="nobody@example.com"' in answer.text


@pytest.mark.parametrize("typed", ["", "alice", "a" * 300 + "@example.com", "\x00@example.com"])
def test_what_is_no_address_is_said_so(client: Client, typed: str) -> None:
    assert client.post(FIND, {"email": typed}).status_code == 422


@pytest.mark.parametrize("account_id", ["nobody", "email%23alice@example.com", "factor%23x", "a b"])
def test_an_id_that_is_none_is_not_found(client: Client, alice: User, account_id: str) -> None:
    assert client.get(f"{FIND}{account_id}/").status_code == 404
    assert client.post(f"{FIND}{account_id}/", {"deed": "disable", "seen": "0"}).status_code == 404


# Looking


def test_its_page_says_whose_it_is_and_how_it_stands(client: Client, alice: User) -> None:
    for _ in range(2):
        sessions.begin(now(alice), kind="shop", device="")

    page = client.get(page_of(alice)).text

    assert "<dd>Alice</dd>" in page
    assert "<dd>Customer</dd>" in page
    assert "on 2 devices" in page
    assert "Not yet" not in page
    assert alice.password not in page


def test_it_is_kept_by_nobody(client: Client, alice: User) -> None:
    assert "no-store" in client.get(page_of(alice))["Cache-Control"]


def test_it_offers_what_fits(client: Client, alice: User, bob: User, erin: User) -> None:
    customer, unconfirmed, admin = (offered(client, user) for user in (alice, bob, erin))
    factor = second_factor.begin(erin.id)
    factor.update([SecondFactor.confirmed_at.set(erin.created_at)])
    accounts.disable(alice.id, by="manage.py")

    assert (customer, unconfirmed, admin) == ({"admin", "disable"}, {"disable"}, {"user", "disable"})
    assert offered(client, erin) == {"user", "reset", "disable"}
    assert offered(client, alice) == {"admin", "enable"}


def test_ones_own_account_offers_nothing(client: Client, dana: User) -> None:
    assert offered(client, dana) == set()
    assert "This is your own account." in client.get(page_of(dana)).text


# Changing


def test_a_customer_becomes_an_admin_and_a_customer_again(client: Client, alice: User) -> None:
    first = do(client, alice, "admin")
    role = now(alice).role
    second = do(client, alice, "user")

    assert (first["Location"], second["Location"]) == (page_of(alice), page_of(alice))
    assert (role, now(alice).role) == ("admin", "user")
    page = client.get(page_of(alice)).text
    assert "alice@example.com is no admin any more, and is logged out everywhere." in page


def test_an_account_is_disabled_and_opened_again(client: Client, alice: User) -> None:
    sessions.begin(alice, kind="shop", device="")

    do(client, alice, "disable")
    disabled = now(alice)
    do(client, alice, "enable")

    assert disabled.disabled_at is not None
    assert disabled.sessions == []
    assert accounts.authenticate("alice@example.com", PASSWORD) is not None


def test_a_lost_factor_is_taken_away(client: Client, erin: User) -> None:
    factor = second_factor.begin(erin.id)
    factor.update([SecondFactor.confirmed_at.set(erin.created_at)])

    assert do(client, erin, "reset").status_code == 302
    assert not second_factor.is_set_up(erin.id)


def test_the_audit_log_names_who_did_it_and_what_was_before(client: Client, alice: User) -> None:
    do(client, alice, "admin")

    entry = audit.look(target=audit.account(alice.id)).entries[0]
    assert (entry.actor, entry.what) == ("dana@example.com", "account.role")
    assert [(one.field, one.before, one.after) for one in entry.changes] == [("role", "user", "admin")]


@pytest.mark.parametrize("deed", ["user", "disable"])
def test_nobody_locks_themselves_out(client: Client, dana: User, deed: str) -> None:
    answer = do(client, dana, deed)

    assert answer.status_code == 422
    assert "Another admin has to do that, so that the shop never loses its last one." in answer.text
    assert (now(dana).role, now(dana).disabled_at) == ("admin", None)


def test_a_change_meanwhile_is_shown_first(client: Client, alice: User) -> None:
    accounts.disable(alice.id, by="manage.py")

    answer = do(client, alice, "admin", seen="0")

    assert answer.status_code == 409
    assert "This account has changed since you opened the page." in answer.text
    assert 'name="seen" value="1"' in answer.text
    assert now(alice).role == "user"


def test_an_address_that_nobody_confirmed_becomes_no_admins(client: Client, bob: User) -> None:
    answer = do(client, bob, "admin")

    assert answer.status_code == 409
    assert "Nobody has confirmed this e-mail address yet" in answer.text
    assert now(bob).role == "user"


@pytest.mark.parametrize(
    "sent", [{"deed": ""}, {"deed": "delete"}, {"deed": "admin\x00"}, {"seen": ""}, {"seen": "x"}, {"seen": "-1"}]
)
def test_a_step_that_there_is_not_is_refused(client: Client, alice: User, sent: dict[str, str]) -> None:
    answer = client.post(page_of(alice), {"deed": "admin", "seen": "0", **sent})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert now(alice).role == "user"


# Is it still you?


@pytest.mark.parametrize("deed", ["admin", "user", "disable", "enable", "reset"])
def test_a_quarter_of_an_hour_later_every_step_needs_a_confirmation(
    client: Client, alice: User, later: Callable[..., None], deed: str
) -> None:
    later(minutes=20)
    before = now(alice)

    between = do(client, alice, deed)

    assert between.status_code == 403
    assert f'<input type="hidden" name="deed" value="{deed}">' in between.text
    assert now(alice).attribute_values == before.attribute_values


def test_the_password_goes_on_with_what_was_pressed(
    client: Client, alice: User, later: Callable[..., None], settings: Settings
) -> None:
    settings.ADMIN_SECOND_FACTOR = False
    later(minutes=20)

    wrong = do(client, alice, "admin", confirm_password="wrong horse 2")
    right = do(client, alice, "admin", confirm_password=PASSWORD)

    assert (wrong.status_code, right.status_code) == (422, 302)
    assert now(alice).role == "admin"

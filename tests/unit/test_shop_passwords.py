"""Changing a password, and choosing a new one with the link of a mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from inventory import accounts, passwords
from inventory.models import User
from tests.unit import letterbox, wire
from tests.unit.conftest import PASSWORD

NEW = "seven green frogs"
TWICE = {"password": NEW, "password_again": NEW}


@pytest.fixture
def customer(client: Client, alice: User, sign_in: Any) -> Client:
    sign_in(client, alice)
    letterbox.empty()
    return client


def opens(password: str) -> bool:
    return accounts.authenticate("alice@example.com", password) is not None


# Changing


def test_a_password_that_is_changed_elsewhere_in_this_moment_is_not_changed_here(customer: Client, alice: User) -> None:
    def meanwhile() -> None:
        passwords.change(alice, old=PASSWORD, new="nine blue frogs")

    with wire.just_before("TransactWriteItems", meanwhile):
        answer = customer.post("/account/password/", {"old": PASSWORD, **TWICE}, follow=True)

    assert "in diesem Moment abgemeldet" in answer.content.decode()
    assert opens("nine blue frogs")


def test_a_changed_password_keeps_this_device_and_logs_out_the_others(
    customer: Client, alice: User, sign_in: Any
) -> None:
    elsewhere = Client()
    sign_in(elsewhere, accounts.find(alice.id))

    answer = customer.post("/account/password/", {"old": PASSWORD, **TWICE})

    assert answer["Location"] == "/account/"
    assert opens(NEW)
    assert customer.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert letterbox.subjects(alice.email) == ["Ihr Passwort wurde geändert"]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"old": "wrong"}, "old"),
        ({"old": ""}, "old"),
        ({"old": "x" * 5000}, "old"),
        ({"password": "short", "password_again": "short"}, "password"),
        ({"password": "password123", "password_again": "password123"}, "password"),
        ({"password_again": "something else"}, "password_again"),
    ],
)
def test_a_wrong_field_changes_nothing(customer: Client, changes: dict[str, str], wrong: str) -> None:
    answer = customer.post("/account/password/", {"old": PASSWORD, **TWICE, **changes})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [wrong]
    assert opens(PASSWORD)
    assert NEW not in answer.content.decode()


# Forgotten


def test_known_and_unknown_addresses_get_the_same_answer(alice: User) -> None:
    letterbox.empty()
    answers = []
    for email in ("alice@example.com", "nobody@example.com"):
        client = Client()
        answer = client.post("/account/password/forgotten/", {"email": email})
        messages = [str(one).replace(email, "…") for one in client.get(answer["Location"]).context["messages"]]
        answers.append((answer.status_code, answer["Location"], sorted(client.cookies), messages))

    assert answers[0] == answers[1]
    assert letterbox.subjects("alice@example.com") == ["Wählen Sie ein neues Passwort"]
    assert letterbox.subjects("nobody@example.com") == ["Ihr Passwort bei Ecokart"]


@pytest.mark.parametrize("email", ["", "alice", "a@example.com\nBcc: b@example.com", "x" * 300 + "@example.com"])
def test_what_is_no_address_comes_back(client: Client, email: str) -> None:
    answer = client.post("/account/password/forgotten/", {"email": email})

    assert answer.status_code == 422
    assert letterbox.waiting() == []


@pytest.fixture
def key(client: Client, alice: User) -> str:
    client.post("/account/password/forgotten/", {"email": "alice@example.com"})
    key: str = client.get(letterbox.link("alice@example.com")).context["key"]
    return key


def test_the_link_of_the_mail_sets_a_password_once(client: Client, alice: User, key: str) -> None:
    answer = client.post("/account/password/reset/", {"key": key, **TWICE})
    again = client.post(
        "/account/password/reset/", {"key": key, "password": "another 12", "password_again": "another 12"}
    )

    assert answer["Location"] == "/account/login/"
    assert again.status_code == 410
    assert client.get("/account/password/reset/", {"key": key}).status_code == 410
    assert opens(NEW)


def test_a_reset_logs_out_everywhere(client: Client, alice: User, key: str, sign_in: Any) -> None:
    elsewhere = Client()
    sign_in(elsewhere, alice)

    client.post("/account/password/reset/", {"key": key, **TWICE})

    assert elsewhere.get("/account/").status_code == 302


def test_a_wrong_field_leaves_the_link_good(client: Client, key: str) -> None:
    wrong = client.post("/account/password/reset/", {"key": key, "password": "short", "password_again": "short"})
    right = client.post("/account/password/reset/", {"key": wrong.context["key"], **TWICE})

    assert (wrong.status_code, right.status_code) == (422, 302)


@pytest.mark.parametrize(("minutes", "status"), [(59, 302), (61, 410)])
def test_a_link_is_good_for_an_hour(
    client: Client, key: str, later: Callable[..., None], minutes: int, status: int
) -> None:
    later(minutes=minutes)

    assert client.post("/account/password/reset/", {"key": key, **TWICE}).status_code == status
    assert opens(NEW) == (status == 302)


def test_a_link_does_not_leak_to_other_sites(client: Client, key: str) -> None:
    page = client.get("/account/password/reset/", {"key": key})

    assert page["Referrer-Policy"] == "same-origin"
    assert "no-store" in page["Cache-Control"]


def test_the_log_in_page_leads_there(client: Client) -> None:
    assert 'href="/account/password/forgotten/"' in client.get("/account/login/").content.decode()

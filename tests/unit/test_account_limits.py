"""The account's own pages are no way around the limits: guesses at a password, and mails that a stranger causes."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from inventory import accounts, limits
from inventory.models import User
from tests.unit import letterbox
from tests.unit.conftest import PASSWORD

NEW = {"password": "seven green frogs", "password_again": "seven green frogs"}
FORMS = {
    "/account/password/": NEW,
    "/account/email/": {"email": "new@example.com"},
    "/account/delete/": {},
}
GUESSES = limits.PASSWORDS.free


@pytest.fixture(autouse=True)
def _limited(settings: Settings) -> None:
    settings.LIMITS, settings.REQUEST_LIMIT = True, 0


@pytest.fixture
def customer(client: Client, alice: User, sign_in: Any) -> Client:
    sign_in(client, alice)
    letterbox.empty()
    return client


def post(client: Client, page: str, old: str) -> HttpResponse:
    return client.post(page, {**FORMS[page], "old": old})


@pytest.mark.parametrize("page", FORMS)
def test_a_password_is_guessed_no_more_often_than_at_the_log_in(customer: Client, alice: User, page: str) -> None:
    """Whoever finds a browser that is logged in does not find out the password with it."""
    answers = [post(customer, page, f"guess {number}").status_code for number in range(GUESSES)]
    right = post(customer, page, PASSWORD)

    assert answers == [422] * GUESSES
    assert right.status_code == 429
    assert accounts.authenticate("alice@example.com", PASSWORD) is not None


def test_guesses_at_one_page_count_at_all(customer: Client) -> None:
    for page in [*FORMS, *FORMS][:GUESSES]:
        post(customer, page, "guess")

    assert post(customer, "/account/password/", PASSWORD).status_code == 429


def test_who_was_right_has_all_their_tries_again(customer: Client, alice: User) -> None:
    for number in range(GUESSES - 1):
        post(customer, "/account/email/", f"guess {number}")

    assert post(customer, "/account/email/", PASSWORD).status_code == 302
    assert post(customer, "/account/email/", "a slip").status_code == 422


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
def test_nobody_is_buried_in_mails_about_a_forgotten_password(client: Client, alice: User, email: str) -> None:
    letterbox.empty()

    answers = [client.post("/account/password/forgotten/", {"email": email}) for _ in range(limits.MAILS.most + 2)]

    assert {answer.status_code for answer in answers} == {302}
    assert len(letterbox.subjects(email)) == limits.MAILS.most


def test_nobody_is_buried_in_mails_by_registering(client: Client, alice: User) -> None:
    letterbox.empty()
    form = {"name": "Eve", "email": "alice@example.com", **NEW}

    answers = [client.post("/account/register/", form).status_code for _ in range(limits.MAILS.most + 2)]

    assert set(answers) == {302}
    assert len(letterbox.subjects("alice@example.com")) == limits.MAILS.most


def test_nobody_is_buried_in_mails_by_a_change_of_address(customer: Client) -> None:
    for _ in range(limits.MAILS.most + 2):
        answer = customer.post("/account/email/", {"email": "bob@example.com", "old": PASSWORD})
        assert answer.status_code == 302

    assert len(letterbox.subjects("bob@example.com")) == limits.MAILS.most


def test_a_customer_is_not_buried_in_mails_to_be_confirmed(customer: Client, alice: User) -> None:
    for _ in range(limits.MAILS.most + 2):
        customer.post("/account/verify/again/")

    assert len(letterbox.subjects(alice.email)) == limits.MAILS.most


def test_one_address_registers_and_asks_only_so_often(client: Client) -> None:
    asked = [
        client.post("/account/password/forgotten/", {"email": f"nobody-{number}@example.com"}).status_code
        for number in range(limits.RESETS.most + 1)
    ]

    assert asked == [302] * limits.RESETS.most + [429]

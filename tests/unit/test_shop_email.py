"""Another e-mail address."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inventory import accounts
from inventory.models import User
from tests.unit import letterbox
from tests.unit.conftest import PASSWORD

NEW = "new@example.com"


@pytest.fixture
def customer(client: Client, alice: User, sign_in: Any) -> Client:
    sign_in(client, alice)
    letterbox.empty()
    return client


def test_the_link_to_the_new_address_changes_it_and_the_old_one_is_told(customer: Client, alice: User) -> None:
    asked = customer.post("/account/email/", {"email": NEW, "old": PASSWORD})
    account = customer.get("/account/").content.decode()
    shown = Client().get(letterbox.link(NEW))
    unchanged = accounts.find_by_email(NEW)
    answer = Client().post("/account/email/confirm/", {"key": shown.context["key"]})

    assert asked["Location"] == "/account/"
    assert NEW in account
    assert unchanged is None
    assert answer["Location"] == "/account/"
    assert accounts.find_by_email(NEW).id == alice.id  # type: ignore[union-attr]
    assert letterbox.subjects("alice@example.com") == ["Ihre E-Mail-Adresse wurde geändert"]


def test_a_taken_address_gets_the_same_answer(customer: Client, bob: User) -> None:
    letterbox.empty()
    answers = []
    for email in (bob.email, NEW):
        answer = customer.post("/account/email/", {"email": email, "old": PASSWORD})
        said = [str(one).replace(email, "…") for one in customer.get(answer["Location"]).context["messages"]]
        answers.append((answer.status_code, answer["Location"], said))

    assert answers[0] == answers[1]
    assert letterbox.subjects(bob.email) == ["Sie haben schon ein Konto bei uns"]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [({"email": "new"}, "email"), ({"email": ""}, "email"), ({"old": "wrong"}, "old"), ({"old": ""}, "old")],
)
def test_a_wrong_field_asks_nobody(customer: Client, changes: dict[str, str], wrong: str) -> None:
    answer = customer.post("/account/email/", {"email": NEW, "old": PASSWORD, **changes})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [wrong]
    assert letterbox.waiting() == []


def test_who_is_too_late_is_told_so(customer: Client, alice: User) -> None:
    customer.post("/account/email/", {"email": NEW, "old": PASSWORD})
    key = customer.get(letterbox.link(NEW)).context["key"]
    accounts.register(email=NEW, password=PASSWORD, name="Faster")

    answer = customer.post("/account/email/confirm/", {"key": key})

    assert answer.status_code == 410
    assert accounts.find(alice.id).email == "alice@example.com"  # type: ignore[union-attr]

"""Opening an account, which tells strangers nothing, and confirming its address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client

from inventory import accounts, verification
from inventory.errors import Unsure
from inventory.models import User
from shop import mail_keys
from tests.unit import letterbox, wire
from tests.unit.conftest import PASSWORD

NEW = {
    "name": "Charlie",
    "email": "charlie@example.com",
    "password": "seven green frogs",
    "password_again": "seven green frogs",
}


def register(client: Client, **changes: str) -> HttpResponse:
    return client.post("/account/register/", {**NEW, **changes})


def is_verified(email: str) -> bool:
    user = accounts.find_by_email(email)
    assert user is not None
    return user.verified_at is not None


def test_registering_opens_an_account_that_can_log_in_and_asks_for_its_address(client: Client) -> None:
    answer = register(client)
    page = client.get(answer["Location"]).content.decode()

    assert accounts.authenticate("charlie@example.com", "seven green frogs") is not None
    assert answer["Location"] == "/account/login/"
    assert "Wir haben eine Mail an charlie@example.com geschickt." in page
    assert letterbox.subjects("charlie@example.com") == ["Bitte bestätigen Sie Ihre E-Mail-Adresse"]
    assert "account_id" not in client.session


def test_a_taken_address_gets_the_same_answer_and_only_its_owner_hears(alice: User) -> None:
    letterbox.empty()
    answers = []
    for email in ("alice@example.com", "frida@example.com"):
        client = Client()
        answer = register(client, email=email, name="Stranger")
        page = client.get(answer["Location"]).content.decode()
        answers.append((answer.status_code, answer["Location"], sorted(client.cookies), page.replace(email, "…")))

    without_tokens = [(*answer[:3], _without_token(answer[3])) for answer in answers]
    assert without_tokens[0] == without_tokens[1]
    assert letterbox.subjects("alice@example.com") == ["Sie haben schon ein Konto bei uns"]
    assert accounts.authenticate("alice@example.com", NEW["password"]) is None


def _without_token(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if "csrfmiddlewaretoken" not in line)


def test_the_owner_is_led_to_log_in_and_not_greeted_by_a_strangers_words(client: Client, alice: User) -> None:
    letterbox.empty()

    register(client, email="alice@example.com", name="Buy at evil.example")

    assert letterbox.link("alice@example.com") == "/account/login/"
    assert "evil" not in mail.outbox[0].body


def test_the_way_goes_on_after_log_in(client: Client) -> None:
    assert register(client, next="/checkout/")["Location"] == "/account/login/?next=%2Fcheckout%2F"
    assert register(client, next="https://evil.example/")["Location"] == "/account/login/"


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("name", "", "name"),
        ("email", "charlie", "email"),
        ("email", "", "email"),
        ("email", "a@example.com\nBcc: b@example.com", "email"),
        ("password", "short", "password"),
        ("password", "password123", "password"),
        ("password", "Ecokart-2026", "password"),
        ("password", "webshop webshop 1", "password"),
        ("password", "x" * 129, "password"),
        ("password_again", "something else", "password_again"),
    ],
)
def test_a_wrong_field_comes_back(client: Client, field: str, value: str, wrong: str) -> None:
    answer = register(client, **{field: value})

    assert answer.status_code == 422
    assert wrong in answer.context["form"].errors
    assert "seven green frogs" not in answer.content.decode()
    assert accounts.find_by_email("charlie@example.com") is None


def test_a_registration_whose_answers_get_lost_is_no_error_page(client: Client, pauses: list[float]) -> None:
    with wire.losing_requests(times=99):
        answer = register(client)

    assert answer.status_code == 503
    assert Unsure().sentence in answer.content.decode()


# Confirming


def test_the_link_of_the_mail_confirms_with_a_button(client: Client) -> None:
    register(client)
    link = letterbox.link("charlie@example.com")

    shown = client.get(link)
    before = is_verified("charlie@example.com")
    answer = client.post("/account/verify/", {"key": shown.context["key"]})

    assert shown.status_code == 200
    assert (before, is_verified("charlie@example.com")) == (False, True)
    assert answer["Location"] == "/account/"


def test_a_link_may_be_opened_again(client: Client, alice: User) -> None:
    key = mail_keys.make("verify", alice.id, alice.email)

    answers = [client.post("/account/verify/", {"key": key}).status_code for _ in range(2)]

    assert answers == [302, 302]


@pytest.mark.parametrize("age", ["later", "other purpose", "forged", "empty", "somebody else's"])
def test_any_other_link_confirms_nothing(client: Client, alice: User, later: Callable[..., None], age: str) -> None:
    key = mail_keys.make("reset" if age == "other purpose" else "verify", alice.id, alice.email)
    key = {"forged": key[:-2] + "xx", "empty": ""}.get(age, key)
    if age == "later":
        later(hours=25)
    if age == "somebody else's":
        alice.update([User.email.set("else@example.com")])

    assert client.post("/account/verify/", {"key": key}).status_code == 410
    assert accounts.find(alice.id).verified_at is None  # type: ignore[union-attr]


@pytest.mark.parametrize("key", ["", "x", "ä:ö", "WyJhIl0:1:x", "a" * 5000, "\x00"])
@pytest.mark.parametrize("page", ["/account/verify/", "/account/email/confirm/", "/account/password/reset/"])
def test_a_strange_key_is_a_link_that_is_no_longer_good(client: Client, page: str, key: str) -> None:
    form = {"key": key, "password": "seven green frogs", "password_again": "seven green frogs"}

    assert client.get(page, {"key": key}).status_code == 410
    assert client.post(page, form).status_code == 410


@pytest.mark.parametrize("parts", [("one",), ("one", "two", "three")])
def test_a_key_about_something_else_is_none(parts: tuple[str, ...]) -> None:
    assert mail_keys.read("verify", mail_keys.make("verify", *parts)) is None


def test_the_account_tells_that_its_address_is_not_confirmed(client: Client, alice: User, sign_in: Any) -> None:
    sign_in(client, alice)
    letterbox.empty()

    before = client.get("/account/").content.decode()
    answer = client.post("/account/verify/again/")
    verification.verify(alice.id, alice.email)
    after = client.get("/account/").content.decode()

    assert "ist noch nicht bestätigt" in before
    assert "ist noch nicht bestätigt" not in after
    assert answer["Location"] == "/account/"
    assert letterbox.link(alice.email).startswith("/account/verify/?key=")


def test_an_account_that_is_not_confirmed_can_shop(client: Client, alice: User) -> None:
    answer = client.post("/account/login/", {"email": alice.email, "password": PASSWORD})

    assert answer["Location"] == "/account/"

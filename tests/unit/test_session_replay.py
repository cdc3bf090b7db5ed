"""A cookie of a session that has ended, sent again: a hundred times after each way to end, and never let in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as real_settings
from django.test import Client
from pytest_django.fixtures import Settings

from inventory import accounts, baskets, dynamodb, orders, passwords, reservations, sessions
from inventory.checkout import Contact, place_order
from inventory.models import Cart, Product, User
from tests.unit.conftest import PASSWORD

REPLAYS = 100


class Stolen:
    """Somebody who has copied a cookie."""

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie

    def client(self) -> Client:
        client = Client()
        client.cookies[real_settings.SESSION_COOKIE_NAME] = self.cookie
        return client

    def times_let_in(self, address: str = "/account/", *, tries: int = REPLAYS) -> int:
        """How often the page opens, of so many tries with the old cookie."""
        return sum(self.client().get(address).status_code == 200 for _ in range(tries))


@pytest.fixture
def victim(client: Client, alice: User) -> Client:
    client.post("/account/login/", {"email": alice.email, "password": PASSWORD})
    return client


@pytest.fixture
def thief(victim: Client) -> Stolen:
    return Stolen(victim.cookies[real_settings.SESSION_COOKIE_NAME].value)


def log_out(victim: Client, alice: User) -> None:
    victim.post("/account/logout/")


def log_out_everywhere(victim: Client, alice: User) -> None:
    victim.post("/account/sessions/end-all/")


def end_from_another_device(victim: Client, alice: User) -> None:
    other = Client()
    other.post("/account/login/", {"email": alice.email, "password": PASSWORD})
    other.post("/account/sessions/end/", {"session": victim.session["sid"]})


def get_a_new_password(victim: Client, alice: User) -> None:
    passwords.change(alice, old=PASSWORD, new="seven green frogs")


def get_disabled(victim: Client, alice: User) -> None:
    accounts.disable(alice.id, by="test")


def get_a_new_role(victim: Client, alice: User) -> None:
    accounts.change_role(alice.id, role="admin", by="test")


WAYS = [log_out, log_out_everywhere, end_from_another_device, get_a_new_password, get_disabled, get_a_new_role]


@pytest.mark.parametrize("end", WAYS)
def test_a_copied_cookie_is_worthless_once_its_session_has_ended(
    victim: Client, thief: Stolen, alice: User, end: Callable[[Client, User], None]
) -> None:
    before = thief.times_let_in(tries=1)

    end(victim, alice)

    assert (before, thief.times_let_in()) == (1, 0)


@pytest.mark.parametrize("end", WAYS)
def test_a_shop_that_believes_its_cookies_would_let_it_in(
    victim: Client, thief: Stolen, alice: User, end: Callable[[Client, User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the look at what the account says, each of these cookies is good for seven days."""

    def believe(user: User, claims: sessions.Claims) -> Any:
        return sessions.Session(sid=claims["sid"], since=user.created_at, seen=sessions.clock.now())

    end(victim, alice)
    monkeypatch.setattr(sessions, "find", believe)

    assert thief.times_let_in(tries=3) == 3


def test_a_key_that_is_replaced_ends_all_sessions(thief: Stolen, settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 5, []

    assert thief.times_let_in() == 0


def test_a_key_that_is_kept_as_a_fallback_lets_sessions_live_on(thief: Stolen, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key " * 5

    assert thief.times_let_in() == REPLAYS


def test_a_demoted_admins_cookie_opens_no_page_of_the_panel(
    client: Client, dana: User, sign_in: Callable[[Client, User], None]
) -> None:
    sign_in(client, dana)
    thief = Stolen(client.cookies[real_settings.SESSION_COOKIE_NAME].value)
    before = thief.times_let_in("/admin/", tries=1)

    accounts.change_role(dana.id, role="user", by="test")

    assert (before, thief.times_let_in("/admin/")) == (1, 0)


def test_an_admin_who_logs_out_of_the_panel_leaves_nothing_behind(
    client: Client, dana: User, sign_in: Callable[[Client, User], None]
) -> None:
    sign_in(client, dana)
    thief = Stolen(client.cookies[real_settings.SESSION_COOKIE_NAME].value)

    client.post("/admin/logout/")

    assert thief.times_let_in("/admin/") == thief.times_let_in("/account/") == 0


def test_a_log_in_as_somebody_else_ends_the_session_before(victim: Client, thief: Stolen, dana: User) -> None:
    victim.post("/admin/login/", {"email": dana.email, "password": PASSWORD})

    assert victim.get("/account/").context["request"].account.email == dana.email
    assert thief.times_let_in() == 0


# What an ended session does not reach


@pytest.fixture
def ended(victim: Client, thief: Stolen, alice: User, product: Product) -> Client:
    """With the cookie of an ended session of Alice's, who has two units in her cart."""
    reservations.reserve(alice.id, product.id, quantity=2)
    sessions.end_all(alice.id)
    return thief.client()


def test_an_ended_session_neither_shows_nor_changes_the_accounts_cart(
    ended: Client, alice: User, product: Product
) -> None:
    ended.post("/cart/add/", {"product_id": product.id, "quantity": 1})
    ended.post("/cart/update/", {"product_id": product.id, "quantity": 3})

    assert ended.session["guest_id"].startswith("guest-")
    assert ended.get("/cart/").context["basket"].units == 3
    assert baskets.look(alice.id).units == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("address", ["/cart/remove/", "/cart/extend/", "/cart/reserve/"])
def test_an_ended_session_has_no_cart_to_change(ended: Client, alice: User, product: Product, address: str) -> None:
    before = dynamodb.get(Cart, alice.id).version

    answer = ended.post(address, {"product_id": product.id})

    assert answer["Location"] == "/cart/"
    assert dynamodb.get(Cart, alice.id).version == before


def test_an_ended_session_buys_nothing(ended: Client, alice: User, contact: Contact) -> None:
    token = baskets.look(alice.id).token  # type: ignore[union-attr]

    page = ended.get("/checkout/")
    answer = ended.post("/checkout/", {**contact.__dict__, "checkout_token": token})

    assert page["Location"] == answer["Location"] == "/cart/"
    assert orders.list_for(alice.id) == []


def test_an_ended_session_reads_no_orders(ended: Client, alice: User, contact: Contact) -> None:
    order = place_order(alice.id, token=baskets.look(alice.id).token, contact=contact)  # type: ignore[union-attr]

    assert ended.get(f"/orders/{order.id}/").status_code == 404
    assert ended.post(f"/orders/{order.id}/cancel/").status_code == 404
    assert order.number not in ended.get("/orders/").text


def test_the_first_request_that_notices_takes_the_cookie_away(ended: Client) -> None:
    ended.get("/cart/")

    assert ended.cookies[real_settings.SESSION_COOKIE_NAME]["max-age"] == 0
    assert "Mein Konto" not in header(ended)


def test_a_page_of_the_catalogue_believes_the_cookie_until_then_and_shows_nothing_of_the_account(
    ended: Client, alice: User
) -> None:
    assert "Mein Konto" in header(ended)
    assert alice.name not in ended.get("/").text
    assert alice.email not in ended.get("/").text


def header(client: Client) -> str:
    """The part of a catalogue page that says whether one is logged in."""
    return client.get("/").text.partition("</header>")[0]

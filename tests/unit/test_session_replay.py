"""A cookie that somebody has copied: what lets it live on, and what an ended one reaches.

That it is never let in again, a hundred times after each way to end, is ``tests/attacks/groups/session_replay.py``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings as real_settings
from django.test import Client
from pytest_django.fixtures import Settings

from inventory import baskets, dynamodb, orders, reservations, sessions
from inventory.checkout import Contact, place_order
from inventory.models import Cart, Product, User
from tests.unit.conftest import PASSWORD


class Stolen:
    """Somebody who has copied a cookie."""

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie

    def client(self) -> Client:
        client = Client()
        client.cookies[real_settings.SESSION_COOKIE_NAME] = self.cookie
        return client

    def is_let_in(self, address: str = "/account/") -> bool:
        """Whether the page opens with the old cookie."""
        return self.client().get(address).status_code == 200


@pytest.fixture
def victim(client: Client, alice: User) -> Client:
    client.post("/account/login/", {"email": alice.email, "password": PASSWORD})
    return client


@pytest.fixture
def thief(victim: Client) -> Stolen:
    return Stolen(victim.cookies[real_settings.SESSION_COOKIE_NAME].value)


def test_a_key_that_is_kept_as_a_fallback_lets_sessions_live_on(thief: Stolen, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key " * 5

    assert thief.is_let_in()


def test_an_admin_who_logs_out_of_the_panel_leaves_nothing_behind(
    client: Client, dana: User, sign_in: Callable[[Client, User], None]
) -> None:
    sign_in(client, dana)
    thief = Stolen(client.cookies[real_settings.SESSION_COOKIE_NAME].value)

    client.post("/admin/logout/")

    assert not thief.is_let_in("/admin/")
    assert not thief.is_let_in("/account/")


def test_a_log_in_as_somebody_else_ends_the_session_before(victim: Client, thief: Stolen, dana: User) -> None:
    victim.post("/admin/login/", {"email": dana.email, "password": PASSWORD})

    assert victim.get("/account/").context["request"].account.email == dana.email
    assert not thief.is_let_in()


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

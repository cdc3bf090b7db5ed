"""The admin panel's own door: who comes in, who does not, and where they go from there."""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import pytest
from django.conf import settings as real_settings
from django.test import Client
from pytest_django.fixtures import Settings

from inventory import accounts, baskets
from inventory.errors import Busy, SessionEnded
from inventory.models import Product, User

PASSWORD = "correct horse 1"
LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def _english(client: Client) -> None:
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def log_in(client: Client, user: User, *, password: str = PASSWORD, **more: str) -> object:
    return client.post(LOGIN, {"email": user.email, "password": password, **more})


def test_an_admin_logs_in_and_sees_the_dashboard(client: Client, dana: User, settings: Settings) -> None:
    settings.ADMIN_SECOND_FACTOR = False
    answer = log_in(client, dana)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.session["account_id"] == dana.id
    assert client.get("/admin/").status_code == 200


def test_a_stranger_is_sent_to_the_log_in_and_comes_back(client: Client, dana: User) -> None:
    asked = client.get("/admin/products/?status=draft")

    assert asked["Location"] == "/admin/login/?next=%2Fadmin%2Fproducts%2F%3Fstatus%3Ddraft"
    page = client.get(asked["Location"])
    assert 'name="next" value="/admin/products/?status=draft"' in page.text
    assert log_in(client, dana, next="/admin/products/?status=draft")["Location"] == "/admin/products/?status=draft"


def test_whoever_sent_a_form_after_the_session_ended_comes_back_to_its_page(client: Client) -> None:
    step = "/admin/orders/o-1/status/"

    answer = client.post(step, {"status": "paid"}, headers={"referer": "http://testserver/admin/orders/o-1/"})
    without = client.post(step, {"status": "paid"})
    foreign = client.post(step, {"status": "paid"}, headers={"referer": "https://evil.example/x"})

    assert answer["Location"] == "/admin/login/?next=%2Fadmin%2Forders%2Fo-1%2F"
    assert without["Location"] == foreign["Location"] == "/admin/login/?next=%2Fadmin%2F"


@pytest.mark.parametrize(
    "where",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "https:evil.example", "\x00"],
)
def test_a_log_in_leads_nowhere_but_to_ourselves(client: Client, dana: User, where: str) -> None:
    assert log_in(client, dana, next=where)["Location"] == "/admin/"


def test_a_customers_right_password_is_answered_like_a_wrong_one(client: Client, alice: User, dana: User) -> None:
    as_customer = log_in(client, alice)
    wrong = log_in(client, alice, password="wrong horse 2")

    assert as_customer.status_code == wrong.status_code == 422
    assert sentences(as_customer) == sentences(wrong) == ["there is no way in here"]
    assert "account_id" not in client.session


def sentences(answer: object) -> list[str]:
    """The refusals on the page that are known here."""
    return [words for words in ("there is no way in here", "This field is required") if words in answer.text]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"email": "", "password": ""},
        {"email": "no address", "password": PASSWORD},
        {"email": "dana@example.com", "password": "x" * 2_000},
        {"email": "dana@example.com", "password": "a\x00b"},
        {"email": "x" * 5_000, "password": "x"},
    ],
)
def test_a_wrong_form_comes_back_with_what_is_wrong(client: Client, dana: User, form: dict[str, str]) -> None:
    answer = client.post(LOGIN, form)

    assert answer.status_code == 422
    assert "Please check" in answer.text
    assert "account_id" not in client.session


def test_the_session_before_ends_with_the_log_in(client: Client, dana: User) -> None:
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies[real_settings.SESSION_COOKIE_NAME] = session.session_key

    log_in(client, dana)

    assert set(client.session.keys()) == {"account_id", "sid", "epoch", "iat", "cart"}


def test_what_was_in_the_guests_cart_comes_along(client: Client, dana: User, product: Product) -> None:
    client.post("/cart/add/", {"product_id": product.id, "quantity": "2"})

    log_in(client, dana)

    basket = baskets.look(dana.id)
    assert basket is not None
    assert basket.units == 2
    assert client.session["cart"] == {"units": 2, "total_cents": 2 * product.price_cents}


@pytest.mark.parametrize(("rule", "refusal"), [("sessions.begin", SessionEnded()), ("reservations.join", Busy())])
def test_a_guest_who_is_not_let_in_keeps_their_cart(
    client: Client, dana: User, product: Product, monkeypatch: pytest.MonkeyPatch, rule: str, refusal: Exception
) -> None:
    client.post("/cart/add/", {"product_id": product.id, "quantity": 2})
    monkeypatch.setattr(f"inventory.{rule}", mock.Mock(side_effect=refusal))

    answer = client.post("/admin/login/", {"email": dana.email, "password": PASSWORD})

    assert answer.status_code == 409
    assert client.get("/cart/").context["basket"].units == 2
    assert accounts.find(dana.id).sessions == []  # type: ignore[union-attr]


def test_who_is_in_already_is_sent_on(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    sign_in(client, dana)

    assert client.get("/admin/login/?next=/admin/stock/")["Location"] == "/admin/stock/"


def test_a_customer_who_is_logged_in_is_told_so_and_may_log_in_as_an_admin(
    client: Client, alice: User, dana: User, sign_in: Callable[..., None]
) -> None:
    sign_in(client, alice)

    assert alice.email in client.get(LOGIN).text
    assert client.get("/admin/").status_code == 403
    assert log_in(client, dana)["Location"] == "/admin/"


def test_logging_out_takes_a_post_and_ends_the_session(
    client: Client, dana: User, sign_in: Callable[..., None]
) -> None:
    sign_in(client, dana)

    assert client.get("/admin/logout/").status_code == 405
    assert client.post("/admin/logout/")["Location"] == "/admin/login/"
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("address", ["/admin/", "/admin/products/", "/admin/stock/", "/admin/orders/", LOGIN])
def test_no_cache_keeps_a_page_of_the_panel(
    client: Client, dana: User, sign_in: Callable[..., None], address: str
) -> None:
    as_stranger = client.get(address)
    sign_in(client, dana)

    assert "no-store" in as_stranger["Cache-Control"]
    assert "no-store" in client.get(address)["Cache-Control"]
    assert "private" in client.get(address)["Cache-Control"]


def test_the_panel_speaks_german_first(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    del client.defaults["HTTP_ACCEPT_LANGUAGE"]
    sign_in(client, dana)

    assert '<html lang="de">' in client.get("/admin/").text


def test_whoever_wanted_a_page_with_an_endless_address_comes_to_the_dashboard(client: Client) -> None:
    assert client.get("/admin/products/", {"q": "x" * 20_000})["Location"] == "/admin/login/?next=%2Fadmin%2F"

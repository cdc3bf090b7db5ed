"""The second factor's pages, and the page in between that asks whether it is still you."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pyotp
import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from inventory import catalogue, clock, second_factor
from inventory.models import Product, SecondFactor, User
from tests.unit.conftest import PASSWORD

PAGE = "/admin/second-factor/"
CHANGE = {"change": "5", "reason": "received", "note": "LS <7>"}


@pytest.fixture(autouse=True)
def _ten_past(client: Client) -> Iterator[None]:
    """Ten seconds into a half minute, so that none ends between making a code and sending it. In English."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    with time_machine.travel("2026-11-27T12:00:10+00:00"):
        yield


@pytest.fixture
def asked(client: Client, dana: User) -> Client:
    """Dana's browser after the password."""
    client.post("/admin/login/", {"email": dana.email, "password": PASSWORD})
    return client


@pytest.fixture
def recovery_codes(asked: Client, dana: User, later: Callable[..., None]) -> list[str]:
    """Dana has set the factor up, a minute ago, and is in."""
    asked.get(PAGE)
    page = asked.post(PAGE, {"code": code_of(dana)}).text
    later(minutes=1)
    return re.findall(r"(?:[A-Z2-7]{6}-){3}[A-Z2-7]{6}", page)


def code_of(user: User) -> str:
    secret = SecondFactor.get(SecondFactor.key(user.id), consistent_read=True).secret
    code: str = pyotp.TOTP(secret).at(int(clock.now().timestamp()))
    return code


def log_in_again(client: Client, dana: User) -> HttpResponse:
    client.post("/admin/logout/")
    return client.post("/admin/login/?next=/admin/stock/", {"email": dana.email, "password": PASSWORD})


# Setting up


def test_the_first_log_in_leads_to_setting_it_up(client: Client, dana: User) -> None:
    answer = client.post("/admin/login/?next=/admin/stock/", {"email": dana.email, "password": PASSWORD})

    asking = client.get(client.get(answer["Location"])["Location"])
    assert asking.status_code == 200
    assert 'name="next" value="/admin/stock/"' in asking.text


def test_its_page_shows_the_secret_drawn_and_as_text(asked: Client, dana: User) -> None:
    page = asked.get(PAGE).text

    factor = second_factor.begin(dana.id)
    assert factor.secret in page.replace(" ", "")
    assert re.search(r'<svg viewBox="0 0 \d+ \d+"><g transform="scale\(5\)"><path fill="#fff"', page)
    drawing = page[page.index('<div class="admin-qr"') : page.index('id="secret"')]
    # The pages' own rule (Content-Security-Policy) lets no style stand in an element.
    assert "style=" not in drawing


def test_a_right_code_shows_ten_recovery_codes_once_and_lets_in(asked: Client, dana: User) -> None:
    asked.get(PAGE)
    page = asked.post(PAGE, {"code": code_of(dana), "next": "/admin/stock/"})

    assert page.status_code == 200
    assert len(re.findall(r"<li>(?:[A-Z2-7]{6}-){3}[A-Z2-7]{6}</li>", page.text)) == 10
    assert 'href="/admin/stock/"' in page.text
    assert "no-store" in page["Cache-Control"]
    assert asked.get("/admin/stock/").status_code == 200
    assert asked.get(PAGE)["Location"] == "/admin/"


@pytest.mark.parametrize("code", ["no code", "", "x" * 41, "\x00"])
def test_a_wrong_code_stays_outside(asked: Client, dana: User, code: str) -> None:
    asked.get(PAGE)
    answer = asked.post(PAGE, {"code": code})

    assert answer.status_code == 422
    assert "code" in answer.context["form"].errors
    assert asked.get("/admin/").status_code == 302


# At later log-ins


def test_a_later_log_in_asks_for_a_code_and_shows_no_secret(
    client: Client, dana: User, recovery_codes: list[str]
) -> None:
    secret = second_factor.begin(dana.id).secret

    page = client.get(client.get(log_in_again(client, dana)["Location"])["Location"]).text

    assert "admin-qr" not in page
    assert secret not in page.replace(" ", "")
    assert client.post(PAGE, {"code": code_of(dana)})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_recovery_code_lets_in_once(client: Client, dana: User, recovery_codes: list[str]) -> None:
    log_in_again(client, dana)
    first = client.post(PAGE, {"code": recovery_codes[0].lower()})
    log_in_again(client, dana)
    second = client.post(PAGE, {"code": recovery_codes[0]})

    assert (first.status_code, second.status_code) == (302, 422)


def test_too_many_wrong_codes_say_when_to_come_back(client: Client, dana: User, recovery_codes: list[str]) -> None:
    log_in_again(client, dana)
    for _ in range(second_factor.FREE_TRIES):
        client.post(PAGE, {"code": "no code"})

    answer = client.post(PAGE, {"code": code_of(dana)})

    assert answer.status_code == 429
    assert answer["Retry-After"] == "30"
    assert "Please wait 30 seconds" in answer.text


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "javascript:alert(1)"])
def test_it_leads_nowhere_but_to_ourselves(asked: Client, dana: User, where: str) -> None:
    asked.get(PAGE)

    assert where not in asked.get(PAGE, {"next": where}).text.replace("&#x27;", "'").partition("<form")[2]
    assert where not in asked.post(PAGE, {"code": code_of(dana), "next": where}).text


def test_who_came_in_by_the_shops_door_is_asked_too(client: Client, dana: User) -> None:
    client.post("/account/login/", {"email": dana.email, "password": PASSWORD})

    assert client.get("/admin/")["Location"] == "/admin/second-factor/?next=%2Fadmin%2F"


def test_a_shop_that_asks_for_none_lets_the_password_in(asked: Client, settings: Settings) -> None:
    """The control, and what ``make run`` does."""
    settings.ADMIN_SECOND_FACTOR = False

    assert asked.get("/admin/").status_code == 200
    assert asked.get(PAGE)["Location"] == "/admin/"


# Is it still you?


@pytest.fixture
def stale(client: Client, dana: User, recovery_codes: list[str], later: Callable[..., None]) -> Client:
    """Dana has been in for twenty minutes."""
    later(minutes=20)
    return client


def stock_of(product: Product) -> int:
    found = catalogue.find(product.id)
    assert found is not None
    return found.stock


def test_a_quarter_of_an_hour_after_the_log_in_stock_needs_a_confirmation_and_keeps_what_was_typed(
    stale: Client, dana: User, product: Product
) -> None:
    address = f"/admin/stock/{product.id}/"

    between = stale.post(address, CHANGE)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', between.text))

    assert between.status_code == 403
    assert stock_of(product) == 10
    assert {name: hidden[name] for name in CHANGE} == {**CHANGE, "note": "LS &lt;7&gt;"}
    answer = stale.post(address, {**CHANGE, "confirm_password": PASSWORD, "confirm_code": code_of(dana)})
    assert answer["Location"] == address
    assert stock_of(product) == 15


def test_after_a_confirmation_a_quarter_of_an_hour_is_free(
    stale: Client, dana: User, product: Product, later: Callable[..., None]
) -> None:
    address = f"/admin/stock/{product.id}/"
    stale.post(address, {**CHANGE, "confirm_password": PASSWORD, "confirm_code": code_of(dana)})

    later(minutes=14)
    assert stale.post(address, CHANGE).status_code == 302
    later(minutes=2)
    assert stale.post(address, CHANGE).status_code == 403


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"confirm_password": "wrong horse 9"}, 422),
        ({"confirm_password": ""}, 422),
        ({"confirm_code": "no code"}, 422),
        ({"confirm_code": ""}, 422),
        ({"confirm_code": "x" * 5_000}, 422),
        ({"confirm_password": "x" * 5_000}, 422),
    ],
)
def test_who_cannot_confirm_changes_nothing(
    stale: Client, dana: User, product: Product, given: dict[str, str], status: int
) -> None:
    right = {"confirm_password": PASSWORD, "confirm_code": code_of(dana)}

    answer = stale.post(f"/admin/stock/{product.id}/", {**CHANGE, **right, **given})

    assert answer.status_code == status
    assert PASSWORD not in answer.text
    assert stock_of(product) == 10


def test_guessing_there_has_to_wait_as_well(stale: Client, dana: User, product: Product) -> None:
    form = {**CHANGE, "confirm_password": PASSWORD, "confirm_code": "no code"}

    answers = [stale.post(f"/admin/stock/{product.id}/", form).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


def test_guessing_the_password_there_has_to_wait_and_keeps_what_was_typed(
    stale: Client, dana: User, product: Product, settings: Settings
) -> None:
    settings.LIMITS = True
    form = {**CHANGE, "confirm_password": "wrong horse 9", "confirm_code": code_of(dana)}

    answers = [stale.post(f"/admin/stock/{product.id}/", form) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert 'name="note" value="LS &lt;7&gt;"' in answers[-1].text
    assert stock_of(product) == 10


def test_a_wrong_form_comes_back_as_ever_after_the_confirmation(stale: Client, dana: User, product: Product) -> None:
    right = {"confirm_password": PASSWORD, "confirm_code": code_of(dana)}

    answer = stale.post(f"/admin/stock/{product.id}/", {**CHANGE, "change": "many", **right})

    assert answer.status_code == 422
    assert "change" in answer.context["form"].errors


def test_looking_needs_no_confirmation(stale: Client, product: Product) -> None:
    assert stale.get(f"/admin/stock/{product.id}/").status_code == 200


def test_without_second_factors_the_password_confirms(
    asked: Client, product: Product, later: Callable[..., None], settings: Settings
) -> None:
    settings.ADMIN_SECOND_FACTOR = False
    later(minutes=20)
    address = f"/admin/stock/{product.id}/"

    between = asked.post(address, CHANGE)
    answer = asked.post(address, {**CHANGE, "confirm_password": PASSWORD})

    assert between.status_code == 403
    assert "confirm_code" not in between.text
    assert answer.status_code == 302
    assert stock_of(product) == 15
    assert asked.post(address, CHANGE).status_code == 302

"""The account's page lists where one is logged in, and ends it."""

from __future__ import annotations

import pytest
from django.test import Client

from inventory import accounts, sessions
from inventory.models import User
from tests.unit.conftest import PASSWORD

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"


def logged_in(user: User, *, user_agent: str = WINDOWS) -> Client:
    client = Client(headers={"user-agent": user_agent, "accept-language": "en"})
    client.post("/account/login/", {"email": user.email, "password": PASSWORD})
    return client


def devices_of(client: Client) -> list[str]:
    return [one.device for one in client.get("/account/").context["sessions"]]


def test_the_account_lists_its_sessions_and_says_which_is_this_one(alice: User) -> None:
    logged_in(alice, user_agent="curl/8.5.0")
    here = logged_in(alice)

    page = here.get("/account/")

    assert devices_of(here) == ["Firefox, Windows", ""]
    assert page.context["this_session"] == here.session["sid"]
    assert "Unknown device" in page.text
    assert page.text.count("(this device)") == 1


def test_another_device_is_logged_out_and_this_one_stays(alice: User) -> None:
    lost, here = logged_in(alice), logged_in(alice)

    answer = here.post("/account/sessions/end/", {"session": lost.session["sid"]})

    assert answer["Location"] == "/account/"
    assert "That device is logged out." in here.get("/account/").text
    assert lost.get("/account/").status_code == 302


def test_ending_this_session_is_logging_out(alice: User) -> None:
    here = logged_in(alice)

    answer = here.post("/account/sessions/end/", {"session": here.session["sid"]})

    assert answer["Location"] == "/"
    assert here.get("/account/").status_code == 302


def test_logging_out_everywhere_ends_this_session_too(alice: User) -> None:
    there, here = logged_in(alice), logged_in(alice)

    answer = here.post("/account/sessions/end-all/")

    assert answer["Location"] == "/account/login/"
    assert "You are logged out everywhere." in here.get("/account/login/").text
    assert there.get("/account/").status_code == here.get("/account/").status_code == 302


def test_nobody_ends_a_session_of_somebody_else(alice: User, bob: User) -> None:
    hers, his = logged_in(alice), logged_in(bob)

    his.post("/account/sessions/end/", {"session": hers.session["sid"]})

    assert hers.get("/account/").status_code == 200


def test_a_stranger_is_asked_to_log_in_and_ends_nothing(client: Client, alice: User) -> None:
    hers = logged_in(alice)

    one = client.post("/account/sessions/end/", {"session": hers.session["sid"]})
    everything = client.post("/account/sessions/end-all/")

    assert one["Location"] == "/account/login/?next=%2Faccount%2F"
    assert everything["Location"] == "/account/login/"
    assert hers.get("/account/").status_code == 200


@pytest.mark.parametrize("sid", ["", "nobody's", "x" * 10_000, "\x00"])
def test_what_is_no_session_ends_none(alice: User, sid: str) -> None:
    here = logged_in(alice)

    assert here.post("/account/sessions/end/", {"session": sid}).status_code == 302
    assert len(sessions.live(accounts.find(alice.id))) == 1  # type: ignore[arg-type]

"""The session's cookie: remembered once it was found to be ours, and judged like Django judges it, each time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.sessions.backends import signed_cookies
from django.core import signing
from pytest_django.fixtures import Settings

from ecokart import cookies

SAID = {"guest_id": "guest-1", "cart": {"units": 1, "total_cents": 9999}, "name": "Käthe 🐎"}
DAYS = 7


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cookies._opened.cache_clear()


@pytest.fixture
def cookie() -> str:
    return cookie_of(SAID)


def cookie_of(said: dict[str, object]) -> str:
    store = signed_cookies.SessionStore()
    store.update(said)
    store.save()
    assert store.session_key
    return str(store.session_key)


def read(cookie: str) -> dict[str, object]:
    return dict(cookies.SessionStore(cookie).items())


@pytest.mark.parametrize("said", [SAID, {"long": "x" * 3000}, {}])
def test_it_says_what_django_says(said: dict[str, object]):
    cookie = cookie_of(said)

    assert [read(cookie), read(cookie)] == [said, said]
    assert dict(signed_cookies.SessionStore(cookie).items()) == said


def test_its_signature_is_checked_once(cookie: str, monkeypatch: pytest.MonkeyPatch):
    read(cookie)
    monkeypatch.setattr(signing, "loads", pytest.fail)

    assert read(cookie) == SAID


def test_what_one_request_changes_is_seen_by_no_other(cookie: str):
    first = cookies.SessionStore(cookie)
    first["cart"]["units"] = 99
    first["account_id"] = "somebody"

    assert read(cookie) == SAID


def test_it_grows_old_though_it_is_remembered(cookie: str, later: Callable[..., None]):
    later(days=DAYS, seconds=-5)
    young = read(cookie)
    later(seconds=10)
    store = cookies.SessionStore(cookie)

    assert (young, dict(store.items())) == (SAID, {})
    assert store.modified


@pytest.mark.parametrize(
    "changed",
    [
        lambda cookie: cookie[:-1] + ("A" if cookie[-1] != "A" else "B"),
        lambda cookie: "A" + cookie[1:],
        lambda cookie: cookie.rsplit(":", 1)[0],
        lambda cookie: f"{cookie.rsplit(':', 2)[0]}:{signing.b62_encode(2_000_000_000)}:{cookie.rsplit(':', 1)[1]}",
        lambda cookie: f"{cookie}:x",
        lambda cookie: signing.dumps(SAID),
        lambda cookie: "no cookie of ours",
        lambda cookie: "ü" * 20,
    ],
)
def test_what_is_not_ours_says_nothing_and_is_not_remembered(cookie: str, changed: Callable[[str], str]):
    read(cookie)

    store = cookies.SessionStore(changed(cookie))

    assert dict(store.items()) == {}
    assert store.modified
    assert cookies._opened.cache_info().currsize == 1


def test_a_key_that_is_replaced_ends_what_is_remembered(cookie: str, settings: Settings):
    read(cookie)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key " * 5
    ended = read(cookie)
    settings.SECRET_KEY_FALLBACKS = [old]

    assert (ended, read(cookie)) == ({}, SAID)


def test_no_cookie_is_no_session():
    assert dict(cookies.SessionStore(None).items()) == {}

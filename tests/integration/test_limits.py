"""Limits where many ask at once: threads and processes on one table."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests
from pytest_django.fixtures import Settings

from ecokart import local
from inventory import clock, counters, limits
from inventory.errors import TooManyTries

LIMIT = 100
PROCESSES, THREADS = 2, 16
# One moment for everybody, so that no window ends meanwhile.
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
#: A window that ends in 2033.
LONG_SECONDS = 1_000_000_000


def naive(address: str) -> bool:
    """Read, compare, write: what a limit must not be."""
    from inventory.models import Note

    key = f"naive#{address}"
    try:
        counted = int(Note.get(key, consistent_read=True).text)
    except Note.DoesNotExist:
        counted = 0
    if counted >= LIMIT:
        return False
    Note(key, text=str(counted + 1)).save()
    return True


def exact(address: str) -> bool:
    from inventory import pace

    return pace.count(address, changes=True) == 0


def let_through(way: str, address: str, requests: int) -> int:
    """How many of so many requests pass, sent by the threads of one process."""
    import django

    django.setup()
    from django.conf import settings

    settings.LIMITS, settings.REQUEST_LIMIT, settings.REQUEST_WINDOW_SECONDS = True, LIMIT, 300
    clock.now = lambda: NOON
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map({"naive": naive, "exact": exact}[way], [address] * requests))


@pytest.fixture(scope="module")
def passed(environment: local.Environment) -> Iterator[Callable[..., int]]:
    """How many of so many requests pass, sent by several processes at once."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:

        def passed(way: str, address: str, *, of: int) -> int:
            return sum(pool.map(let_through, *([one] * PROCESSES for one in (way, address, of // PROCESSES))))

        yield passed


def test_the_race_is_real(passed: Callable[..., int]):
    """If the naive way does not let too many through here, the test below proves nothing."""
    assert passed("naive", "198.51.100.1", of=400) > LIMIT


def test_exactly_a_hundred_of_a_thousand_forms_pass(passed: Callable[..., int]):
    assert passed("exact", "198.51.100.2", of=1000) == LIMIT


def test_of_sixty_four_guesses_at_once_five_pass(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    settings.LIMITS = True
    monkeypatch.setattr(clock, "now", lambda: NOON)

    def guess(_number: int) -> bool:
        try:
            limits.login("alice@example.com", address="198.51.100.3")
        except TooManyTries:
            return False
        return True

    # So that it is the account's limit that holds, not the address's.
    monkeypatch.setattr(limits, "LOGINS", limits.Limit("login-64", most=64, seconds=900))
    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(guess, range(64))) == limits.PASSWORDS.free


def test_of_sixteen_who_waited_one_passes(monkeypatch: pytest.MonkeyPatch):
    """After five tries there is one after each delay, for whoever asks first."""
    monkeypatch.setattr(clock, "now", lambda: NOON)

    def attempt(_number: int) -> bool:
        try:
            counters.attempt("waited", "alice", free=5, seconds=86_400)
        except counters.Full:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(16))) == 5
        monkeypatch.setattr(clock, "now", lambda: NOON.replace(second=30))
        assert sum(pool.map(attempt, range(16))) == 1


# Through HTTP, against the server that production runs


@pytest.fixture(scope="module")
def shop(environment: local.Environment) -> Iterator[str]:
    local.manage("collectstatic", "--noinput", environment=environment)
    port = local.free_port()
    limited = {"LIMITS": "1", "REQUEST_LIMIT": str(LIMIT), "REQUEST_WINDOW_SECONDS": str(LONG_SECONDS)}
    # Whoever asks says here who they are, as behind a proxy: each test is somebody else.
    proxied = {"TRUSTED_PROXIES": "127.0.0.1"}
    with local.gunicorn(port, environment={**environment, **limited, **proxied}):
        yield f"http://{local.HOST}:{port}"


def asked(shop: str, address: str, *, times: int, form: bool) -> list[int]:
    """What so many requests of one address are answered with, eight at a time."""
    with requests.Session() as browser:
        browser.trust_env = False
        browser.headers["X-Forwarded-For"] = address
        page = browser.get(f"{shop}/account/login/", headers={"X-Forwarded-For": f"{address}9"}, timeout=60)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]

        def ask(_number: int) -> int:
            if form:
                sent = {"csrfmiddlewaretoken": token, "language": "en"}
                return browser.post(f"{shop}/language/", sent, allow_redirects=False, timeout=60).status_code
            return browser.get(f"{shop}/info/imprint/", timeout=60).status_code

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(ask, range(times)))


def test_the_shop_takes_a_hundred_forms_of_an_address(shop: str):
    statuses = asked(shop, "203.0.113.1", times=160, form=True)

    assert (statuses.count(302), statuses.count(429)) == (100, 60)


def test_the_shop_shows_an_address_a_hundred_pages_and_ten_more_for_each_process(shop: str):
    statuses = asked(shop, "203.0.113.2", times=160, form=False)

    assert LIMIT <= statuses.count(200) < LIMIT + 10 * 2
    assert statuses.count(200) + statuses.count(429) == 160

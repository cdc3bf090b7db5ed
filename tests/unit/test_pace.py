"""How fast an address may ask for pages: exactly so for what changes something, nearly so for looking, and cheaply."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django.fixtures import Settings

from ecokart import icons, middleware
from inventory import pace
from inventory.models import Product
from tests.unit import wire

NOON = 1_795_867_200.0
HERE = "203.0.113.7"


@pytest.fixture(autouse=True)
def noon(settings: Settings) -> Iterator[time_machine.Coordinates]:
    settings.LIMITS, settings.REQUEST_LIMIT, settings.REQUEST_WINDOW_SECONDS = True, 100, 300
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Be another process: ``processes(2)``. Each remembers its own visitors."""
    known: dict[int, Any] = {}

    def be(number: int) -> None:
        monkeypatch.setattr(pace, "_visitors", known.setdefault(number, type(pace._visitors)()))

    return be


def passed(requests: int, *, changes: bool, address: str = HERE) -> int:
    return sum(pace.count(address, changes=changes) == 0 for _ in range(requests))


@pytest.mark.parametrize("changes", [True, False])
def test_a_hundred_pass_and_no_more(changes: bool):
    assert passed(150, changes=changes) == 100


@pytest.mark.parametrize("changes", [True, False])
def test_the_next_window_has_a_hundred_again(changes: bool, noon: time_machine.Coordinates):
    passed(150, changes=changes)
    noon.shift(300)

    assert passed(150, changes=changes) == 100


def test_looks_and_changes_count_together():
    assert passed(60, changes=False) + passed(60, changes=True) == 100


def test_everybody_has_their_own():
    passed(150, changes=True)

    assert passed(1, changes=True, address="198.51.100.1") == 1


def test_it_says_when_the_window_ends(noon: time_machine.Coordinates):
    noon.shift(100.5)
    passed(100, changes=True)

    assert pace.count(HERE, changes=True) == 200


def test_changes_are_counted_exactly_however_many_processes_there_are(processes: Callable[[int], None]):
    let_through = 0
    for number in range(200):
        processes(number % 8)
        let_through += passed(1, changes=True)

    assert let_through == 100


@pytest.mark.parametrize("count", [2, 4, 8])
def test_looks_are_more_than_the_limit_by_ten_for_each_process_at_the_most(
    processes: Callable[[int], None], count: int
):
    let_through = 0
    for number in range(400):
        processes(number % count)
        let_through += passed(1, changes=False)

    assert 100 <= let_through < 100 + pace.TOLD_EVERY * count


def test_most_looks_ask_nobody():
    with wire.heard() as calls:
        passed(95, changes=False)

    assert [operation for operation, _ in calls] == ["UpdateItem"] * 9


def test_an_address_that_is_through_asks_nobody():
    passed(101, changes=True)

    with wire.heard() as calls:
        assert passed(50, changes=True) + passed(50, changes=False) == 0

    assert calls == []


def test_two_at_once_are_counted_as_two(monkeypatch: pytest.MonkeyPatch):
    """While one look tells the table, others of its address wait for what it says."""
    monkeypatch.setattr(pace, "PATIENCE_SECONDS", 60)
    told, answer = threading.Event(), threading.Event()

    def slowly(*_: Any, by: int, **__: Any) -> int:
        told.set()
        answer.wait(60)
        return 90 + by

    monkeypatch.setattr("inventory.counters.add", slowly)
    passed(9, changes=False)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(pace.count, HERE, changes=False)
        told.wait(60)
        second = pool.submit(pace.count, HERE, changes=False)
        while not second.running():
            pass
        answer.set()

    assert (first.result() == 0, second.result() == 0) == (True, False)


def test_nobody_waits_long_for_the_table(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pace, "PATIENCE_SECONDS", 0)
    passed(9, changes=False)
    pace._visitors[HERE].telling.acquire()

    assert passed(5, changes=False) == 5


def test_while_the_table_is_away_each_process_holds_the_limit(processes: Callable[[int], None]):
    with wire.losing_requests("UpdateItem", times=99):
        processes(1)
        assert passed(150, changes=False) + passed(150, changes=True) == 100
        processes(2)
        assert passed(150, changes=True) == 100


def test_while_the_table_is_away_it_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch):
    with wire.losing_requests("UpdateItem", times=99), wire.heard() as calls:
        passed(50, changes=True)

    assert len(calls) == 1


@pytest.mark.parametrize("changes", [True, False])
def test_what_was_counted_while_it_was_away_is_told_when_it_is_back(
    changes: bool, processes: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
):
    processes(1)
    monkeypatch.setattr(pace, "PAUSE_SECONDS", 0)
    with wire.losing_requests("UpdateItem", times=50):
        passed(50, changes=changes)
    passed(1, changes=False)

    processes(2)
    assert passed(99, changes=True) <= 51


def test_a_process_remembers_so_many_addresses_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pace, "KEPT", 3)

    for number in range(9):
        pace.count(f"198.51.100.{number}", changes=False)

    assert list(pace._visitors) == ["198.51.100.6", "198.51.100.7", "198.51.100.8"]


# On pages


@pytest.fixture
def few(settings: Settings) -> None:
    settings.REQUEST_LIMIT = 3


@pytest.mark.parametrize("language", ["de", "en"])
def test_one_too_many_gets_a_page_that_says_when_to_come_back(client: Client, few: None, language: str):
    for _ in range(3):
        assert client.get("/cart/").status_code == 200

    answer = client.get("/cart/", headers={"accept-language": language})

    words = {"de": "in 5 Minuten", "en": "in 5 minutes"}[language]
    assert (answer.status_code, answer["Retry-After"]) == (429, "300")
    assert words in answer.content.decode()
    assert f'<html lang="{language}">' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_a_change_that_is_one_too_many_does_nothing(client: Client, few: None, product: Product):
    form = {"product_id": product.id, "quantity": 1}
    answers = [client.post("/cart/add/", form).status_code for _ in range(5)]

    product.refresh(consistent_read=True)
    assert answers == [302, 302, 302, 429, 429]
    assert product.reserved == 3


def test_a_page_that_does_not_exist_counts(client: Client, few: None):
    assert [client.get("/nowhere/").status_code for _ in range(4)] == [404, 404, 404, 429]


@pytest.mark.parametrize("address", [reverse("healthz"), icons.address(), "/icons-older.svg"])
def test_what_machines_ask_for_does_not_count(client: Client, few: None, address: str):
    assert {client.get(address).status_code for _ in range(5)} == {200}
    assert client.get("/cart/").status_code == 200


@pytest.mark.parametrize("path", ["/healthz/", "/healthzz", "/x/healthz", "/icons-.svg", "/icons-a.svg/../cart/"])
def test_what_only_looks_so_counts(path: str):
    assert not middleware._UNCOUNTED.fullmatch(path)


@pytest.mark.parametrize("name", ["LIMITS", "REQUEST_LIMIT"])
def test_nothing_is_counted_when_it_is_switched_off(client: Client, settings: Settings, name: str):
    setattr(settings, name, 0)

    assert {client.get("/info/imprint/").status_code for _ in range(120)} == {200}


def test_selling_and_looking_stay_open_while_the_table_is_away(client: Client, product: Product):
    with wire.losing_requests("UpdateItem", times=99):
        looks = {client.get("/products/").status_code for _ in range(25)}
        added = client.post("/cart/add/", {"product_id": product.id, "quantity": 1})

    assert (looks, added.status_code) == ({200}, 302)


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/account/login/", {"email": "alice@example.com", "password": "wrong"}),
        ("/admin/login/", {"email": "alice@example.com", "password": "wrong"}),
        (
            "/account/register/",
            {"name": "E", "email": "e@example.com", "password": "sieben runden", "password_again": "sieben runden"},
        ),
    ],
)
def test_log_in_and_registration_are_closed_while_the_table_is_away(client: Client, address: str, form: dict[str, str]):
    with wire.losing_requests("UpdateItem", times=99):
        answer = client.post(address, form)

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("address", ["/account/login/", "/admin/login/"])
def test_the_sixth_guess_is_refused_before_any_password_is_compared(
    client: Client, address: str, monkeypatch: pytest.MonkeyPatch
):
    compared: list[str] = []
    monkeypatch.setattr("inventory.accounts.authenticate", lambda email, password: compared.append(password))

    with translation.override("en"):
        answers = [client.post(address, {"email": "a@example.com", "password": str(n)}) for n in range(8)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429] * 3
    assert compared == list("01234")
    assert answers[-1]["Retry-After"] == "30"

"""Who may open what, as ``tests/attacks/access_matrix.py`` declares it; and who no longer may."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, path

from adminpanel.access import password_required
from adminpanel.views import audit
from inventory.models import User
from tests.attacks import access_matrix
from tests.attacks.access_matrix import COLUMNS, Town, declared, routes, undeclared

STRANGER, CUSTOMER, ADMIN = range(3)
NAMES = [name for _, name in routes()]


@pytest.fixture
def client_of(sign_in: Callable[..., None], alice: User, dana: User) -> Callable[[int], Client]:
    def client_of(role: int) -> Client:
        client = Client()
        if role != STRANGER:
            sign_in(client, alice if role == CUSTOMER else dana)
        return client

    return client_of


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert undeclared() == []


@pytest.mark.parametrize("where", ["healthz/everything/", "healthz"])
def test_an_address_under_the_name_of_another_has_no_row(where: str) -> None:
    urls = get_resolver()
    twin = path(where, lambda _request: HttpResponse("all"), name="healthz")

    with mock.patch.object(urls, "url_patterns", [*urls.url_patterns, twin]):
        assert undeclared() == [f"{where!r} has no row"]


def test_a_row_whose_address_is_gone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(access_matrix.ROWS, "gone/", access_matrix.ROWS["healthz"])

    assert undeclared() == ["the row 'gone/' has no address"]


@pytest.mark.parametrize("column", COLUMNS)
def test_every_address_answers_as_declared(column: str) -> None:
    assert Town().answers(column) == declared(column)


def test_a_page_of_the_panel_that_asks_for_a_password_only_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = password_required(inspect.unwrap(audit.audit_log))
    route = next(one for one in _panel() if one.name == "audit-log")
    monkeypatch.setattr(route, "callback", opened)

    answers, wanted = Town().answers(COLUMNS[3]), declared(COLUMNS[3])

    assert {place for place in wanted if answers[place] != wanted[place]} == {
        ("admin/audit/", "GET"),
        ("admin/audit/", "POST"),
    }


def _panel() -> list[Any]:
    return next(one for one in get_resolver().url_patterns if str(one.pattern) == "admin/").url_patterns


def test_every_change_needs_the_csrf_token(address: Any, sign_in: Any, dana: User) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, dana)

    answers = {name: client.post(address(name)).status_code for name in NAMES}

    assert set(answers.values()) <= {403, 405}


def test_an_admin_who_is_no_longer_one_is_out_at_once(client_of: Any, address: Any, dana: User) -> None:
    client = client_of(ADMIN)
    assert client.get(address("adminpanel:dashboard")).status_code == 200

    dana.update([User.role.set("user")])

    assert client.get(address("adminpanel:dashboard")).status_code == 403


def test_a_session_of_a_deleted_account_is_a_strangers(client_of: Any, address: Any, alice: User) -> None:
    client = client_of(CUSTOMER)
    alice.delete()

    assert client.get(address("shop:account")).status_code == 302

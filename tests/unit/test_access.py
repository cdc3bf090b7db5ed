"""Who may open what. Walks the whole URL conf: an address without a row here fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from inventory.models import User
from tests.unit.conftest import PASSWORD

STRANGER, CUSTOMER, ADMIN = range(3)

# What GET answers to a stranger, a customer and an admin. Bob's order stands for everybody else's.
GET = {
    "healthz": (200, 200, 200),
    "icons": (200, 200, 200),
    "set_language": (302, 302, 302),
    "shop:home": (200, 200, 200),
    "shop:product-list": (200, 200, 200),
    "shop:product-detail": (200, 200, 200),
    "shop:product-suggest": (200, 200, 200),
    "shop:info": (200, 200, 200),
    "shop:cart": (200, 200, 200),
    "shop:cart-add": (405, 405, 405),
    "shop:cart-update": (405, 405, 405),
    "shop:cart-remove": (405, 405, 405),
    "shop:cart-extend": (405, 405, 405),
    "shop:cart-reserve": (405, 405, 405),
    "shop:checkout": (302, 302, 302),
    "shop:order-list": (200, 200, 200),
    "shop:order-detail": (404, 404, 404),
    "shop:order-cancel": (405, 405, 405),
    "shop:account": (302, 200, 200),
    "shop:register": (200, 302, 302),
    "shop:verify": (410, 410, 410),
    "shop:verify-again": (405, 405, 405),
    "shop:password-change": (302, 200, 200),
    "shop:password-forgotten": (200, 200, 200),
    "shop:password-reset": (410, 410, 410),
    "shop:email-change": (302, 200, 200),
    "shop:email-confirm": (410, 410, 410),
    "shop:address-list": (302, 200, 200),
    "shop:address-new": (302, 200, 200),
    "shop:address-edit": (302, 404, 404),
    "shop:address-default": (405, 405, 405),
    "shop:address-remove": (405, 405, 405),
    "shop:data-export": (302, 200, 200),
    "shop:account-delete": (302, 200, 200),
    "shop:login": (200, 302, 302),
    "shop:logout": (405, 405, 405),
    "shop:session-end": (405, 405, 405),
    "shop:session-end-all": (405, 405, 405),
    "adminpanel:dashboard": (302, 403, 200),
    "adminpanel:login": (200, 200, 302),
    "adminpanel:second-factor": (302, 403, 302),
    "adminpanel:logout": (405, 405, 405),
    "adminpanel:product-list": (302, 403, 200),
    "adminpanel:product-new": (302, 403, 200),
    "adminpanel:product-detail": (302, 403, 200),
    "adminpanel:product-archive": (302, 403, 200),
    "adminpanel:stock-list": (302, 403, 200),
    "adminpanel:stock-proof": (302, 403, 200),
    "adminpanel:stock-detail": (302, 403, 200),
    "adminpanel:account-find": (302, 403, 200),
    "adminpanel:account-detail": (302, 403, 200),
    "adminpanel:audit-log": (302, 403, 200),
    "adminpanel:order-list": (302, 403, 200),
    "adminpanel:order-export": (302, 403, 200),
    "adminpanel:order-detail": (302, 403, 200),
    "adminpanel:order-status": (302, 403, 405),
}
# What POST answers to those who are not admins, at the doors that change something for admins.
ADMIN_POST = [name for name, (*_, admin) in GET.items() if name.startswith("adminpanel:") and "log" not in name]


def names(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Every named address of the shop."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            space = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from names(pattern.url_patterns, space)
        elif isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name}"


@pytest.fixture
def client_of(sign_in: Callable[..., None], alice: User, dana: User) -> Callable[[int], Client]:
    def client_of(role: int) -> Client:
        client = Client()
        if role != STRANGER:
            sign_in(client, alice if role == CUSTOMER else dana)
        return client

    return client_of


def test_every_address_has_a_row() -> None:
    assert set(names()) == set(GET)


@pytest.mark.parametrize("role", [STRANGER, CUSTOMER, ADMIN])
def test_every_page_opens_for_whom_it_is_for(role: int, client_of: Any, address: Any) -> None:
    client = client_of(role)

    answers = {name: client.get(address(name)).status_code for name in GET}

    assert answers == {name: expected[role] for name, expected in GET.items()}


def test_the_customer_whose_order_it_is_sees_what_others_do_and_the_order(
    address: Callable[[str], str], sign_in: Callable[..., None]
) -> None:
    bob = User("bob", email="bob@example.com", password="not a hash", name="Bob")
    bob.save()
    client = Client()
    sign_in(client, bob)

    answers = {name: client.get(address(name)).status_code for name in GET}

    assert answers == {name: row[CUSTOMER] for name, row in GET.items()} | {"shop:order-detail": 200}


def test_an_admin_without_the_second_factor_is_a_customer_everywhere_else(
    address: Callable[[str], str], dana: User
) -> None:
    client = Client()
    client.post(address("adminpanel:login"), {"email": dana.email, "password": PASSWORD})
    shop = [name for name in GET if not name.startswith("adminpanel:")]

    answers = {name: client.get(address(name)).status_code for name in shop}

    assert answers == {name: GET[name][CUSTOMER] for name in shop}


@pytest.mark.parametrize("role", [STRANGER, CUSTOMER])
def test_nobody_but_an_admin_posts_to_the_admin_panel(role: int, client_of: Any, address: Any) -> None:
    client = client_of(role)

    answers = {name: client.post(address(name), {"status": "paid"}).status_code for name in ADMIN_POST}

    assert set(answers.values()) <= {302, 403, 405}
    assert all(client.get(address(name)).status_code != 200 for name in ADMIN_POST)


def test_without_the_second_factor_an_admin_is_asked_for_it_and_reaches_nothing(
    address: Callable[[str], str], dana: User
) -> None:
    client = Client()
    client.post(address("adminpanel:login"), {"email": dana.email, "password": PASSWORD})
    asking = address("adminpanel:second-factor")
    pages = [name for name in ADMIN_POST if name != "adminpanel:second-factor"]

    answers = [client.get(address(name)) for name in pages] + [client.post(address(name)) for name in pages]

    assert {answer.status_code for answer in answers} == {302}
    assert {answer["Location"].partition("?")[0] for answer in answers} == {asking}
    assert client.get(asking).status_code == 200


def test_every_change_needs_the_csrf_token(address: Any, sign_in: Any, dana: User) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, dana)

    answers = {name: client.post(address(name)).status_code for name in GET}

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

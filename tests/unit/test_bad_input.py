"""Whatever is sent to any address: a clear answer, never a 500, and nothing written."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inventory import baskets, checkout, dynamodb, reservations
from inventory.models import AuditEntry, Product, User, tables
from tests.unit.conftest import PASSWORD

NASTY = [
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "1e9",
    "NaN",
    "99999999999999999999999999",
    "abc",
    "None",
    "\x00",
    "a\x00b",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\u202eevil",
    "٣",
    "<script>alert(1)</script>",
    "'\"><img src=x>",
    "{{ 7*7 }}{% debug %}",
    "%s%n%(name)s",
    "../../etc/passwd",
    "https://evil.example/",
    "javascript:alert(1)",
    "x" * 5_000,
    "prod-1",
]
"""What people and machines type into fields that want something else."""

SHOP_FORMS = {
    "/cart/add/": {"product_id": "prod-1", "quantity": "1"},
    "/cart/update/": {"product_id": "prod-1", "quantity": "1"},
    "/cart/remove/": {"product_id": "prod-1"},
    "/checkout/": {
        "name": "Alice",
        "email": "alice@example.com",
        "street": "Ulmenweg 1",
        "postal_code": "10115",
        "city": "Berlin",
        "country": "DE",
        "checkout_token": "nonsense",
    },
    "/account/register/": {"email": "new@example.com", "password": "short", "password_again": "short", "name": "N"},
    "/account/login/": {"email": "alice@example.com", "password": "wrong"},
    "/account/password/": {"old": "wrong", "password": "seven green frogs", "password_again": "seven green frogs"},
    "/account/password/forgotten/": {"email": "alice"},
    "/account/password/reset/": {"key": "nonsense", "password": "seven green frogs", "password_again": "x"},
    "/account/verify/": {"key": "nonsense"},
    "/account/email/": {"email": "new@example.com", "old": "wrong"},
    "/account/email/confirm/": {"key": "nonsense"},
    "/account/addresses/new/": {"name": "A", "street": "B 1", "postal_code": "1", "city": "C", "country": "DE"},
    "/account/delete/": {"old": "wrong"},
}
# What strangers fill in; whoever is logged in is sent on.
STRANGERS = {"/account/register/", "/account/login/"}
ADMIN_FORMS = {
    "/admin/products/new/": {
        "name": "",
        "price": "1",
        "description": "",
        "category": "shoes",
        "status": "active",
        "sku": "",
        "low_stock_at": "5",
    },
    "/admin/accounts/": {"email": "nobody@example.com"},
    "/admin/accounts/{alice}/": {"deed": "admin", "seen": "9"},
    "/admin/orders/export/": {"month": "2026-13"},
    "/admin/stock/prod-1/": {"change": "0", "reason": "received", "note": ""},
    "/admin/login/": {"email": "dana@example.com", "password": "wrong"},
}
# What is nasty in one field of these may still be a wish that can be met, so nothing is said of the tables.
MAY_SUCCEED = {"/cart/add/", "/cart/update/", "/cart/remove/"}


def everything() -> list[str]:
    """All items of all tables but the audit log, where a wrong password is written down, in an order of their own."""
    scan = dynamodb.connection().client.scan
    names = [model.Meta.table_name for model in tables() if model is not AuditEntry]
    return sorted(str(item) for name in names for item in scan(TableName=name)["Items"])


@pytest.fixture
def shopper(client: Client, alice: User, sign_in: Any, product: Product) -> Client:
    """Alice, with something in her cart."""
    reservations.reserve(alice.id, product.id, quantity=1)
    sign_in(client, alice)
    return client


def cases(forms: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    return [(address, field) for address, fields in forms.items() for field in fields]


@pytest.mark.parametrize(("address", "field"), cases(SHOP_FORMS))
def test_a_nasty_field_of_the_shop_is_answered(shopper: Client, address: str, field: str) -> None:
    client = Client() if address in STRANGERS else shopper
    before = everything()
    for value in NASTY:
        answer = client.post(address, {**SHOP_FORMS[address], field: value})

        assert answer.status_code < 500, (value, answer.status_code)
        assert address in MAY_SUCCEED or everything() == before, value
        assert b"<script>alert(1)</script>" not in answer.content


@pytest.mark.parametrize(("address", "field"), cases(ADMIN_FORMS))
def test_a_nasty_field_of_the_admin_panel_is_answered(
    client: Client, dana: User, alice: User, sign_in: Any, product: Product, address: str, field: str
) -> None:
    if address != "/admin/login/":
        sign_in(client, dana)
    before = everything()
    for value in NASTY:
        answer = client.post(address.format(alice=alice.id), {**ADMIN_FORMS[address], field: value})

        assert answer.status_code < 500, (value, answer.status_code)
        assert field in {"name", "change"} or everything() == before, value
        assert b"<script>alert(1)</script>" not in answer.content


@pytest.mark.parametrize("address", [*SHOP_FORMS, *ADMIN_FORMS])
def test_a_form_without_any_field_is_refused(
    shopper: Client, dana: User, alice: User, sign_in: Any, address: str
) -> None:
    client = shopper
    if address.startswith("/admin/") and "login" not in address:
        sign_in(client, dana)
    elif "login" in address or address in STRANGERS:
        client = Client()
    before = everything()

    answer = client.post(address.format(alice=alice.id))

    assert 400 <= answer.status_code < 500
    assert everything() == before


@pytest.mark.parametrize("field", ["q", "category", "min_price", "max_price", "in_stock", "sort", "page"])
@pytest.mark.parametrize("address", ["/products/", "/admin/products/", "/admin/stock/", "/admin/orders/"])
def test_a_nasty_filter_is_answered(
    client: Client, dana: User, sign_in: Any, product: Product, address: str, field: str
) -> None:
    sign_in(client, dana)
    for value in NASTY:
        answer = client.get(address, {field: value})

        assert answer.status_code in {200, 404, 422}, (value, answer.status_code)
        assert b"<script>alert(1)</script>" not in answer.content


@pytest.mark.parametrize(
    "value", [value for value in NASTY if value.strip() and "/" not in value and "\\" not in value]
)
@pytest.mark.parametrize(
    "address",
    [
        "/products/{}/",
        "/orders/{}/",
        "/info/{}/",
        "/admin/products/{}/",
        "/admin/stock/{}/",
        "/admin/orders/{}/",
        "/admin/accounts/{}/",
    ],
)
def test_an_unknown_id_is_not_found(client: Client, dana: User, sign_in: Any, address: str, value: str) -> None:
    from urllib.parse import quote

    sign_in(client, dana)

    assert client.get(address.format(quote(value, safe=""))).status_code == 404


def test_a_replayed_token_orders_nothing_twice(shopper: Client, alice: User, contact: checkout.Contact) -> None:
    token = str(baskets.look(alice.id).token)
    form = {**SHOP_FORMS["/checkout/"], "checkout_token": token}
    first = shopper.post("/checkout/", form)
    before = everything()

    second = shopper.post("/checkout/", form)

    assert (first.status_code, second.status_code) == (302, 302)
    assert first["Location"] == second["Location"]
    assert everything() == before


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5_000, "a:b:c", "\x7f"])
def test_a_broken_session_cookie_is_a_strangers(client: Client, cookie: str) -> None:
    client.cookies["sessionid"] = cookie

    assert client.get("/").status_code == 200


@pytest.mark.parametrize("where", [*NASTY, "foo", "//evil.example/", "/\\evil.example", "http:///evil.example"])
@pytest.mark.parametrize("address", ["/account/login/", "/admin/login/"])
def test_a_nasty_next_page_stays_in_the_shop(client: Client, dana: User, address: str, where: str) -> None:
    form = {"email": "dana@example.com", "password": PASSWORD, "next": where}

    first = client.post(address, form)
    again = client.get(address, {"next": where})

    assert (first.status_code, again.status_code) == (302, 302)
    assert first["Location"].startswith("/")
    assert "evil" not in first["Location"] + again["Location"]

"""What holds at every address: looking changes nothing, forms come from our own pages, and nobody is led elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from inventory import dynamodb, reservations
from inventory.models import Order, Product, User, tables
from tests.unit.conftest import PASSWORD
from tests.unit.test_access import NAMES

Address = Callable[[str], str]
SECRET = "s" * 32
# Not one of them leads to a page of ours.
ELSEWHERE = [
    "https://evil.example/", "http://evil.example/", "//evil.example/", "///evil.example/", "////evil.example",
    "/\\evil.example/", "\\\\evil.example/", "\\/evil.example/", "/\\/evil.example/", "\\evil.example",
    "https:evil.example", "https:/evil.example", "https:///evil.example", "http:///evil.example", "HTTPS://evil.example",
    "https://testserver@evil.example/", "https://testserver.evil.example/", "https://evil.example#testserver",
    "https://evil.example\\@testserver/", "//testserver@evil.example/", "//evil.example\\@testserver",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)", "data:text/html,x",
    "vbscript:x", "file:///etc/passwd", "ftp://evil.example/", "mailto:a@evil.example", " //evil.example",
    "\t//evil.example", "\n//evil.example", "\r\n//evil.example", "\x00//evil.example", "\x08//evil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "//evil%2eexample/", "//[::1]/", "//[evil.example",
    "https://[evil.example]/", "//2130706433/", "\u2028//evil.example", "\u3000//evil.example", "//\uff45vil.example/",
    "//evil\u3002example/", "?next=//evil.example", "evil.example", "home", "shop:home", "..//evil.example", "",
    "x" * 9000,
]  # fmt: skip


@pytest.fixture
def everybody(alice: User, dana: User, sign_in: Callable[..., None]) -> list[Client]:
    clients = [Client(), Client(), Client()]
    for client, user in zip(clients[1:], (alice, dana), strict=True):
        sign_in(client, user)
    return clients


def everything() -> dict[str, list[Any]]:
    """All items of all tables."""
    client = dynamodb.connection().client
    names = [model.Meta.table_name for model in tables()]
    return {name: client.scan(TableName=name, ConsistentRead=True)["Items"] for name in names}


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(everybody: list[Client], address: Address, method: str):
    reservations.reserve("guest-1", "prod-1", quantity=1)
    before = everything()

    for client in everybody:
        for name in NAMES:
            getattr(client, method)(
                address(name), {"product_id": "prod-1", "quantity": "1", "status": "paid", "language": "en"}
            )

    assert everything() == before


def test_a_form_changes_something(client: Client, product: Product):
    """If that were not seen here, the test above would prove nothing."""
    before = everything()

    client.post("/cart/add/", {"product_id": product.id, "quantity": "1"})

    assert everything() != before


# Forms


def sent(client: Client, where: str, **headers: str) -> int:
    client.cookies[settings.CSRF_COOKIE_NAME] = SECRET
    return client.post(where, {"csrfmiddlewaretoken": SECRET}, headers=headers, secure=True).status_code


@pytest.fixture
def strict(dana: User, sign_in: Callable[..., None]) -> Client:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, dana)
    return client


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://testserver"},
        {"origin": "https://testserver.evil.example"},
        {"origin": "https://testserver:444"},
        {"origin": "null"},
        {"origin": ""},
        {"referer": "https://evil.example/"},
        {"referer": "http://testserver/"},
        {"referer": "https://testserver.evil.example/"},
        {"referer": "nonsense"},
        {},
    ],
)
def test_no_address_takes_a_form_of_another_site_even_with_the_right_token(
    strict: Client, address: Address, headers: dict[str, str]
):
    found = {name: sent(strict, address(name), **headers) for name in NAMES}

    assert {name: status for name, status in found.items() if status not in (403, 405)} == {}


def test_the_same_forms_are_taken_from_our_own_pages(strict: Client, address: Address):
    """If these were refused too, the test above would prove nothing."""
    found = {name: sent(strict, address(name), origin="https://testserver") for name in NAMES}

    assert 403 not in found.values()


@pytest.mark.parametrize("token", [None, "", "t" * 32, "t" * 64, SECRET.upper(), SECRET[:-1]])
def test_no_address_takes_a_form_without_its_visitors_token(strict: Client, address: Address, token: str | None):
    strict.cookies[settings.CSRF_COOKIE_NAME] = SECRET
    form = {} if token is None else {"csrfmiddlewaretoken": token}
    found = {name: strict.post(address(name), form).status_code for name in NAMES}

    assert set(found.values()) <= {403, 405}


# Where to go on


def test_there_are_enough_ways_elsewhere():
    assert len(ELSEWHERE) >= 40


@pytest.mark.parametrize(
    ("way_in", "goes_to", "how"), [("/account/", "/account/", "query"), ("/admin/", "/admin/", "form")]
)
def test_log_in_leads_nobody_elsewhere(dana: User, way_in: str, goes_to: str, how: str):
    led = set()
    for where in ELSEWHERE:
        form, query = {"email": dana.email, "password": PASSWORD}, {"next": where}
        handed_in = {"data": form, "query_params": query} if how == "query" else {"data": form | query}
        answer = Client().post(f"{way_in}login/", **handed_in)
        led.add((answer.status_code, answer["Location"]))

    assert led == {(302, goes_to)}


def test_the_ways_elsewhere_are_real(alice: User, monkeypatch: pytest.MonkeyPatch):
    """A shop that only wants a path is led to other hosts by several of them."""
    monkeypatch.setattr("shop.pages.url_has_allowed_host_and_scheme", lambda *_, **__: True)
    led = set()
    for where in (one for one in ELSEWHERE if one.startswith("//") and "[" not in one):
        answer = Client().post("/account/login/", {"email": alice.email, "password": PASSWORD, "next": where})
        led.add(answer.get("Location", ""))

    assert len([where for where in led if where.startswith("//")]) > 5


@pytest.mark.parametrize("address", ["/account/login/", "/account/register/", "/admin/login/"])
def test_no_page_repeats_a_way_elsewhere(client: Client, address: str):
    for where in filter(None, ELSEWHERE[:44]):
        page = client.get(address, {"next": where}).content.decode()
        field = page.partition('name="next" value="')[2].partition('"')[0]
        assert "evil" not in field.partition("?")[0], where


def test_a_change_of_language_leads_nobody_elsewhere(client: Client):
    led = [client.post("/language/", {"language": "en", "next": where})["Location"] for where in ELSEWHERE]

    # What names no other site is a name below the page's own address.
    hosts = {urlsplit(urljoin("https://testserver/language/", where)).netloc for where in led}
    assert hosts == {"testserver"}
    assert not any("\\" in where for where in led)


@pytest.mark.parametrize("where", ["/cart/", "/products/?q=hut&sort=price", "/checkout/"])
def test_a_page_of_ours_is_where_one_goes_on(dana: User, where: str):
    answer = Client().post("/account/login/", {"email": dana.email, "password": PASSWORD, "next": where})

    assert answer["Location"] == where


# What is somebody else's


def test_an_order_of_somebody_else_is_not_there(everybody: list[Client], bobs_order: Order):
    for client in everybody:
        answers = [
            client.get(f"/orders/{bobs_order.id}/"),
            client.get(f"/orders/{bobs_order.id}/?key=forged"),
            client.post(f"/orders/{bobs_order.id}/cancel/"),
            client.post(f"/orders/{bobs_order.id}/cancel/", {"key": f"{bobs_order.id}:forged"}),
        ]
        assert [answer.status_code for answer in answers] == [404] * 4
    bobs_order.refresh(consistent_read=True)
    assert bobs_order.status == "pending"


# What a form must not decide


ALL_FIELDS = {
    "id": "x", "user_id": "x", "userId": "x", "role": "admin", "is_admin": "1", "password_hash": "x", "price": "0.01",
    "price_cents": "1", "total": "0.01", "total_cents": "1", "totalAmount": "0.01", "stock": "999", "available": "999",
    "reserved": "999", "moves": "999", "version": "999", "hold": "held", "expires_at": "2099-01-01T00:00:00Z",
    "expiresAt": "2099-01-01T00:00:00Z", "order_id": "x", "orderId": "x", "status": "paid", "number": "EK-0000-0000",
    "history": "x", "created_at": "2000-01-01T00:00:00Z", "tracking": "x", "owner": "x", "guest_id": "x",
    "account_id": "x",
}  # fmt: skip


def test_no_form_of_a_customer_decides_price_owner_state_or_role(product: Product):
    client = Client()
    client.post(
        "/account/register/",
        {"name": "Eve", "email": "eve@example.com", "password": PASSWORD, "password_again": PASSWORD, **ALL_FIELDS},
    )
    client.post("/account/login/", {"email": "eve@example.com", "password": PASSWORD, **ALL_FIELDS})
    client.post("/cart/add/", {"product_id": product.id, "quantity": "2", **ALL_FIELDS})
    token = client.get("/checkout/").context["basket"].token
    contact = {"name": "Eve", "email": "eve@example.com", "street": "B 1", "postal_code": "10115", "city": "C"}
    ordered = client.post("/checkout/", {**contact, "country": "DE", "checkout_token": token, **ALL_FIELDS})

    (eve,) = User.scan(User.role.exists())
    (order,) = Order.scan()
    product.refresh(consistent_read=True)
    assert ordered.status_code == 302
    assert (eve.role, order.user_id, order.total_cents, order.status) == ("user", eve.id, 2 * 9999, "pending")
    assert (product.stock, product.available, product.reserved, product.price_cents) == (8, 8, 0, 9999)


def test_a_products_form_decides_nothing_of_its_stock(product: Product, dana: User, sign_in: Callable[..., None]):
    client = Client()
    sign_in(client, dana)
    page = client.get(f"/admin/products/{product.id}/")
    form = {name: value for name, value in page.context["form"].initial.items() if value is not None}

    client.post(f"/admin/products/{product.id}/", {**form, "price": "99,99", "name": "Neu", **{
        name: value for name, value in ALL_FIELDS.items() if name not in ("price", "version", "status")
    }})  # fmt: skip

    product.refresh(consistent_read=True)
    assert (product.stock, product.available, product.reserved, product.price_cents) == (10, 10, 0, 9999)

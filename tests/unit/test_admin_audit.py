"""The audit log's page: found by who, about what, and when."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from inventory import accounts, audit, sessions, stock
from inventory.models import Product, User

PAGE = "/admin/audit/"
PRODUCT = {
    "name": "Hut",
    "description": "Sitzt.",
    "price": "9,99",
    "category": "shoes",
    "status": "active",
    "sku": "EK-7",
    "low_stock_at": "1",
}


@pytest.fixture(autouse=True)
def _dana_is_in(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    sign_in(client, dana)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def events(client: Client, **question: str) -> list[str]:
    return [entry.what for entry in client.get(PAGE, question).context["page"].entries]


def test_what_an_admin_changes_in_the_panel_is_told_with_name_before_and_after(
    client: Client, product: Product
) -> None:
    client.post(f"/admin/stock/{product.id}/", {"change": "5", "reason": "received", "note": "LS 7"})

    page = client.get(PAGE).text
    assert "Stock changed" in page
    assert "dana@example.com" in page
    assert f"product#{product.id}" in page
    assert "<del>10</del> → <ins>15</ins>" in page
    assert "received: LS 7" in page


@pytest.mark.parametrize(
    ("address", "event"),
    [
        ("/admin/products/{id}/archive/", "product.saved"),
        ("/admin/products/new/", "product.created"),
        ("/admin/products/{id}/", "product.saved"),
    ],
)
def test_every_change_of_a_product_names_its_admin(client: Client, product: Product, address: str, event: str) -> None:
    client.post(address.format(id=product.id), {**PRODUCT, "version": "1"})

    newest = audit.look(group="product").entries[0]
    assert (newest.actor, newest.what) == ("dana@example.com", event)


def test_it_is_found_by_who_did_it(client: Client, alice: User, product: Product) -> None:
    sessions.begin(alice, kind="shop", device="")
    stock.adjust(product.id, by=1, reason="received", note="", who="dana@example.com")

    assert events(client, who="Alice@example.com") == ["login.succeeded", "account.created"]
    assert "stock.adjusted" in events(client, who="dana@example.com")
    assert events(client, who="nobody@example.com") == []


@pytest.mark.parametrize("about", ["prod-1", "product#prod-1"])
def test_it_is_found_by_what_it_is_about(client: Client, product: Product, about: str) -> None:
    stock.adjust(product.id, by=1, reason="received", note="", who="dana@example.com")

    assert events(client, about=about) == ["stock.adjusted"]


def test_failed_log_ins_at_an_address_that_nobody_has_are_found(client: Client) -> None:
    accounts.authenticate("nobody@example.com", "wrong horse 9")

    assert events(client, about="address#n…@example.com") == ["login.failed"]


def test_a_products_page_leads_to_what_was_done_to_it(client: Client, product: Product) -> None:
    stock.adjust(product.id, by=1, reason="received", note="", who="dana@example.com")

    (address,) = re.findall(r'href="(/admin/audit/[^"]+)"', client.get(f"/admin/products/{product.id}/").text)

    assert [entry.what for entry in client.get(address).context["page"].entries] == ["stock.adjusted"]


def test_it_is_found_by_whose_account_and_which_order(client: Client, alice: User) -> None:
    audit.record("order.moved", by="dana@example.com", target="order#o-1")

    assert events(client, about="alice@example.com") == ["account.created"]
    assert events(client, about="o-1") == ["order.moved"]


@pytest.mark.parametrize("about", ["alice@example.com", "{id}", "account#{id}"])
def test_failed_log_ins_at_an_account_are_found_by_its_address_and_by_its_id(
    client: Client, alice: User, about: str
) -> None:
    accounts.authenticate("alice@example.com", "wrong horse 9")
    accounts.authenticate("adler@example.com", "wrong horse 9")

    assert events(client, about=about.format(id=alice.id), what="login") == ["login.failed"]


def test_it_is_found_by_kind_and_month(client: Client, alice: User) -> None:
    assert "account.created" in events(client, what="account", month=audit.this_month())
    assert events(client, what="stock") == []
    assert events(client, month="2020-01") == []


def test_older_entries_are_a_page_further_and_older_months_after_them(client: Client) -> None:
    for _ in range(40):
        audit.record("order.moved", by="somebody", target="order#o-1")

    first = client.get(PAGE, {"what": "order"})
    second = client.get(PAGE, {"what": "order", "before": first.context["page"].older})

    assert [len(one.context["page"].entries) for one in (first, second)] == [25, 15]
    assert f"month={audit.month_before(audit.this_month())}" in second.text
    assert "Newest" in second.text


@pytest.mark.parametrize(
    "question",
    [
        {"month": "November"},
        {"month": "2026-13"},
        {"what": "moon"},
        {"before": "yesterday"},
        {"before": "2026-11" + "0" * 100},
        {"who": "\x00"},
        {"who": "x" * 300},
        {"about": "x" * 300},
    ],
)
def test_a_question_that_makes_no_sense_is_said_so(client: Client, question: dict[str, str]) -> None:
    assert client.get(PAGE, question).status_code == 422


@pytest.mark.parametrize("question", [{"about": "<script>"}, {"about": "email#x"}, {"who": "email#x"}])
def test_a_strange_question_finds_nothing(client: Client, question: dict[str, str]) -> None:
    assert client.get(PAGE, question).status_code == 200
    assert events(client, **question) == []


def test_what_somebody_typed_is_no_html(client: Client) -> None:
    audit.record("order.moved", by="<script>alert(1)</script>", note="<b>")

    assert "<script>alert(1)" not in client.get(PAGE).text

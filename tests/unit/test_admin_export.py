"""A month's orders as a file: who may have it, what is in it, and that a spreadsheet takes none of it for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from inventory import audit, exports
from inventory.models import Address, Line, Order, User
from tests.unit import wire

PAGE = "/admin/orders/export/"
HEAD = ["Order number", "Time", "Status", "E-mail address", "Country", "Units", "Total in euros"]


@pytest.fixture(autouse=True)
def _dana_is_in(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    sign_in(client, dana)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def sold(number: str, at: str = "2026-10-15T12:00:00Z", **fields: object) -> Order:
    address = Address(name="Alice", street="Ulmenweg 1", postal_code="10115", city="Berlin", country="AT")
    lines = [Line(product_id="prod-1", quantity=3, price_cents=4150)]
    told = {"email": "alice@example.com", "address": address, "items": lines, "total_cents": 12450, **fields}
    order = Order(number.lower(), user_id="alice", number=number, created_at=datetime.fromisoformat(at), **told)
    order.save()
    return order


def lines(client: Client, month: str = "2026-10") -> list[list[str]]:
    answer = client.post(PAGE, {"month": month})
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_it_tells_of_each_order_what_the_books_need(client: Client) -> None:
    sold("EK-1", status="shipped")

    assert lines(client) == [HEAD, ["EK-1", "2026-10-15 14:00:00", "Shipped", "alice@example.com", "AT", "3", "124.50"]]


def test_it_is_a_file_in_a_code_that_excel_knows(client: Client) -> None:
    answer = client.post(PAGE, {"month": "2026-10"})

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="ecokart-orders-2026-10.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "no-store" in answer["Cache-Control"]


def test_it_holds_all_states_of_one_month_of_the_shops_time_oldest_first(client: Client) -> None:
    for number, at, status in [
        ("BEFORE", "2026-09-30T21:59:59.999999Z", "paid"),
        ("FIRST", "2026-09-30T22:00:00Z", "delivered"),
        ("LAST", "2026-10-31T22:59:59.999999Z", "pending"),
        ("AFTER", "2026-10-31T23:00:00Z", "paid"),
        ("MIDDLE", "2026-10-15T12:00:00Z", "cancelled"),
    ]:
        sold(number, at, status=status)

    assert [line[0] for line in lines(client)[1:]] == ["FIRST", "MIDDLE", "LAST"]


def test_december_ends_with_the_year(client: Client) -> None:
    with time_machine.travel("2027-01-10T12:00:00Z"):
        sold("IN", "2026-12-31T22:59:59Z")
        sold("OUT", "2026-12-31T23:00:00Z")

        found = exports.orders("2026-12", by="dana@example.com")

    assert [one.number for one in found] == ["IN"]


def test_an_order_of_the_first_version_or_a_forgotten_customers_has_empty_places(client: Client) -> None:
    order = Order("order-7", user_id="u", created_at=datetime(2026, 10, 1, 12, tzinfo=UTC), total_cents=5)
    order.save()

    assert lines(client)[1] == ["order-7", "2026-10-01 14:00:00", "Awaiting payment", "", "", "0", "0.05"]


@pytest.mark.parametrize("begins", ["=", "+", "-", "@"])
@pytest.mark.parametrize("before", ["", "\t", "\r", " "])
def test_no_cell_is_a_formula(client: Client, before: str, begins: str) -> None:
    sold("EK-1", email=f"{before}{begins}cmd|' /C calc'!A0")

    assert lines(client)[1][3] == f"'{begins}cmd|' /C calc'!A0"


def test_nothing_in_a_cell_ends_it_for_any_spreadsheet(client: Client) -> None:
    """A German Excel takes semicolons for the ends of cells: behind one, a formula could begin."""
    sold("EK-1", email='a"b,c;=1+1\n\td')

    assert lines(client)[1][3] == "a b c =1+1 d"


def test_an_order_that_goes_on_meanwhile_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    order = sold("EK-1", status="pending")
    placed = exports._placed

    def and_then_paid(status: str, month: str) -> list[Order]:
        found = list(placed(status, month))
        order.update([Order.status.set("paid")])
        return found

    monkeypatch.setattr(exports, "_placed", and_then_paid)

    assert [(one.number, one.status) for one in exports.orders("2026-10", by="x")] == [("EK-1", "Bezahlt")]


def test_it_reads_the_index_and_scans_nothing(client: Client) -> None:
    sold("EK-1")
    with wire.heard() as calls:
        lines(client)

    asked = [(name, params.get("IndexName")) for name, params in calls if params.get("TableName") == "ecokart-orders"]
    assert asked == [("Query", "status-index")] * 5


def test_the_audit_log_names_who_took_it_and_which_month(client: Client) -> None:
    lines(client)

    entry = audit.look(group="order").entries[0]
    assert (entry.actor, entry.what, entry.note) == ("dana@example.com", "order.exported", "2026-10")
    assert "Orders exported" in client.get("/admin/audit/?what=order").text


def test_without_an_entry_nobody_gets_anything(client: Client, pauses: list[float]) -> None:
    sold("EK-1")
    with wire.losing_requests("TransactWriteItems", times=99):
        answer = client.post(PAGE, {"month": "2026-10"})

    assert answer.status_code == 409
    assert "EK-1" not in answer.text


def test_a_month_with_more_than_a_file_takes_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST", 1)
    sold("EK-1")
    sold("EK-2")

    answer = client.post(PAGE, {"month": "2026-10"})

    assert answer.status_code == 409
    assert "More than 1 orders were placed in this month." in answer.text
    assert audit.look(group="order").entries == []


@pytest.mark.parametrize("month", ["", "October", "2026-13", "1999-12", "0001-01", "9999-12", "\x00", "2026-10-01"])
def test_a_month_that_makes_no_sense_is_said_so(client: Client, month: str) -> None:
    answer = client.post(PAGE, {"month": month})

    assert answer.status_code == 422
    assert "month" in answer.context["form"].errors


def test_it_needs_a_confirmation_a_quarter_of_an_hour_later(client: Client, later: Callable[..., None]) -> None:
    sold("EK-1")
    later(minutes=20)

    answer = client.post(PAGE, {"month": "2026-10"})

    assert answer.status_code == 403
    assert 'name="month" value="2026-10"' in answer.text
    assert "EK-1" not in answer.text
    assert client.get(PAGE).status_code == 200


def test_the_list_of_orders_leads_to_it(client: Client) -> None:
    assert f'href="{PAGE}"' in client.get("/admin/orders/").text

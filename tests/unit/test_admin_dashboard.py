"""The dashboard: what there is to do, the figures, and the chart that a server draws."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client

from adminpanel import charts
from inventory import checkout, orders, reservations
from inventory.models import Order, Product, User


@pytest.fixture(autouse=True)
def _dana_is_in(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    sign_in(client, dana)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


@pytest.fixture
def order(product: Product, contact: checkout.Contact) -> Order:
    cart = reservations.reserve("guest-1", product.id, quantity=2)
    return checkout.place_order("guest-1", token=str(cart.order_id), contact=contact)


def shown(page: object) -> str:
    """The words of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_an_empty_shop_explains_itself(client: Client) -> None:
    page = client.get("/admin/")

    assert page.status_code == 200
    assert "Nobody has ordered yet" in page.text
    assert "Nothing to reorder" in page.text


def test_the_to_do_list_counts_what_waits(client: Client, order: Order, make_product: Callable[..., Product]) -> None:
    make_product(id="prod-low", stock=1, name="Mütze Knapp")

    words = shown(client.get("/admin/"))

    assert "0 orders to ship" in words
    assert "1 order awaiting payment" in words
    assert "1 product low in stock" in words
    assert "Mütze Knapp 1 available" in words


def test_the_figures_follow_the_orders(client: Client, order: Order) -> None:
    reservations.reserve("guest-2", order.items[0].product_id, quantity=3)
    orders.advance(order, to="paid", by="dana@example.com")

    words = shown(client.get("/admin/"))

    assert "1 order to ship" in words
    assert "Orders today 1" in words
    assert "Revenue today €199.98" in words
    assert "Revenue in 30 days €199.98" in words
    assert "Open orders 1" in words
    assert "Units held in carts 3" in words
    assert order.number in words


def test_the_chart_has_a_table_that_says_the_same(client: Client, order: Order) -> None:
    orders.advance(order, to="paid", by="dana@example.com")

    page = client.get("/admin/").text

    assert page.count('<rect class="admin-chart__bar"') == 14
    table = page[page.index("As a table") :]
    assert table.count("<tr>") == 15
    assert "€199.98" in table


def test_no_page_has_styles_or_scripts_in_its_elements(client: Client, order: Order, product: Product) -> None:
    for address in ("", "products/", "products/new/", f"products/{product.id}/", "stock/", f"orders/{order.id}/"):
        page = client.get(f"/admin/{address}").text

        assert not re.search(r"<[^>]+\sstyle=", page)
        assert not re.search(r"<[^>]+\son[a-z]+=", page)
        assert re.findall(r"<script[^>]*>([^<]*)</script>", page) == [""]


def test_bars_reach_as_high_as_their_amounts() -> None:
    day = date(2026, 11, 22)

    chart = charts.by_day([(day, 20_000), (day + timedelta(1), 5_000), (day + timedelta(2), 0)])

    assert chart.top_cents == 20_000
    assert [bar.height for bar in chart.bars] == [charts.HEIGHT, charts.HEIGHT // 4, 0]
    assert all(bar.y + bar.height == charts.HEIGHT for bar in chart.bars)
    assert chart.total_cents == 25_000


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 10_000), (1, 10_000), (10_000, 10_000), (10_001, 20_000), (45_000, 50_000), (999_999, 1_000_000)],
)
def test_a_chart_ends_at_a_round_number(most: int, top: int) -> None:
    assert charts.by_day([(date(2026, 11, 22), most)]).top_cents == top

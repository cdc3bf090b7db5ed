"""Forty customers and ten units, through HTTP, against the server that production runs."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import requests

from ecokart import local
from inventory import orders, stock
from inventory.models import Product

CUSTOMERS = 40
UNITS = 10
PATIENCE_SECONDS = 60


@dataclass
class Customer:
    """One who wants one unit: what the shop answered, and the order, if there is one."""

    shop: str
    statuses: list[int] = field(default_factory=list)
    order_id: str = ""
    was_told: str = ""

    def buy(self, product: Product, start: threading.Barrier) -> Customer:
        with requests.Session() as browser:
            browser.trust_env = False
            page = self._ask(browser, f"/products/{product.id}/")
            start.wait(PATIENCE_SECONDS)
            page = self._ask(browser, "/cart/add/", product_id=product.id, quantity="1", csrf=page)
            if urlsplit(page.url).path == "/cart/":
                page = self._order(browser)
            self.was_told = " ".join(re.findall(r'class="alert alert--error".*?</div>', page.text, re.DOTALL))
        return self

    def _order(self, browser: requests.Session) -> requests.Response:
        page = self._ask(browser, "/checkout/")
        address = {"name": "A", "street": "B 1", "postal_code": "10115", "city": "C", "country": "DE"}
        token = _hidden("checkout_token", page)
        page = self._ask(browser, "/checkout/", email="a@example.com", checkout_token=token, csrf=page, **address)
        found = re.fullmatch(r"/orders/([^/]+)/", urlsplit(page.url).path)
        self.order_id = found[1] if found else ""
        return page

    def _ask(
        self, browser: requests.Session, path: str, *, csrf: requests.Response | None = None, **form: str
    ) -> requests.Response:
        if csrf is None:
            page = browser.get(self.shop + path, timeout=PATIENCE_SECONDS)
        else:
            form["csrfmiddlewaretoken"] = _hidden("csrfmiddlewaretoken", csrf)
            page = browser.post(self.shop + path, form, timeout=PATIENCE_SECONDS)
        self.statuses += [answer.status_code for answer in (*page.history, page)]
        return page


def _hidden(name: str, page: requests.Response) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    return found[1] if found else ""


def race(shop: str, product: Product) -> list[Customer]:
    """All customers press the button at the same moment."""
    start = threading.Barrier(CUSTOMERS)
    with ThreadPoolExecutor(CUSTOMERS) as pool:
        customers = [pool.submit(Customer(shop).buy, product, start) for _ in range(CUSTOMERS)]
        return [customer.result(PATIENCE_SECONDS * 2) for customer in customers]


@pytest.fixture(scope="module")
def open_shop(environment: local.Environment) -> Callable[[str], AbstractContextManager[str]]:
    """A shop on a port of its own: ``with open_shop("ecokart.wsgi") as address``."""
    local.manage("collectstatic", "--noinput", environment=environment)

    @contextmanager
    def open_shop(application: str) -> Iterator[str]:
        port = local.free_port()
        with local.gunicorn(port, environment=environment, application=application):
            yield f"http://{local.HOST}:{port}"

    return open_shop


def test_the_race_is_real(open_shop, make_product):
    """If the naive shop does not oversell here, the test below proves nothing."""
    product = make_product(stock=UNITS)

    with open_shop("tests.integration.naive_wsgi") as shop:
        customers = race(shop, product)

    assert sum(bool(customer.order_id) for customer in customers) > UNITS


def test_forty_customers_race_for_ten_units_and_ten_are_sold(open_shop, make_product):
    product = make_product(stock=UNITS)

    with open_shop("tests.recorded_wsgi") as shop:
        customers = race(shop, product)

    bought = [customer for customer in customers if customer.order_id]
    refused = [customer for customer in customers if not customer.order_id]
    assert (len(bought), len(refused)) == (UNITS, CUSTOMERS - UNITS)
    assert all(product.name in customer.was_told for customer in refused)
    assert max(status for customer in customers for status in customer.statuses) < 500
    assert_the_numbers_add_up(product, {customer.order_id for customer in bought})


def assert_the_numbers_add_up(product: Product, order_ids: set[str]) -> None:
    product.refresh(consistent_read=True)
    movements = stock.movements(product.id)
    placed = [orders.find(order_id) for order_id in order_ids]
    assert (product.stock, product.available, product.reserved) == (0, 0, 0)
    assert sum(movement.quantity for movement in movements) == 0
    assert {movement.order_id for movement in movements if movement.kind == "sold"} == order_ids
    assert sum(order.units for order in placed) == UNITS
    assert stock.holds(product.id) == []

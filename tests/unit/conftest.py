"""The world of the unit tests: DynamoDB is moto, in this process, in one thread."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.dynamodb.models import dynamodb_backends
from pytest_django.fixtures import Settings

from inventory import accounts, catalogue, checkout, clock, dynamodb, pace, products, reservations, sessions, tables
from inventory.models import Order, Product, TableMeta, User
from inventory.replica import tail
from shop import ready
from tests import recorder
from tests.proofs import quick_garbage

recorder.begin("unit")
recorder.record("unit")

# No test depends on how fast the copy of the catalogue is filled.
tail.PATIENCE_SECONDS = tail.FIRST_PATIENCE_SECONDS = None
PASSWORD = "correct horse 1"

# The same examples in every run, however slow the machine is.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")


def pytest_collection_finish() -> None:
    """What is imported by now stays: to look through it again and again took a quarter of the tests' time."""
    gc.collect()
    quick_garbage()


#: What walks through the whole shop, or is about the function and its package. To watch every line that runs for a page
#: takes as long as the page, and the core has tests of its own: ``make coverage`` is about those.
_NOT_MEASURED = (
    "test_access", "test_admin_audit", "test_admin_products", "test_bad_input", "test_data_stack", "test_deploy",
    "test_doors", "test_headers", "test_lambda", "test_lambda_bench", "test_logs", "test_observing", "test_package",
    "test_ready", "test_shop_catalogue", "test_shop_pages",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem not in _NOT_MEASURED:
            item.add_marker("measured")


@pytest.fixture(scope="session")
def made_tables(_aws: None) -> dict[str, Any]:
    """The empty tables as moto keeps them. Making them for each of 1,500 tests would take longer than the tests."""
    for _ in tables.create():
        pass
    return copy.deepcopy(dynamodb_backends[DEFAULT_ACCOUNT_ID][TableMeta.region].tables)


@pytest.fixture(scope="session", autouse=True)
def _aws() -> Iterator[None]:
    """All tests' AWS. To begin it anew for each takes moto longer than many a test."""
    pick = AttributePicker.__call__

    def picked(self: AttributePicker, context: AttributePickerContext) -> Any:
        # What moto answers for DynamoDB has the names of DynamoDB; it would try five others for each that is not there.
        is_plain = type(context.obj) is dict and context.service_model.service_name == "dynamodb"
        return context.obj.get(context.key) if is_plain else pick(self, context)

    with mock_aws(), mock.patch.object(AttributePicker, "__call__", picked):
        yield


@pytest.fixture(autouse=True)
def _empty_shop(settings: Settings, made_tables: dict[str, Any]) -> None:
    """Fresh tables, no pictures, and nothing remembered of the test before."""
    settings.STORAGES = dict(settings.STORAGES)  # Django opens new storages when the setting changes.
    BackendDict.reset()
    dynamodb_backends[DEFAULT_ACCOUNT_ID][TableMeta.region].tables.update(copy.deepcopy(made_tables))
    catalogue.forget()
    ready.forget()
    pace.forget()
    # A request leaves its visitor's language behind.
    translation.deactivate()


@pytest.fixture
def make_product() -> Callable[..., Product]:
    """Put a product on the shelf: ``make_product(stock=3, name="Hat")``."""

    def make(*, id: str = "prod-1", stock: int = 10, **fields: Any) -> Product:
        defaults = {"name": "Laufschuh Luchs", "price_cents": 9999, "category": "shoes", "sku": "EK-1"}
        return products.add(Product(id, **{**defaults, **fields}), units=stock, by="test")

    return make


@pytest.fixture
def product(make_product: Callable[..., Product]) -> Product:
    return make_product()


@pytest.fixture
def contact() -> checkout.Contact:
    return checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")


@pytest.fixture
def alice() -> User:
    """The customer."""
    return accounts.register(email="alice@example.com", password=PASSWORD, name="Alice")


@pytest.fixture
def bob() -> User:
    """Another customer."""
    return accounts.register(email="bob@example.com", password=PASSWORD, name="Bob")


@pytest.fixture
def dana() -> User:
    """The admin."""
    return accounts.create_admin(email="dana@example.com", password=PASSWORD, name="Dana")


@pytest.fixture
def sign_in() -> Callable[[Client, User], None]:
    """Give a client the session that a log-in would have given it."""

    def sign_in(client: Client, user: User) -> None:
        session = client.session
        session.update(session_of(user))
        session.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

    return sign_in


def session_of(user: User) -> dict[str, str | int]:
    """What the cookie says after a log-in: an admin's, after the second factor too."""
    claims = sessions.begin(user, kind="admin" if user.is_admin else "shop", device="Firefox, Linux")
    if user.is_admin:
        with dynamodb.transaction() as tx:
            now = dynamodb.get(User, user.id)
            sessions.confirm(tx, now, str(claims["sid"]), clock.now(), with_factor=True)
    return claims


@pytest.fixture
def bobs_order(product: Product, contact: checkout.Contact) -> Order:
    cart = reservations.reserve("bob", product.id, quantity=1)
    return checkout.place_order("bob", token=str(cart.order_id), contact=contact)


@pytest.fixture
def address(product: Product, bobs_order: Order, dana: User) -> Callable[[str], str]:
    """Where a name leads, whatever it needs: ``address("shop:order-detail")`` is Bob's order."""
    arguments = {
        "icons": ["any"],
        "shop:product-detail": [product.id],
        "shop:order-detail": [bobs_order.id],
        "shop:order-cancel": [bobs_order.id],
        "shop:info": ["imprint"],
        "shop:address-edit": ["bobs"],
        "shop:address-default": ["bobs"],
        "shop:address-remove": ["bobs"],
        "adminpanel:account-detail": [dana.id],
        "adminpanel:product-detail": [product.id],
        "adminpanel:product-archive": [product.id],
        "adminpanel:stock-detail": [product.id],
        "adminpanel:order-detail": [bobs_order.id],
        "adminpanel:order-status": [bobs_order.id],
    }
    return lambda name: reverse(name, args=arguments.get(name, []))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    slept: list[float] = []
    monkeypatch.setattr("inventory.dynamodb.time.sleep", slept.append)
    return slept


@pytest.fixture
def later() -> Iterator[Callable[..., None]]:
    """Move the clock: ``later(hours=3)``. It runs on from there until the test ends."""
    travellers: list[time_machine.travel] = []

    def move(**amount: float) -> None:
        traveller = time_machine.travel(clock.now() + timedelta(**amount))
        traveller.start()
        travellers.append(traveller)

    yield move
    for traveller in reversed(travellers):
        traveller.stop()

"""The world of the integration tests: DynamoDB emulated on loopback, threads and processes.

The variable ENGINE chooses one of ``tests/engines.py``; ``make integration`` runs everything on both.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecokart import local
from inventory import accounts, checkout, products, tables
from inventory.models import Product, User
from tests import engines, recorder


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local.Environment]:
    """An engine with its tables, for this process and for the shops that a test starts with this environment."""
    name = os.environ.get("ENGINE", "ministack")
    with engines.running(name, directory=tmp_path_factory.mktemp(name)) as environment:
        engines.use(environment)
        for _ in tables.create():
            pass
        recorder.begin("integration")
        yield environment | {"WORLD": "integration"}


@pytest.fixture
def make_product() -> Callable[..., Product]:
    """Put a product on the shelf: ``make_product(stock=3)``. Each has an id of its own, because the tables live on."""

    def make(*, stock: int = 10, **fields: Any) -> Product:
        defaults = {"name": "Laufschuh Luchs", "price_cents": 9999, "category": "shoes", "sku": "EK-1"}
        return products.add(Product(f"prod-{uuid.uuid4().hex}", **{**defaults, **fields}), units=stock, by="test")

    return make


@pytest.fixture
def product(make_product: Callable[..., Product]) -> Product:
    return make_product()


@pytest.fixture
def contact() -> checkout.Contact:
    return checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")


@pytest.fixture
def alice() -> User:
    """A customer, with an address that nobody had before."""
    return accounts.register(email=f"alice-{uuid.uuid4().hex}@example.com", password="correct horse 1", name="Alice")

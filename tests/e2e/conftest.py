"""The world of the end-to-end tests: the emulated AWS, the shop under gunicorn, and Chromium."""

from __future__ import annotations

import functools
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from ecokart import local
from inventory import products
from inventory.models import Product
from tests import recorder
from tests.e2e import hours_later
from tests.e2e.visitor import Visitor

# No sandbox, because CI runs as root; and nothing that asks the network for anything but our pages.
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MILLISECONDS = 15_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)
recorder.begin("e2e")


@dataclass(frozen=True)
class Shop:
    """A running shop with the demo catalogue and its two accounts."""

    address: str
    environment: local.Environment


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    directory = tmp_path_factory.mktemp("shop")
    aws_port, port = local.free_port(), local.free_port()
    # Everybody comes from one address here.
    environment = local.shop_environment(aws_port=aws_port, directory=directory) | {"LIMITS": "0"}
    with local.emulated_aws(aws_port, directory=directory / "aws"), pytest.MonkeyPatch.context() as patch:
        # For the products that tests put on the shelf from this process.
        for name in environment:
            if name.startswith("AWS_"):
                patch.setenv(name, environment[name])
        local.prepare(environment)
        environment["WORLD"] = "e2e"
        with local.gunicorn(port, environment=environment, application="tests.recorded_wsgi"):
            yield Shop(f"http://{local.HOST}:{port}", environment)


@pytest.fixture(scope="session")
def shop_later(shop: Shop) -> Iterator[str]:
    """The address of the same shop three hours on: another gunicorn on the same tables."""
    port = local.free_port()
    options = (f"--config={hours_later.__file__}",)
    with local.gunicorn(port, environment=shop.environment, application="tests.recorded_wsgi", options=options):
        yield f"http://{local.HOST}:{port}"


@pytest.fixture(scope="session")
def shop_strict(shop: Shop) -> Iterator[str]:
    """The address of the same shop where admins need a second factor, as in production: another gunicorn."""
    port = local.free_port()
    strict = shop.environment | {"ADMIN_SECOND_FACTOR": "1"}
    with local.gunicorn(port, environment=strict, application="tests.recorded_wsgi"):
        yield f"http://{local.HOST}:{port}"


def chromium() -> str:
    """Where the browser is."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        pytest.fail("Chromium is missing. On Debian or Ubuntu: sudo apt-get install chromium")
    return executable


@contextmanager
def opened_chromium(**options: Any) -> Iterator[Browser]:
    """The browser, with options of Playwright's ``launch``."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM, **options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Start a browser: ``launch(ignore_default_args=[…])``."""
    with sync_playwright() as playwright:
        yield functools.partial(playwright.chromium.launch, executable_path=chromium(), args=CHROMIUM)


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture(params=[True, False], ids=["with-js", "without-js"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """Every test that lets somebody in is run twice."""
    return bool(request.param)


@pytest.fixture
def new_visitor(browser: Browser, shop: Shop, javascript: bool) -> Iterator[Callable[..., Visitor]]:
    """Somebody with a browser of their own: ``new_visitor(language="en")``."""
    contexts = []

    def come(*, language: str = "de", **options: Any) -> Visitor:
        context = browser.new_context(
            base_url=shop.address,
            locale={"de": "de-DE", "en": "en-GB"}[language],
            java_script_enabled=javascript,
            **options,
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        contexts.append(context)
        return Visitor(context.new_page(), language)

    yield come
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    return new_visitor()


@pytest.fixture
def make_product(shop: Shop) -> Callable[..., Product]:
    """Put a product on the shelf that no other test touches: ``make_product(stock=3)``."""

    def make(*, stock: int = 10, **fields: Any) -> Product:
        key = uuid.uuid4().hex[:8]
        words = {"name": f"Laufschuh {key}", "description": "Läuft und läuft.", "sku": f"EK-{key}"}
        defaults = {**words, "price_cents": 9999, "category": "shoes"}
        return products.add(Product(f"test-{key}", **{**defaults, **fields}), units=stock, by="test")

    return make


@pytest.fixture
def product(make_product: Callable[..., Product]) -> Product:
    return make_product()

"""The way back: pages of the catalogue come out of the browser's memory, as they were left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from inventory.models import Product
from tests.e2e.conftest import PATIENCE_MILLISECONDS, Shop
from tests.e2e.visitor import comes_true

LISTEN = 'addEventListener("pageshow", event => { window.cameBack = event.persisted; });'


@pytest.fixture
def page(shop: Shop, launch: Callable[..., Browser]) -> Iterator[Page]:
    """A browser as people have it: the one that the other tests share keeps no pages."""
    browser = launch(ignore_default_args=["--disable-back-forward-cache"])
    page = browser.new_page(base_url=shop.address, locale="de-DE")
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    page.add_init_script(LISTEN)
    yield page
    browser.close()


@pytest.mark.parametrize("left", ["/", "/products/", "/products/?q=laufschuh", "/products/{product}/"])
def test_a_page_comes_back_from_the_browsers_memory(page: Page, product: Product, left: str) -> None:
    page.goto(left.format(product=product.id))
    page.locator(".product-card a").first.click()
    page.wait_for_load_state()

    page.go_back(wait_until="commit")

    assert comes_true(page, "window.cameBack !== undefined")
    why = page.evaluate('JSON.stringify(performance.getEntriesByType("navigation")[0].notRestoredReasons)')
    assert page.evaluate("window.cameBack") is True, why

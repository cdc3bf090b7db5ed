"""Every kind of page, as a browser and those who need help from it see it: nothing broken, nothing shut out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from inventory import accounts
from tests.accessibility import ADMINS, CUSTOMERS, LOOKS, NARROW, PUBLIC, violations
from tests.e2e.visitor import PASSWORD, Visitor, comes_true, new_email

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SETTLING_MILLISECONDS = 2_000
STICKS_OUT = """
    [...document.querySelectorAll("body *")].filter(element => element.getBoundingClientRect().right > innerWidth)
        .map(element => `${element.localName}.${element.className}`).slice(0, 8).join(", ")
"""
LOUD = ("error", "warning")


@pytest.fixture
def javascript() -> bool:
    return True


@pytest.fixture(params=LOOKS, ids=["german-light-wide", "english-dark-narrow"])
def somebody(request: pytest.FixtureRequest, new_visitor: Callable[..., Visitor]) -> Visitor:
    language, colours, size = request.param
    return new_visitor(language=language, color_scheme=colours, viewport=size, reduced_motion="reduce")


@pytest.fixture
def look_at(somebody: Visitor, product, make_product) -> Callable[..., None]:
    """Look at some pages, at all of them before saying what is wrong."""
    sold_out = make_product(stock=0)

    def look_at(paths: list[str], **others: str) -> None:
        places = {"product": product.id, "sold_out": sold_out.id, **others}
        found = [f"{path}: {flaw}" for path in paths for flaw in flaws(somebody, path.format(**places))]
        assert not found, "\n".join(found)

    return look_at


def test_public_pages(look_at):
    look_at(PUBLIC)


def test_pages_of_a_customer(look_at, somebody, product):
    order = _bought(somebody, product.id)
    somebody.puts_into_the_cart(product.id)

    look_at(CUSTOMERS, order=order)


def test_pages_of_an_admin(look_at, somebody, product):
    order = _bought(somebody, product.id)
    bob = accounts.create(email=new_email("bob"), password=PASSWORD, name="Bob")
    somebody.logs_in_as_admin()

    look_at(ADMINS, order=order, account=bob.id)


def test_forms_that_were_wrong_say_so_to_everybody(somebody):
    somebody.open("/account/register/")
    somebody.fill(name="A", email="a@example.com", password="12345678", password_again="87654321")
    somebody.press("Create an account")
    somebody.sees_words("Please check your input")

    assert shuts_out(somebody.page) + too_wide(somebody.page) == []


def test_pages_that_went_wrong(somebody):
    answer = somebody.page.goto("/products/there-is-no-such-product/")

    assert answer.status == 404
    assert shuts_out(somebody.page) + too_wide(somebody.page) == []

    answer = somebody.page.goto("/account/verify/?key=made-up")

    assert answer.status == 410
    assert shuts_out(somebody.page) + too_wide(somebody.page) == []


def flaws(visitor: Visitor, path: str) -> list[str]:
    """What is wrong with a page: in the console, on the wire, for those who cannot see or point, on a small screen."""
    found: list[str] = []
    with visitor.page.context.new_page() as page:
        page.on("console", lambda message: found.append(message.text) if message.type in LOUD else None)
        page.on("pageerror", lambda error: found.append(f"script: {error}"))
        page.on("requestfailed", lambda request: found.append(f"no answer: {request.url}"))
        page.goto(path)
        return found + shuts_out(page) + too_wide(page)


def shuts_out(page: Page) -> list[str]:
    return [f"{rule}: {where}" for rule, where in violations(page)]


def too_wide(page: Page) -> list[str]:
    page.set_viewport_size(NARROW)
    # A moment to lay the page out anew, and to put the font in place.
    if comes_true(page, FITS, milliseconds=SETTLING_MILLISECONDS):
        return []
    return [f"sticks out on a small screen: {page.evaluate(STICKS_OUT)}"]


def _bought(visitor: Visitor, product_id: str) -> str:
    """A customer with an order; gives the order's id."""
    visitor.registers(new_email("alice"))
    visitor.puts_into_the_cart(product_id)
    visitor.buys()
    return visitor.page.url.split("/orders/")[1].split("/")[0]

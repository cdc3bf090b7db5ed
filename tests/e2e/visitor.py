"""A person at a browser, who finds things by the words on the page, in the page's own language."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pyotp
from django.utils import translation
from playwright.sync_api import Locator, Page, expect

from ecokart import local

PASSWORD = "sieben runden im park"
ADDRESS = {"name": "Alice Adler", "street": "Ulmenweg 1", "postal_code": "10115", "city": "Berlin"}


def new_email(name: str) -> str:
    """An address that nobody in this run has used."""
    return f"{name}-{uuid.uuid4().hex[:12]}@example.com"


class Visitor:
    """``words`` are the source's English; what is looked for on the page is their translation."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.language = language

    def words(self, english: str) -> str:
        with translation.override(self.language):
            return translation.gettext(english)

    def button(self, english: str, *, of: str = "main") -> Locator:
        return self.page.locator(of).get_by_role("button", name=self.words(english)).first

    def link(self, english: str, *, of: str = "main") -> Locator:
        return self.page.locator(of).get_by_role("link", name=self.words(english)).first

    def open(self, path: str) -> None:
        self.page.goto(path)

    def finds(self, path: str, english: str) -> None:
        """Opens a page until it says this: another server's change of stock shows there within two seconds."""
        for _ in range(20):
            self.open(path)
            if self.words(english) in self.page.locator("main").inner_text():
                return
            self.page.wait_for_timeout(200)
        self.sees_words(english)

    def press(self, english: str) -> None:
        self.button(english).click()

    def follow(self, english: str, *, of: str = "main") -> None:
        self.link(english, of=of).click()

    def fill(self, **fields: str) -> None:
        """Fill fields by the names under which they are sent."""
        for name, value in fields.items():
            field = self.page.locator(f"main [name={name}]:visible")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)

    def sees(self, text: str) -> None:
        expect(self.page.locator("body")).to_contain_text(text)

    def sees_words(self, english: str) -> None:
        self.sees(self.words(english))

    def is_at(self, path: str) -> None:
        expect(self.page).to_have_url(re.compile(rf"^http://[^/]+{path}"))

    # What people come for

    def registers(self, email: str) -> None:
        """Open an account and log in to it."""
        self.open("/account/register/")
        self.fill(name="Alice Adler", email=email, password=PASSWORD, password_again=PASSWORD)
        self.press("Create an account")
        self.is_at("/account/login/")
        self.fill(email=email, password=PASSWORD)
        self.press("Log in")
        self.is_at("/account/$")

    def logs_in(self, email: str, password: str) -> None:
        self.open("/account/login/")
        self.fill(email=email, password=password)
        self.press("Log in")
        self.is_at("/account/$")

    def logs_in_as_admin(self) -> None:
        self.open("/admin/login/")
        self.fill(email=local.ADMIN.email, password=local.ADMIN.password)
        self.press("Log in")
        self.is_at("/admin/$")

    def sets_up_the_second_factor(self) -> list[str]:
        """Does what the page says, with an app that types the key; gives the recovery codes."""
        secret = self.page.locator("#secret").inner_text().replace(" ", "")
        self.fill(code=pyotp.TOTP(secret).now())
        self.press("Continue")
        expect(self.page.locator(".admin-codes li")).to_have_count(10)
        return self.page.locator(".admin-codes li").all_inner_texts()

    def puts_into_the_cart(self, product_id: str, *, quantity: int = 1) -> None:
        self.open(f"/products/{product_id}/")
        self.fill(quantity=str(quantity))
        self.press("Add to cart")
        self.is_at("/cart/")

    def fills_in_the_checkout(self, **fields: str) -> None:
        self.open("/checkout/")
        self.fill(**{**ADDRESS, "email": new_email("alice"), **fields})

    def buys(self) -> str:
        """Check out what is in the cart; gives the order's number."""
        self.fills_in_the_checkout()
        self.press("Order with obligation to pay")
        self.is_at("/orders/.+")
        self.sees_words("Thank you for your order!")
        return self.order_number()

    def order_number(self) -> str:
        found = re.search(r"EK-\w{4}-\w{4}", self.page.locator("main").inner_text())
        assert found, "There is no order number on this page."
        return found[0]

    def quantity_in_cart(self, product_id: str) -> int:
        self.open("/cart/")
        line = self.page.locator(f"#line-{product_id} [name=quantity]:visible")
        return int(line.input_value()) if line.count() else 0


def comes_true(page: Page, expression: str, *, milliseconds: int = 15_000) -> bool:
    """Whether something becomes true in a page. (Playwright's own waiting evaluates text, which our policy forbids.)"""
    for _ in range(milliseconds // 50):
        if page.evaluate(expression):
            return True
        page.wait_for_timeout(50)
    return False


def has_focus(element: Locator) -> bool:
    is_active: Any = element.evaluate("element => element === document.activeElement")
    return bool(is_active)

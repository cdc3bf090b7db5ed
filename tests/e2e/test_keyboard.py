"""A purchase without a mouse."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.visitor import Visitor, has_focus

MOST_STOPS = 80
# In the order in which they stand on the page: nobody should have to go back.
FIELDS = {
    "name": "Alice Adler",
    "email": "alice@example.com",
    "street": "Ulmenweg 1",
    "postal_code": "10115",
    "city": "Berlin",
}


@pytest.fixture
def javascript() -> bool:
    return True


def tab_to(visitor: Visitor, element: Locator) -> None:
    """Go on by the Tab key until the element has the focus, as somebody without a mouse does, and see that it shows."""
    for _ in range(MOST_STOPS):
        visitor.page.keyboard.press("Tab")
        if has_focus(element):
            expect(element).to_be_in_viewport()
            return
    raise AssertionError(f"The Tab key does not lead to {element}.")


def press_enter_on(visitor: Visitor, element: Locator) -> None:
    tab_to(visitor, element)
    visitor.page.keyboard.press("Enter")


def test_a_purchase_by_keyboard_only(visitor, product):
    keyboard = visitor.page.keyboard
    visitor.open(f"/products/{product.id}/")

    press_enter_on(visitor, visitor.button("Add to cart"))
    visitor.is_at("/cart/")
    press_enter_on(visitor, visitor.link("Go to checkout"))
    visitor.is_at("/checkout/")
    for name, value in FIELDS.items():
        tab_to(visitor, visitor.page.locator(f"main [name={name}]"))
        keyboard.type(value)
    press_enter_on(visitor, visitor.button("Order with obligation to pay"))

    visitor.is_at("/orders/.+")


def test_the_first_stop_leads_past_the_head_of_the_page(visitor):
    visitor.open("/products/")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")

    expect(visitor.page.locator("#main")).to_be_focused()

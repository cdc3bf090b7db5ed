"""What customers and guests come for, with JavaScript and without."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import PASSWORD, new_email


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_customer_registers_searches_buys_and_finds_the_order(new_visitor, language):
    alice = new_visitor(language=language)
    alice.registers(new_email("alice"))

    alice.page.get_by_role("search").locator("input[name=q]").fill("morgenrunde")
    alice.page.keyboard.press("Enter")
    alice.page.locator("main article").get_by_role("link", name="Morgenrunde").click()
    alice.press("Add to cart")
    alice.sees({"de": "129,99\N{NO-BREAK SPACE}€", "en": "€129.99"}[language])
    number = alice.buys()

    alice.open("/orders/")
    alice.follow(number)
    alice.sees("Morgenrunde")


def test_a_guest_buys_and_opens_the_order_by_its_link_in_another_browser(new_visitor, product):
    guest, elsewhere, stranger = new_visitor(), new_visitor(), new_visitor()
    guest.puts_into_the_cart(product.id)
    number = guest.buys()

    link = guest.page.get_by_role("link", name="key=").get_attribute("href")
    elsewhere.open(link)
    without_key = stranger.page.goto(link.partition("?")[0])

    assert elsewhere.order_number() == number
    assert without_key.status == 404


def test_a_guests_cart_joins_the_customers_at_log_in(new_visitor, make_product):
    email, hat, shoe = new_email("alice"), make_product(name="Mütze"), make_product(name="Laufschuh")
    at_home = new_visitor()
    at_home.registers(email)
    at_home.puts_into_the_cart(hat.id, quantity=2)
    on_the_road = new_visitor()
    on_the_road.puts_into_the_cart(shoe.id, quantity=3)

    on_the_road.logs_in(email, PASSWORD)

    quantities = [on_the_road.quantity_in_cart(product.id) for product in (hat, shoe)]
    assert quantities == [2, 3]


def test_a_hold_expires_and_one_click_reserves_again(new_visitor, shop_later, make_product):
    product = make_product(stock=3)
    visitor, somebody_else = new_visitor(), new_visitor()
    visitor.puts_into_the_cart(product.id, quantity=3)
    somebody_else.finds(f"/products/{product.id}/", "Sold out")

    visitor.open(f"{shop_later}/cart/")
    visitor.sees_words("Your reservation has ended")
    somebody_else.finds(f"/products/{product.id}/", "Add to cart")

    visitor.press("Reserve again")
    visitor.sees_words("Your products are reserved for you again.")
    somebody_else.finds(f"/products/{product.id}/", "Sold out")


def test_the_same_checkout_sent_from_two_tabs_is_one_order(new_visitor, product):
    visitor = new_visitor()
    visitor.puts_into_the_cart(product.id)
    visitor.fills_in_the_checkout()
    first, second = visitor.page, visitor.page.context.new_page()
    visitor.page = second
    visitor.fills_in_the_checkout()

    for visitor.page in (first, second):
        visitor.press("Order with obligation to pay")
        visitor.is_at("/orders/.+")

    assert first.url == second.url
    visitor.open("/orders/")
    assert len(re.findall(r"EK-\w{4}-\w{4}", visitor.page.locator("main").inner_text())) == 1


def test_the_shop_changes_its_language_and_keeps_it(new_visitor):
    visitor = new_visitor(language="de")
    visitor.open("/products/?category=shoes")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "de")

    visitor.page.get_by_role("button", name="English").click()

    visitor.is_at(re.escape("/products/?category=shoes"))
    visitor.open("/cart/")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")

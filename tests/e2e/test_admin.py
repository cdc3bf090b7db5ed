"""What the people who run the shop come for, with JavaScript and without."""

import re
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.visitor import PASSWORD, new_email


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "rope.png"
    Image.new("RGB", (1000, 800), "seagreen").save(file)
    return file


def test_an_admin_edits_a_product_and_adds_stock(new_visitor, make_product):
    product = make_product(stock=0)
    dana, visitor = new_visitor(), new_visitor(language="en")
    dana.logs_in_as_admin()

    dana.open(f"/admin/products/{product.id}/")
    dana.fill(price="79,50", description="Leicht und gut gedämpft.", name_en="Lynx running shoe")
    dana.press("Save")
    dana.open(f"/admin/stock/{product.id}/")
    dana.fill(change="12", reason="received", note="Lieferschein 4711")
    dana.press("Book the change")
    dana.sees("Lieferschein 4711")

    visitor.open(f"/products/{product.id}/")
    visitor.sees("Lynx running shoe")
    visitor.sees("€79.50")
    visitor.puts_into_the_cart(product.id, quantity=12)


def test_an_admin_ships_an_order_and_the_customer_sees_the_tracking_number(new_visitor, product):
    alice, dana = new_visitor(), new_visitor()
    alice.registers(new_email("alice"))
    alice.puts_into_the_cart(product.id)
    number = alice.buys()
    dana.logs_in_as_admin()

    dana.open("/admin/orders/?status=pending")
    dana.follow(number)
    dana.press("Mark as paid")
    dana.fill(tracking="00340434161094042557")
    dana.press("Mark as shipped")

    alice.open("/orders/")
    alice.follow(number)
    alice.sees("00340434161094042557")


def test_an_admin_closes_an_account_and_opens_it_again(new_visitor):
    alice, dana, email = new_visitor(), new_visitor(), new_email("alice")
    alice.registers(email)
    dana.logs_in_as_admin()

    dana.open("/admin/accounts/")
    dana.fill(email=email)
    dana.press("Find account")
    dana.press("Disable account")
    dana.sees_words("Disabled since")
    alice.open("/account/")
    alice.is_at("/account/login/")
    dana.press("Open account again")
    dana.sees_words("Disable account")

    alice.logs_in(email, PASSWORD)


def test_an_admin_takes_a_months_orders_along(new_visitor, product):
    alice, dana = new_visitor(), new_visitor()
    alice.registers(new_email("alice"))
    alice.puts_into_the_cart(product.id)
    number = alice.buys()
    dana.logs_in_as_admin()

    dana.open("/admin/orders/")
    dana.follow("Export orders")
    dana.fill(month=f"{timezone.localdate():%Y-%m}")
    with dana.page.expect_download() as download:
        dana.press("Export as CSV")

    assert number in Path(download.value.path()).read_text(encoding="utf-8-sig")


def test_an_admin_makes_a_product_with_a_picture_and_customers_find_it(new_visitor, picture):
    dana, visitor = new_visitor(), new_visitor()
    dana.logs_in_as_admin()

    dana.open("/admin/products/new/")
    dana.fill(name="Springseil Kreisel", description="Ein Seil.", price="19,99", category="equipment", status="active")
    dana.page.locator("input[type=file]").set_input_files(picture)
    dana.press("Create product")
    dana.is_at("/admin/products/prod-")
    product_id = re.findall(r"/products/([^/]+)/", dana.page.url)[0]

    visitor.open(f"/products/{product_id}/")
    shown = visitor.page.get_by_role("img", name="Springseil Kreisel").first
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("picture => picture.naturalWidth") > 0
    visitor.sees_words("Sold out")


def test_of_two_admins_who_edit_one_product_the_second_is_told_and_nothing_is_lost(new_visitor, product):
    dana, dora = new_visitor(), new_visitor()
    for admin in (dana, dora):
        admin.logs_in_as_admin()
        admin.open(f"/admin/products/{product.id}/")

    dana.fill(name="Danas Name")
    dana.press("Save")
    dora.fill(price="55,00")
    dora.press("Save")

    dora.sees_words("Somebody else has saved this product meanwhile")
    dora.sees("Danas Name")
    expect(dora.page.locator("[name=price]")).to_have_value("55,00")
    dora.open(f"/admin/products/{product.id}/")
    expect(dora.page.locator("[name=name]")).to_have_value("Danas Name")
    expect(dora.page.locator("[name=price]")).to_have_value("99,99")


def test_a_customer_has_no_way_into_the_admin_panel(new_visitor):
    alice = new_visitor()
    alice.registers(new_email("alice"))

    answer = alice.page.goto("/admin/")

    assert answer.status == 403

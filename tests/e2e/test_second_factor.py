"""An admin's whole way in, as in production: password, second factor, recovery code, and "is it still you?"."""

import pytest
from playwright.sync_api import expect

from inventory import accounts, sessions
from tests.e2e.test_pages import shuts_out, too_wide
from tests.e2e.visitor import PASSWORD, Visitor, new_email


@pytest.fixture
def email(shop_strict: str) -> str:
    """The address of an admin who was made a moment ago."""
    email = new_email("dana")
    accounts.create_admin(email=email, password=PASSWORD, name="Dana")
    return email


def enters(dana: Visitor, shop: str, email: str) -> None:
    dana.open(f"{shop}/admin/login/")
    dana.fill(email=email, password=PASSWORD)
    dana.press("Log in")


def test_an_admin_sets_up_the_second_factor_and_comes_back_with_a_recovery_code(new_visitor, shop_strict, email):
    dana = new_visitor()
    enters(dana, shop_strict, email)
    expect(dana.page.locator(".admin-qr svg")).to_be_visible()
    dana.open(f"{shop_strict}/admin/stock/")
    dana.is_at("/admin/second-factor/")

    recovery = dana.sets_up_the_second_factor()
    dana.follow("I have kept them")
    dana.is_at("/admin/stock/")
    dana.button("Log out", of="header").click()
    enters(dana, shop_strict, email)
    expect(dana.page.locator("#secret")).to_have_count(0)
    dana.fill(code=recovery[0].lower())
    dana.press("Continue")

    dana.is_at("/admin/$")


def test_what_was_typed_is_booked_after_the_confirmation(new_visitor, shop_strict, email, product):
    dana = new_visitor()
    enters(dana, shop_strict, email)
    recovery = dana.sets_up_the_second_factor()
    minutes_pass(email)

    dana.open(f"{shop_strict}/admin/stock/{product.id}/")
    dana.fill(change="7", reason="received", note="Lieferschein 4712")
    dana.press("Book the change")
    dana.sees_words("Is it still you?")
    dana.fill(confirm_password=PASSWORD, confirm_code=recovery[1])
    dana.press("Confirm and go on")

    dana.sees("Lieferschein 4712")
    dana.open(f"{shop_strict}/admin/audit/")
    dana.sees("Lieferschein 4712")


def minutes_pass(email: str) -> None:
    """As if Dana had logged in twenty minutes ago: nobody waits for that here."""
    account = accounts.find_by_email(email)
    for session in account.sessions:
        session.confirmed_at -= sessions.FRESH
    account.save()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("javascript", [True], indirect=True)
def test_its_pages_shut_nobody_out(new_visitor, shop_strict, email, colours):
    dana = new_visitor(color_scheme=colours, reduced_motion="reduce")
    enters(dana, shop_strict, email)

    flaws = shuts_out(dana.page) + too_wide(dana.page)
    dana.sets_up_the_second_factor()
    flaws += shuts_out(dana.page) + too_wide(dana.page)

    assert flaws == []

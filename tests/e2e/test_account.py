"""An account's life: opened, confirmed, its password forgotten, its address changed, and gone."""

from __future__ import annotations

from tests.e2e import letters
from tests.e2e.visitor import ADDRESS, PASSWORD, new_email


def test_a_customer_confirms_their_address_and_gets_in_after_forgetting_the_password(new_visitor, shop):
    alice, email = new_visitor(), new_email("alice")
    alice.registers(email)
    alice.sees_words("Send the mail again")

    alice.open(letters.link(shop.environment, email, path="/account/verify/"))
    alice.press("Yes, confirm")
    alice.sees_words("Your e-mail address is confirmed.")

    at_work = new_visitor()
    at_work.open("/account/login/")
    at_work.follow("Forgotten your password?")
    at_work.fill(email=email)
    at_work.press("Send the link")
    at_work.is_at("/account/login/")
    at_work.open(letters.link(shop.environment, email, path="/account/password/reset/"))
    at_work.fill(password="acht runden im park", password_again="acht runden im park")
    at_work.press("Change your password")
    at_work.logs_in(email, "acht runden im park")

    alice.open("/account/")
    alice.is_at("/account/login/")


def test_a_customer_moves_to_another_address_and_leaves(new_visitor, shop, product):
    alice, old, new = new_visitor(), new_email("alice"), new_email("alice-new")
    alice.registers(old)
    alice.open("/account/email/")
    alice.fill(email=new, old=PASSWORD)
    alice.press("Send the link")
    alice.open(letters.link(shop.environment, new, path="/account/email/confirm/"))
    alice.press("Yes, confirm")
    alice.sees(new)

    alice.open("/account/addresses/new/")
    alice.fill(**ADDRESS)
    alice.press("Save")
    alice.puts_into_the_cart(product.id)
    alice.open("/checkout/")
    assert alice.page.locator("[name=street]").input_value() == ADDRESS["street"]

    alice.open("/account/delete/")
    alice.fill(old=PASSWORD)
    alice.press("Delete my account for good")
    alice.sees_words("Your account is deleted. We have sent you a mail that says so.")
    alice.open("/account/login/")
    alice.fill(email=new, password=PASSWORD)
    alice.press("Log in")
    alice.sees_words("This e-mail address and password do not go together. Please check both.")

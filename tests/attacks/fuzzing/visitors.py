"""Who sends it: a visitor in each state that a visit can be in."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.conf import settings

from inventory import accounts, clock, reservations, stock
from inventory.errors import InventoryError
from inventory.models import Cart, Product, User
from shop import order_keys
from tests.attacks import people
from tests.attacks.fuzzing.values import Knows
from tests.attacks.web import Browser

PRODUCTS = 30
UNITS = 400


class Town:
    """The shop's shelves and the people around it, made once for some thousand requests."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.products = [people.a_product(units=UNITS if number else 0) for number in range(PRODUCTS)]
        people.a_product(status="draft")
        self.customers = [people.a_customer() for _ in range(3)]
        self.admin = people.an_admin()
        self.foreign = people.an_order(self.customers[0].id, self.products[1])

    def visitor(self) -> tuple[str, Browser, Knows]:
        """Somebody in one of the states: its name, their browser, and what they know."""
        state = self.chance.choice(list(STATES))
        knows = Knows()
        knows.products = [product.id for product in self.chance.sample(self.products, 4)]
        knows.orders = [self.foreign.id]
        knows.emails = [somebody.email for somebody in (*self.customers, self.admin)]
        knows.accounts = [somebody.id for somebody in (*self.customers, self.admin)]
        browser = STATES[state](self, knows)
        browser.language = self.chance.choice(("de", "en"))
        return state, browser, knows

    def customer(self) -> User:
        """One whose account has not been deleted meanwhile, nor been disabled, nor become an admin's."""
        now = [accounts.find(one.id) for one in self.customers]
        self.customers = [one for one in now if one and not (one.disabled_at or one.is_admin)]
        self.customers += [people.a_customer() for _ in range(3 - len(self.customers))]
        return self.chance.choice(self.customers)

    def present_admin(self) -> User:
        now = accounts.find(self.admin.id)
        self.admin = now if now and now.is_admin and not now.disabled_at else people.an_admin()
        return self.admin

    def product(self) -> Product:
        return self.chance.choice(self.products[1:])


def _stranger(_town: Town, _knows: Knows) -> Browser:
    return Browser()


def _guest(_town: Town, _knows: Knows) -> Browser:
    return people.a_guest()[1]


def _guest_with_cart(town: Town, knows: Knows) -> Browser:
    guest_id, browser = people.a_guest()
    _fill(town, knows, guest_id)
    return browser


def _guest_whose_hold_is_over(town: Town, knows: Knows) -> Browser:
    guest_id, browser = people.a_guest()
    _fill(town, knows, guest_id)
    Cart(guest_id).update([Cart.expires_at.set(clock.now() - timedelta(minutes=1))])
    return browser


def _guest_whose_cart_was_swept(town: Town, knows: Knows) -> Browser:
    browser = _guest_whose_hold_is_over(town, knows)
    reservations.release_expired()
    return browser


def _guest_at_checkout(town: Town, knows: Knows) -> Browser:
    browser = _guest_with_cart(town, knows)
    knows.tokens.append(browser.get("/checkout/").hidden("checkout_token"))
    return browser


def _guest_with_order(town: Town, knows: Knows) -> Browser:
    guest_id, browser = people.a_guest()
    with suppress(InventoryError):
        order = people.an_order(guest_id, town.product())
        knows.orders.append(order.id)
        knows.keys.append(order_keys.make(order.id))
    return browser


def _customer(town: Town, knows: Knows) -> Browser:
    customer = town.customer()
    _fill(town, knows, customer.id)
    browser = people.browser_of(customer)
    knows.tokens.append(browser.get("/checkout/").hidden("checkout_token"))
    return browser


def _admin(town: Town, knows: Knows) -> Browser:
    knows.cursors += [entry.time for entry in stock.ledger(knows.products[0]).entries]
    return people.browser_of(town.present_admin())


def _somebody_with_broken_cookies(town: Town, knows: Knows) -> Browser:
    """A session cookie in which one letter is another, or which is another cookie's."""
    browser = _customer(town, knows)
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    place = town.chance.randrange(len(cookie))
    letter = town.chance.choice("aZ0_-:.")
    broken = [f"{cookie[:place]}{letter}{cookie[place + 1 :]}", cookie[:place], f"{cookie}:{cookie}", "x" * 5_000, ""]
    browser.cookies[settings.SESSION_COOKIE_NAME] = town.chance.choice(broken)
    browser.cookies["messages"] = town.chance.choice([cookie, "x", "W10:1:x", cookie[:place]])
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = town.chance.choice(["xx", "de-" + "x" * 500, "../de"])
    return browser


def _fill(town: Town, knows: Knows, owner_id: str) -> None:
    product = town.product()
    knows.products.append(product.id)
    with suppress(InventoryError):
        reservations.reserve(owner_id, product.id, quantity=town.chance.randrange(1, 4))


STATES: dict[str, Callable[[Town, Knows], Browser]] = {
    "stranger": _stranger,
    "guest": _guest,
    "guest with a cart": _guest_with_cart,
    "guest whose hold is over": _guest_whose_hold_is_over,
    "guest whose cart was swept": _guest_whose_cart_was_swept,
    "guest at the checkout": _guest_at_checkout,
    "guest with an order": _guest_with_order,
    "customer": _customer,
    "admin": _admin,
    "admin again": _admin,
    "somebody with broken cookies": _somebody_with_broken_cookies,
}

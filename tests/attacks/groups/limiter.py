"""Many tries at the same moment: of one address, of one household, of one account. A limit lets exactly so many through.

What the shop has in memory is forgotten again and again meanwhile: so the requests come to as many processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from unittest import mock

from django.core import mail
from django.test import override_settings

from inventory import clock, counters, limits, pace, reservations
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Answer, Browser

TITLE = "Limits"

LIMIT, THREADS, FEW = 100, 16, 64
# One moment for everybody, so that no window ends meanwhile.
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
CONTACT = {"name": "A", "email": "a@example.com", "street": "S 1", "postal_code": "10115", "city": "B", "country": "DE"}

#: Sends the request of a number.
Send = Callable[[int], Answer]


def attack(how_many: int) -> Cases:
    """A thousand forms where ``how_many`` says full size."""
    many = max(2 * LIMIT, min(1_000, how_many))
    with (
        mock.patch.object(clock, "now", lambda: NOON),
        override_settings(
            LIMITS=True,
            REQUEST_LIMIT=LIMIT,
            REQUEST_WINDOW_SECONDS=300,
            EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        ),
    ):
        for what, send in _forms().items():
            passed = _passed(send, many)
            yield f"{many} forms of {what} at once", "" if passed == LIMIT else f"{passed} pass"
        most = LIMIT + pace.TOLD_EVERY
        passed = _passed(_look, many, forgets=False)
        yield f"{many} pages of one address at once", "" if LIMIT <= passed <= most else f"{passed} pass"
        for what, (wanted, send) in _doors().items():
            passed = _passed(send, FEW)
            yield f"{FEW} {what}", "" if passed == wanted else f"{passed} pass"
        yield "mails to somebody who asked for none", _mails()


def _forms() -> dict[str, Send]:
    def language(browser: Browser, **headers: str) -> Answer:
        return browser.post("/language/", {"language": "en"}, headers=headers)

    product = people.a_product()
    paths = ("/language/", "/cart/add/", "/cart/remove/", "/account/logout/", "/nothing/")
    return {
        "one address": lambda number: language(Browser(address="198.51.100.1")),
        "one household": lambda number: language(Browser(address=f"2001:db8:1:2::{number:x}")),
        "one address in other clothes": lambda number: language(Browser(address="::ffff:198.51.100.2")),
        "one address that says it is others": lambda number: language(
            Browser(address="198.51.100.3"), **{"X-Forwarded-For": f"203.0.113.{number % 250}", "X-Real-IP": "6.6.6.6"}
        ),
        "one address at different doors": lambda number: Browser(address="198.51.100.4").post(
            paths[number % len(paths)], {"product_id": product.id, "quantity": "1"}
        ),
    }


def _look(number: int) -> Answer:
    return Browser(address="198.51.100.5").get("/info/imprint/")


def _doors() -> dict[str, tuple[int, Send]]:
    """How many pass, and what is sent."""
    known, product = people.a_customer(), people.a_product(units=FEW)
    carts = [people.a_guest() for _ in range(FEW)]
    tokens = [reservations.reserve(guest_id, product.id, quantity=1).order_id for guest_id, _ in carts]

    def log_in(email: str, address: str) -> Answer:
        return Browser(address=address).post("/account/login/", {"email": email, "password": "wrong horse 2"})

    def register(number: int) -> Answer:
        password = {"password": people.PASSWORD, "password_again": people.PASSWORD}
        form = {"name": "R", "email": f"limit-{known.id[:8]}-{number}@example.com", **password}
        return Browser(address="198.51.100.13").post("/account/register/", form)

    def reset(number: int) -> Answer:
        form = {"email": f"reset-{known.id[:8]}-{number}@example.com"}
        return Browser(address="198.51.100.14").post("/account/password/forgotten/", form)

    def buy(number: int) -> Answer:
        browser = carts[number][1]
        browser.address = "198.51.100.15"
        return browser.post("/checkout/", {**CONTACT, "checkout_token": str(tokens[number])})

    return {
        "guesses at one account": (limits.PASSWORDS.free, lambda number: log_in(known.email, "198.51.100.11")),
        "guesses, an account each": (
            limits.LOGINS.most,
            lambda number: log_in(f"guess-{number}@example.com", "198.51.100.12"),
        ),
        "accounts opened from one address": (limits.REGISTRATIONS.most, register),
        "ways back asked for from one address": (limits.RESETS.most, reset),
        "orders of one address": (limits.CHECKOUTS.most, buy),
    }


def _mails() -> str:
    """Everybody may ask for a mail to an address; only so many are sent."""
    mail.outbox = []
    victim = people.a_customer()
    for number in range(12):
        Browser(address=f"198.51.100.{100 + number}").post("/account/password/forgotten/", {"email": victim.email})
    sent = sum(victim.email in message.to for message in mail.outbox)
    return "" if sent == limits.MAILS.most else f"{sent} are sent"


def _passed(send: Send, many: int, *, forgets: bool = True) -> int:
    """How many of so many requests are answered otherwise than that there are too many."""

    def status(number: int) -> int:
        if forgets and number % 5 == 0:
            pace.forget()
        return send(number).status

    pace.forget()
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(status != 429 for status in pool.map(status, range(many)))


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that looks at what was counted before it counts."""
    seen: dict[tuple[str, str], int] = {}

    def add(name: str, who: str, *, seconds: int, by: int = 1, below: int | None = None) -> int:
        # Each of many at the same moment sees what was there before them all.
        seen[name, who] = by
        return by

    with (
        mock.patch.object(counters, "add", add),
        mock.patch.object(counters, "attempt", lambda *_, **__: None),
    ):
        yield

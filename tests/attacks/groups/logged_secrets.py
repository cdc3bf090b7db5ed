"""What the log says after a day with passwords, cookies, addresses and keys in it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

from django.conf import settings
from django.test import override_settings

from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Browser

TITLE = "Secrets in the log"

PASSWORD = "pferd-batterie-31-geheim"


def attack(how_many: int) -> Cases:
    written = io.StringIO()
    with _log() as lines, override_settings(LOG_JSON=True), redirect_stderr(written):
        secrets = _a_day()
    text = "\n".join([*lines, written.getvalue()])
    for what, secret in secrets.items():
        yield what, "is in the log" if secret and secret in text else ""
    yield "a line of one's own", "written" if "\npwned" in text or "\rpwned" in text else ""


def _a_day() -> dict[str, str]:
    browser, email = Browser(), f"geheim-{people.a_customer().id[:8]}@example.com"
    form = {"name": "Geheimnis", "email": email, "password": PASSWORD, "password_again": PASSWORD}
    browser.post("/account/register/", form)
    browser.post("/account/login/", {"email": email, "password": PASSWORD + "x"})
    product = people.a_product()
    browser.post("/cart/add/", {"product_id": product.id, "quantity": "1"})
    token = browser.get("/checkout/").hidden("checkout_token")
    contact = {
        "name": "Geheime Person",
        "email": email,
        "street": "Geheimweg 31",
        "postal_code": "10115",
        "city": "Berlin",
        "country": "DE",
    }
    browser.post("/checkout/", {**contact, "checkout_token": token})
    session = browser.cookies[settings.SESSION_COOKIE_NAME]
    browser.send(
        "GET",
        "/admin/",
        query="x=1\r\npwned",
        headers={"User-Agent": "x\\npwned", "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"},
    )
    browser.send("GET", "/nothing/", headers={"Host": "evil.example"})
    browser.send("POST", "/account/login/", body=b"x" * 2_000_000, kind="application/x-www-form-urlencoded")
    browser.post("/account/login/", [(f"f{number}", PASSWORD) for number in range(200)])
    return {
        "a password": PASSWORD, "a session cookie": session, "a CSRF cookie": browser.cookies.get(settings.CSRF_COOKIE_NAME, ""),
        "an e-mail address": email, "an address": "Geheimweg", "a name": "Geheime Person", "the key that signs": settings.SECRET_KEY,
        "a password's hash": "bcrypt",
    }  # fmt: skip


@contextmanager
def _log() -> Iterator[list[str]]:
    """Everything that would be written, as the shop's own handlers would write it."""
    lines: list[str] = []
    formatters = [handler.formatter for handler in logging.getLogger().handlers if handler.formatter]

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append((formatters[0].format if formatters else self.format)(record))

    handler = Handler()
    logging.getLogger().addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(handler)


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that writes down word by word what it asks of the database."""
    loggers = [logging.getLogger(name) for name in ("botocore", "pynamodb")]
    levels = [logger.level for logger in loggers]
    handlers = logging.getLogger().handlers[:]
    kept = [(handler, handler.level) for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for handler, level in kept:
            handler.setLevel(level)

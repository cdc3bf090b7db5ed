"""What we have signed, changed a little: session cookies, keys in mails, pictures that wait, and a ledger's cursors."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.conf import settings
from django.core import signing

from adminpanel.fields import KeptPictureField
from inventory import accounts, passwords, stock
from shop import mail_keys, order_keys
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Browser

TITLE = "Changed tokens and cursors"

Try = Callable[[str], str]
_SIGNS = "abcXYZ019_-:.=+/%~# \x00\n'\"<é😀"


def attack(how_many: int) -> Cases:
    """``how_many`` changes, in turn, of each kind of token."""
    chance = random.Random(how_many)
    for kind, (token, tried) in _kinds().items():
        for number in range(how_many // 4):
            changed = _changed(chance, token)
            # What does not get into a header, or not out of a cookie, is no change.
            if _as_header(changed).strip() != _as_header(token):
                yield f"{kind}, change {number}", tried(changed)


def _kinds() -> dict[str, tuple[str, Try]]:
    product, admin, alice = people.a_product(), people.an_admin(), people.a_customer()
    order = people.an_order(alice.id, product)
    panel = people.browser_of(admin)
    session = panel.cookies[settings.SESSION_COOKIE_NAME]

    def as_session(cookie: str) -> str:
        browser = Browser()
        browser.cookies[settings.SESSION_COOKIE_NAME] = _as_header(cookie)
        return _expect(browser.get("/admin/").status, {302})

    def as_key(key: str) -> str:
        return _expect(Browser().get(f"/orders/{order.id}/", key=key).status, {404})

    def as_picture(token: str) -> str:
        form = {
            "name": "N",
            "description": "D",
            "price": "1,00",
            "category": "shoes",
            "status": "draft",
            "low_stock_at": "1",
        }
        return _expect(panel.post("/admin/products/new/", form | {"kept_image": token}).status, {422})

    def as_cursor(cursor: str) -> str:
        return _expect(panel.get(f"/admin/stock/{product.id}/", before=cursor).status, {200, 422})

    def as_mail_key(path: str) -> Try:
        return lambda key: _expect(Browser().get(path, key=key).status, {410})

    state = passwords.state(accounts.find(alice.id) or alice)
    cursor = stock.ledger(product.id).entries[0].time
    return {
        "session": (session, as_session),
        "order's key": (order_keys.make(order.id), as_key),
        "picture": (KeptPictureField.signed("products/x"), as_picture),
        "cursor": (cursor, as_cursor),
        "reset key": (mail_keys.make("reset", alice.id, state), as_mail_key("/account/password/reset/")),
        "verify key": (mail_keys.make("verify", alice.id, alice.email), as_mail_key("/account/verify/")),
    }


def _expect(status: int, wanted: set[int]) -> str:
    return "" if status in wanted else f"answered {status}"


def _changed(chance: random.Random, token: str) -> str:
    how, place = chance.randrange(6), chance.randrange(len(token))
    sign = chance.choice(_SIGNS)
    if how == 0:
        return token[:place] + sign + token[place + 1 :]
    if how == 1:
        return token[:place] + sign + token[place:]
    if how == 2:
        return token[:place] + token[place + 1 :]
    if how == 3:
        return token[:place]
    if how == 4:
        first, *rest = token.split(":")
        return ":".join(chance.choice(([first], rest, [first, *rest, first], [*rest, first], [first, "", *rest])))
    return "".join(chance.choice(_SIGNS) for _ in range(chance.randrange(1, 300)))


def _as_header(cookie: str) -> str:
    """Without what no server would take in a header."""
    return cookie.replace("\x00", "").replace("\n", "").encode().decode("latin-1")


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that believes what a token says, whoever signed it."""

    def unsign(self: signing.Signer, signed_value: str) -> str:
        return signed_value.rsplit(self.sep, 1)[0]

    def unsign_timed(self: signing.TimestampSigner, value: str, max_age: Any = None) -> str:
        return signing.Signer.unsign(self, value).rsplit(self.sep, 1)[0]

    with (
        mock.patch.object(signing.Signer, "unsign", unsign),
        mock.patch.object(signing.TimestampSigner, "unsign", unsign_timed),
    ):
        yield

"""Mails and the links in them: used twice, too late, for something or somebody else, and what strangers get into them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core import mail, signing
from django.core.mail import EmailMessage
from django.test import override_settings

from inventory import accounts, passwords, reservations, verification
from inventory.models import User
from shop import mail_keys
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.groups.hosts import HEADERS, HOSTS
from tests.attacks.web import Browser

TITLE = "Links in mails"

NEW = "seven green frogs"
AT_ONCE = 8
RESET, VERIFY, CONFIRM = "/account/password/reset/", "/account/verify/", "/account/email/confirm/"
CONTACT = {"street": "S 1", "postal_code": "10115", "city": "B", "country": "DE"}
#: What a stranger may write where a name belongs.
NAMES = (
    "X\r\nBcc: victim@evil.example", "X\nBcc: victim@evil.example", "X\rBcc: victim@evil.example", "X%0d%0aBcc: victim@evil.example",
    "X\u2028Bcc: victim@evil.example", "X\x0bBcc: victim@evil.example", "X\x85Bcc: victim@evil.example", "X, victim@evil.example",
    "<victim@evil.example>", "https://evil.example/win", "=?utf-8?q?=0ABcc:_victim@evil.example?=", "<a href='https://evil.example'>X</a>",
)  # fmt: skip


def attack(how_many: int) -> Cases:
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        yield from _old_links()
        yield from _other_links()
        yield from _at_once()
        yield from _only_opened()
        yield from _hosts()
        yield from _names()


def _old_links() -> Cases:
    """A way back into an account that is none any more."""
    for what, do in _ends().items():
        alice = people.a_customer()
        key = _way_back(alice)
        do(alice, key)
        yield f"a link to a new password, {what}", _refused(RESET, key)
    for purpose, path in (("reset", RESET), ("verify", VERIFY), ("email", CONFIRM)):
        alice = people.a_customer()
        life = mail_keys.LIVES[purpose] if purpose != "reset" else timedelta(hours=1)
        with _made_before(life + timedelta(seconds=5)):
            key = _key(purpose, alice)
        yield f"a link for {purpose}, after its time", _refused(path, key)


def _ends() -> dict[str, Callable[[User, str], object]]:
    def used(alice: User, key: str) -> None:
        Browser().post(RESET, {"key": key, "password": NEW, "password_again": NEW})

    def another_link_used(alice: User, key: str) -> None:
        used(alice, _way_back(alice))

    def another_password(alice: User, key: str) -> None:
        passwords.change(alice, old=people.PASSWORD, new=NEW)

    def another_address(alice: User, key: str) -> None:
        verification.ask_change(alice, f"new-{alice.email}", password=people.PASSWORD)
        verification.change(alice.id, f"new-{alice.email}")

    return {
        "used": used,
        "after another one was used": another_link_used,
        "after another password": another_password,
        "after another address": another_address,
    }


def _other_links() -> Cases:
    """A key of one kind at the door of another, and one's own key for somebody else's account."""
    alice = people.a_customer()
    keys = {purpose: _key(purpose, alice) for purpose in ("reset", "verify", "email")}
    for path, right in ((RESET, "reset"), (VERIFY, "verify"), (CONFIRM, "email")):
        for purpose, key in keys.items():
            if purpose != right:
                yield f"a key for {purpose} at {path}", _refused(path, key)
        for key in ("", "x", ":", "a:b:c", "\x00", "é", "." * 5_000):
            yield f"the key {key[:9]!r} at {path}", _refused(path, key)
    victim = people.a_customer()
    before = _password(victim)
    for name in ("user", "user_id", "id", "email", "account_id", "about", "state"):
        mallory = people.a_customer()
        form = {"key": _way_back(mallory), "password": NEW, "password_again": NEW, name: victim.id}
        Browser().post(RESET, form)
        yield f"one's own key, with {name} of somebody else", "" if _password(victim) == before else "is theirs now"


def _at_once() -> Cases:
    alice = people.a_customer()
    key = _way_back(alice)

    def use(number: int) -> int:
        new = f"{NEW} {number}"
        return Browser().post(RESET, {"key": key, "password": new, "password_again": new}).status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        passed = list(pool.map(use, range(AT_ONCE))).count(302)
    yield f"one link, {AT_ONCE} times at once", "" if passed == 1 else f"is good {passed} times"


def _only_opened() -> Cases:
    """Programs that look for viruses open every link."""
    alice = people.a_customer()
    for path, purpose in ((RESET, "reset"), (VERIFY, "verify"), (CONFIRM, "email")):
        key = _key(purpose, alice)
        before = people.everything()
        for method in ("GET", "HEAD"):
            answer = Browser().send(method, path, query=f"key={key}")
            yield f"{method} {path}", "" if people.everything() == before else "changes something"
            yield f"{method} {path}: kept by a cache", "" if "no-store" in answer.header("cache-control") else "may be"
            policy = answer.header("referrer-policy")
            yield f"{method} {path}: told to others", "" if policy in {"same-origin", "no-referrer"} else "may be"


def _hosts() -> Cases:
    """A mail's links lead to the shop, whatever the request said of the shop's name."""
    spoofed = [{"HTTP_HOST": host} for host in HOSTS]
    spoofed += [{f"HTTP_{name.upper().replace('-', '_')}": "evil.example"} for name in HEADERS]
    for environ in spoofed:
        alice = people.a_customer()
        with _outbox() as sent:
            _ask_as(environ, alice.email)
        bad = [link for message in sent for link in _links(message) if not link.startswith(f"{settings.SITE_URL}/")]
        yield f"a mail asked for with {environ}", f"leads to {bad[0]}" if bad else ""


def _ask_as(environ: dict[str, str], email: str) -> None:
    browser = Browser()
    body = f"email={email}&csrfmiddlewaretoken={browser.cookies[settings.CSRF_COOKIE_NAME]}".encode()
    origin = {"HTTP_ORIGIN": f"https://{environ.get('HTTP_HOST', 'testserver')}"}
    kind = "application/x-www-form-urlencoded"
    browser.send("POST", "/account/password/forgotten/", body=body, kind=kind, environ=origin | environ)


def _names() -> Cases:
    product = people.a_product(units=90)
    for number, name in enumerate(NAMES):
        email = f"names-{number}-{product.id}@example.com"
        password = {"password": people.PASSWORD, "password_again": people.PASSWORD}
        registered = {"name": name, "email": email, **password}
        with _outbox() as sent:
            Browser().post("/account/register/", registered)
        yield f"a new account's name {name!r}", _told(sent, email, but_words=False)
        guest_id, browser = people.a_guest()
        token = reservations.reserve(guest_id, product.id, quantity=1).order_id
        bought = {"name": name, "email": email, "checkout_token": str(token), **CONTACT}
        with _outbox() as sent:
            browser.post("/checkout/", bought)
        yield f"a buyer's name {name!r}", _told(sent, email, but_words=True)
        for spelled in (f"{email}{name[1:]}", f"{name}{email}", f"{email},victim@evil.example"):
            with _outbox() as sent:
                Browser().post("/account/password/forgotten/", {"email": spelled})
            yield f"the address {spelled!r}", _told(sent, "", but_words=False)


def _told(sent: list[EmailMessage], to: str, *, but_words: bool) -> str:
    """What a stranger got into mails: somebody to write to, a header, a link, or (else) any word."""
    for message in sent:
        whole = message.message()
        if any("evil" in str(value) for value in whole.values()) or whole["Bcc"]:
            return "is in the head"
        if to and message.recipients() != [to]:
            return f"goes to {message.recipients()}"
        if any("evil" in link for link in _hrefs(message)):
            return "is a link"
        if not but_words and "evil" in _bodies(message):
            return "is in the text"
    return ""


def _links(message: EmailMessage) -> list[str]:
    """What one can click in a mail's HTML, and what looks like an address in its text."""
    return _hrefs(message) + re.findall(r"https?://\S+", str(message.body))


def _hrefs(message: EmailMessage) -> list[str]:
    return [link for page in getattr(message, "alternatives", []) for link in re.findall(r'href="([^"]*)"', page[0])]


def _bodies(message: EmailMessage) -> str:
    return str(message.body) + "".join(str(one[0]) for one in getattr(message, "alternatives", []))


@contextmanager
def _outbox() -> Iterator[list[EmailMessage]]:
    """The mails that are sent in this block."""
    mail.outbox = []
    yield mail.outbox


def _way_back(user: User) -> str:
    """The key that somebody is sent who has forgotten the password."""
    with _outbox() as sent:
        Browser().post("/account/password/forgotten/", {"email": user.email})
    link = next(link for message in sent for link in re.findall(r"https?://\S+", str(message.body)) if "key=" in link)
    return parse_qs(urlsplit(link).query)["key"][0]


def _key(purpose: str, user: User) -> str:
    known = accounts.find(user.id)
    assert known is not None
    return mail_keys.make(purpose, user.id, passwords.state(known) if purpose == "reset" else known.email)


def _refused(path: str, key: str) -> str:
    opened = Browser().get(path, key=key).status
    used = Browser().post(path, {"key": key, "password": NEW, "password_again": NEW}).status
    return "" if {opened, used} == {410} else f"answered {opened} and {used}"


def _password(user: User) -> str:
    return str(User.get(user.id, consistent_read=True).password)


@contextmanager
def _made_before(age: timedelta) -> Iterator[None]:
    moment = signing.b62_encode(int(time.time() - age.total_seconds()))
    with mock.patch.object(signing.TimestampSigner, "timestamp", lambda _self: moment):
        yield


@contextmanager
def weakened() -> Iterator[None]:
    """A shop whose keys open everything, for good."""

    def signer(_purpose: str) -> signing.TimestampSigner:
        return signing.TimestampSigner(salt="mail")

    with (
        mock.patch.object(passwords, "state", lambda user: str(user.id)),
        mock.patch.object(mail_keys, "_signer", signer),
        mock.patch.dict(mail_keys.LIVES, dict.fromkeys(mail_keys.LIVES, timedelta(days=365))),
    ):
        yield

"""Codes of the second factor: guessed, seen over a shoulder, of another time, of somebody else, sent many at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest import mock

import pyotp

from inventory import clock, second_factor
from inventory.models import SecondFactor, User
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Answer, Browser

TITLE = "Second factor"

# One moment for all, so that no half minute ends meanwhile.
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HALF_MINUTE = timedelta(seconds=30)
PATH = "/admin/second-factor/"
AT_ONCE = 16


class _Admin:
    """Somebody whose password is known to the attacker, and who has set the second factor up."""

    def __init__(self) -> None:
        self.user: User = people.an_admin()
        self.secret = second_factor.begin(self.user.id).secret
        # Set up an hour ago: what is right now was not used then.
        with _at(NOON - timedelta(hours=1)):
            page = self.browser().post(PATH, {"code": self.code(NOON - timedelta(hours=1))})
        self.recovery_codes = re.findall(r"[A-Z2-7]{6}(?:-[A-Z2-7]{6}){3}", page.text)

    def browser(self) -> Browser:
        return people.browser_of(self.user, with_factor=False)

    def code(self, moment: datetime = NOON) -> str:
        return pyotp.TOTP(self.secret).at(moment)

    def lets_in(self, code: object, browser: Browser | None = None) -> bool:
        browser = browser or self.browser()
        browser.post(PATH, {"code": code})
        return browser.get("/admin/").status == 200


def attack(how_many: int) -> Cases:
    with _at(NOON):
        yield from _other_codes()
        yield from _used_codes()
        yield from _many_at_once()
        yield from _around()
        yield from _guesses(how_many)


def _other_codes() -> Cases:
    other = _Admin()
    admin = _Admin()
    right = admin.code()
    for what, code in {
        "nothing": "",
        "blanks": "      ",
        "zeros": "000000",
        "somebody else's": other.code(),
        "somebody else's recovery code": other.recovery_codes[0],
        "of two half minutes ago": admin.code(NOON - 2 * HALF_MINUTE),
        "of two half minutes from now": admin.code(NOON + 2 * HALF_MINUTE),
        "the one it was set up with": admin.code(NOON - timedelta(hours=1)),
        "without its last digit": right[:-1],
        "with a digit more": right + "0",
        "twice": right + right,
        "as a list": f"['{right}']",
        "its digest": right.encode().hex(),
        "a recovery code's beginning": admin.recovery_codes[0][:20],
        "too long": "1" * 5_000,
        "with a NUL": f"{right}\x00",
    }.items():
        # Somebody new each time, or the waiting time after wrong codes would be what is tried.
        with mock.patch.object(second_factor, "FREE_TRIES", 1_000):
            yield f"a code: {what}", "lets in" if admin.lets_in(code) else ""
    yield "the right code, to show that there was something to find", "" if admin.lets_in(right) else "is refused"


def _used_codes() -> Cases:
    admin = _Admin()
    right = admin.code()
    first = admin.lets_in(right)
    for number in range(5):
        yield f"a code that was used, try {number}", "lets in" if admin.lets_in(right) or not first else ""
    admin = _Admin()
    recovery = admin.recovery_codes[0]
    first = admin.lets_in(recovery)
    for spelled in (recovery, recovery.lower(), recovery.replace("-", ""), f" {recovery} "):
        yield (
            f"a recovery code that was used: {len(spelled)} signs",
            ("lets in" if admin.lets_in(spelled) or not first else ""),
        )


def _many_at_once() -> Cases:
    for what in ("code", "recovery code"):
        admin = _Admin()
        code = admin.code() if what == "code" else admin.recovery_codes[0]
        browsers = [admin.browser() for _ in range(8)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            # The sessions of an account are at most ten, and each that is let through rewrites their list.
            passed = sum(pool.map(lambda browser, right=code, who=admin: who.lets_in(right, browser), browsers))
        yield f"one {what} from {len(browsers)} browsers at once", "" if passed == 1 else f"{passed} are let in"


def _around() -> Cases:
    """Ways in that ask for no code."""
    admin = _Admin()
    browser = admin.browser()
    for method, path in (
        ("GET", "/admin/"), ("GET", "/admin/audit/"), ("GET", "/admin/orders/"), ("HEAD", "/admin/"), ("GET", "/admin//"),
        ("GET", "/admin/./stock/"), ("GET", "/admin/second-factor/../"), ("GET", "/%61dmin/"), ("GET", "/ADMIN/"), ("GET", "/admin/products/new/"),
    ):  # fmt: skip
        answer = browser.send(method, path)
        yield f"{method} {path} without a code", "opens" if answer.status == 200 else ""
    shown = browser.get(PATH)
    yield "the secret, once it is set up", "is shown" if _tells(shown, admin.secret) else ""
    wrong = browser.post(PATH, {"code": "000000"})
    yield "the secret, with a wrong code", "is shown" if _tells(wrong, admin.secret) else ""
    browser.post(PATH, {"code": "000000", "secret": "A" * 32, "confirmed_at": "", "factor_at": NOON.isoformat()})
    yield "a secret of one's own in the form", "is taken" if _is_changed(admin) else ""
    browser.post("/account/login/", {"email": admin.user.email, "password": people.PASSWORD})
    yield "the shop's log-in as another door", "opens" if browser.get("/admin/").status == 200 else ""


def _guesses(how_many: int) -> Cases:
    """Guesses one after the other, also from new sessions: after five, they are not judged any more."""
    admin = _Admin()
    for number in range(second_factor.FREE_TRIES):
        admin.lets_in(f"{number:06}")
    for number in range(how_many // 4):
        answer = admin.browser().post(PATH, {"code": f"{number:06}"})
        yield f"guess {number} after five", "" if answer.status == 429 else f"answered {answer.status}"
    yield "the right code while one has to wait", "lets in" if admin.lets_in(admin.code()) else ""


def _tells(answer: Answer, secret: str) -> bool:
    return secret in answer.text.replace(" ", "")


def _is_changed(admin: _Admin) -> bool:
    return str(SecondFactor.get(SecondFactor.key(admin.user.id), consistent_read=True).secret) != admin.secret


@contextmanager
def _at(moment: datetime) -> Iterator[None]:
    with mock.patch.object(clock, "now", lambda: moment):
        yield


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that forgets which codes were used, and does not count the wrong ones."""

    def step(factor: SecondFactor, code: str, moment: datetime) -> int | None:
        totp = pyotp.TOTP(factor.secret)
        return factor.last_step + 1 if totp.verify(code, for_time=moment, valid_window=1) else None

    with (
        mock.patch.object(second_factor, "_step", step),
        mock.patch.object(second_factor, "FREE_TRIES", 1_000_000),
    ):
        yield

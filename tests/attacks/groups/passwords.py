"""Passwords that hash badly: too long, cut off, with a NUL, in another letter's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from inventory import accounts
from tests.attacks import people
from tests.attacks.groups import Cases, some
from tests.attacks.web import Browser

TITLE = "Passwords"

RIGHT = {
    "71 bytes": "k" * 71, "72 bytes": "k" * 72, "73 bytes": "k" * 73, "128 letters": "k" * 128, "100 letters of two bytes": "ä" * 100,
    "60 signs of four bytes": "😀" * 60, "blanks around": "  ein Satz  ", "signs": "päß wörd\t\u20ac\u202e", "letters": "Correct Horse 1",
}  # fmt: skip
LENGTHS = (0, 1, 7, 71, 72, 73, 128, 129, 255, 1_023, 1_024, 1_025, 4_096, 5_000, 100_000)


def attack(how_many: int) -> Cases:
    for number, (what, password) in enumerate(RIGHT.items()):
        email = f"pass-{number}-{people.a_customer().id[:8]}@example.com"
        form = {"name": "P", "email": email, "password": password, "password_again": password}
        yield f"{what}: an account", _expect(Browser().post("/account/register/", form).status, 302)
        yield f"{what}: logs in", _expect(_log_in(email, password), 302)
        for other, changed in _near(password).items():
            yield f"{what}: {other}", _expect(_log_in(email, changed), 422)
    customer = people.a_customer()
    for path in ("/account/login/", "/admin/login/"):
        for length in some(LENGTHS, how_many // 8):
            for sign in ("x", "é", "😀", "\x00"):
                answer = Browser().post(path, {"email": customer.email, "password": sign * length})
                # A form of more than a megabyte is read no further.
                wanted = 400 if len(sign.encode()) * length * 3 > 1_000_000 else 422
                yield f"{length} times {sign!r} at {path}", _expect(answer.status, wanted)


def _near(password: str) -> dict[str, str]:
    return {
        "without its last letter": password[:-1],
        "with another last letter": password[:-1] + "X",
        "with a letter more": password + "k",
        "with a NUL more": password + "\x00",
        "with a NUL in it": password[:5] + "\x00" + password[5:],
        "in the other case": password.swapcase() if password.swapcase() != password else password + "!",
        "without blanks around": password.strip() if password.strip() != password else password + " ",
    }


def _log_in(email: str, password: str) -> int:
    return Browser().post("/account/login/", {"email": email, "password": password}).status


def _expect(status: int, wanted: int) -> str:
    return "" if status == wanted else f"answered {status}"


@contextmanager
def weakened() -> Iterator[None]:
    """A shop whose hash reads 72 bytes of a password and no more."""
    make, check = accounts.make_password, accounts.check_password

    def cut(password: str) -> str:
        return password.encode()[:72].decode(errors="ignore")

    with (
        mock.patch.object(accounts, "make_password", lambda password: make(cut(password))),
        mock.patch.object(accounts, "check_password", lambda password, stored: check(cut(password), stored)),
    ):
        yield

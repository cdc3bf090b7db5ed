"""How often something may be tried. Each is counted before the work that it is about, exactly, across all processes.

What guards a secret is closed while the table cannot be asked (Busy): nobody gets more guesses because it is away.
``LIMITS=0`` lets everything pass, for tests and measurements.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings

from inventory import accounts, audit, counters, dynamodb
from inventory.errors import Busy, TooManyTries

logger = logging.getLogger(__name__)

_QUARTER, _HOUR, _DAY = 900, 3600, 86_400
#: From so many tries an hour at one account, from wherever, somebody should look at it.
SUSPICIOUS_TRIES = 20


@dataclass(frozen=True)
class Limit:
    """At the most ``most`` in ``seconds``, for each that it is counted for."""

    name: str
    most: int
    seconds: int

    def take(self, who: str) -> None:
        """Count one. Raises TooManyTries, and Busy when the table cannot be asked."""
        if settings.LIMITS:
            with _refusing():
                counters.add(self.name, who, seconds=self.seconds, below=self.most)


@dataclass(frozen=True)
class Guesses:
    """``free`` tries, then one after each delay, which doubles up to an hour; anew every day, or when one was right."""

    name: str
    free: int = 5
    seconds: int = _DAY

    def take(self, who: str) -> None:
        """Count one. Raises TooManyTries, and Busy when the table cannot be asked."""
        if settings.LIMITS:
            with _refusing():
                counters.attempt(self.name, who, free=self.free, seconds=self.seconds)

    def forget(self, who: str) -> None:
        """One was right. Where that cannot be written, the delay stays until tomorrow: nobody is sent away for it."""
        if settings.LIMITS:
            with suppress(dynamodb.Contention):
                counters.forget(self.name, who, seconds=self.seconds)


@contextmanager
def _refusing() -> Iterator[None]:
    """What a counter says, as a refusal of ours."""
    try:
        yield
    except counters.Full as full:
        raise TooManyTries(full.wait_seconds) from None
    except dynamodb.Contention as away:
        raise Busy from away


LOGINS = Limit("login", most=30, seconds=_QUARTER)
PASSWORDS = Guesses("password")
REGISTRATIONS = Limit("register", most=20, seconds=_HOUR)
RESETS = Limit("reset", most=10, seconds=_HOUR)
MAILS = Limit("mail", most=3, seconds=_HOUR)
CHECKOUTS = Limit("checkout", most=30, seconds=_HOUR)


def login(email: str, *, address: str) -> None:
    """Before a password is compared, which takes a processor a third of a second. Raises TooManyTries and Busy.

    An account is never locked as a whole: then any stranger could lock out its owner. Guesses count for the account
    and the address from which they come; many at one account from everywhere are written to the log.
    """
    pair = _whose(email, address)
    with _told(email, once=address):
        LOGINS.take(address)
    with _told(email, once=pair):
        PASSWORDS.take(pair)
    if settings.LIMITS:
        with suppress(dynamodb.Contention):
            _watch(email)


def logged_in(email: str, *, address: str) -> None:
    """The password was right: whoever mistypes it next time has all their tries."""
    PASSWORDS.forget(_whose(email, address))


def registration(*, address: str) -> None:
    """Before an account is opened. Raises TooManyTries and Busy."""
    REGISTRATIONS.take(address)


def password_reset(*, address: str) -> None:
    """Before somebody asks for a way back into an account. Raises TooManyTries and Busy."""
    RESETS.take(address)


def may_be_mailed(email: str) -> bool:
    """Whether this address may get one more mail that somebody else can cause. Its answer must be shown to nobody."""
    try:
        MAILS.take(accounts.normalised(email))
    except TooManyTries:
        return False
    return True


def checkout(*, address: str) -> None:
    """Before an order is placed. Selling stays open when the counter cannot be asked. Raises TooManyTries."""
    with suppress(Busy):
        CHECKOUTS.take(address)


@contextmanager
def _told(email: str, *, once: str) -> Iterator[None]:
    """Write a refusal to the audit log: of so many in a quarter of an hour the first."""
    try:
        yield
    except TooManyTries:
        if audit.is_first("login.limited", once, seconds=_QUARTER):
            user = None
            with suppress(dynamodb.Contention):
                user = accounts.find_by_email(email)
            audit.record("login.limited", by=audit.masked(email), target=audit.whose(email, user))
        raise


def _watch(email: str) -> None:
    tries = counters.add("account", accounts.normalised(email), seconds=_HOUR)
    if tries % SUSPICIOUS_TRIES == 0:
        user = accounts.find_by_email(email)
        whose = audit.account(user.id) if user else "an address with no account"
        logger.warning("Somebody guesses at %s: %s tries within an hour, from one address or many.", whose, tries)


def _whose(email: str, address: str) -> str:
    return f"{accounts.normalised(email)} {address}"

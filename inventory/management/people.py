"""The account that a command is about."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from inventory import accounts
from inventory.management import progress
from inventory.models import User


@contextmanager
def found(email: str) -> Iterator[User]:
    """The account with this address. Whatever goes wrong meanwhile becomes a sentence instead of a traceback."""
    try:
        user = accounts.find_by_email(email)
        if user is None:
            raise CommandError(f"{email} has no account.")
        yield user
    except progress.UNAVAILABLE as failed:
        raise progress.apology(failed) from failed

"""Readers of environment variables that refuse what is ambiguous."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
SHORTEST_KEY = 50
_FEWEST_CHARACTERS = 5
# How those that Django makes for a start begin, and those of our tests.
_KNOWN_KEYS = ("django-insecure-", "for-tests-only-")


def text(name: str, default: str | None = None) -> str:
    """The variable as it stands. Raises ImproperlyConfigured when it is unset or empty and has no default."""
    value = os.environ.get(name, "")
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"The environment variable {name} is required. README.md lists them all.")
    return default


def boolean(name: str, default: bool) -> bool:
    """True or false in the usual spellings; any third value is an error, never a guess."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false: write 1 or 0.")


def whole_number(name: str, default: int, *, at_least: int = 0) -> int:
    """A whole number of at least ``at_least``."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or int(value) < at_least:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number of at least {at_least}.")
    return int(value)


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks separated by commas, such as ``10.0.0.0/8, ::1``."""
    try:
        return tuple(ip_network(part) for part in listing(name))
    except ValueError as wrong:
        raise ImproperlyConfigured(f"{name}: {wrong}. Write addresses or networks, such as 10.0.0.0/8.") from wrong


def unguessable(name: str, key: str) -> str:
    """A key as it is. Raises ImproperlyConfigured for a short one, a monotonous one, and those of our own examples."""
    if len(key) < SHORTEST_KEY or len(set(key)) < _FEWEST_CHARACTERS or key.startswith(_KNOWN_KEYS):
        raise ImproperlyConfigured(
            f"{name} can be guessed. Make one of {SHORTEST_KEY} random characters: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return key


def listing(name: str, default: str = "") -> list[str]:
    """Values separated by commas, without blanks and empty parts."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]

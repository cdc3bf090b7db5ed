"""The attacks that need no server: each module tries one kind in many ways on the shop in this process.

``attack(how_many)`` yields for each case what was tried and, if the door was open, what came of it; ``how_many`` is how
much to try where that has no natural end. ``weakened()`` takes the defence away: then something must be found open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

T = TypeVar("T")
#: What was tried, and what is open: an empty text where nothing is.
Cases = Iterator[tuple[str, str]]


def some(things: Sequence[T], how_many: int) -> Sequence[T]:
    """All of them, or so many from all over the list."""
    return things[:: max(1, len(things) // how_many)]


class Group(Protocol):
    TITLE: str

    def attack(self, how_many: int) -> Cases: ...

    def weakened(self) -> AbstractContextManager[object]: ...


NAMES = (
    "redirects", "hosts", "forgery", "methods", "mass_assignment", "others_things", "tokens", "money", "uploads",
    "caching", "headers", "splitting", "passwords", "enumeration", "hidden_files", "database_words", "logged_secrets",
    "role", "dependencies", "client_address", "session_replay", "second_factor", "mail_links", "traces", "limiter",
)  # fmt: skip

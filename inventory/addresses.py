"""An account's book of addresses. The first one is the default."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from pynamodb.expressions.condition import Condition

from inventory import accounts, dynamodb
from inventory.errors import NoSuchAddress, TooManyAddresses
from inventory.models import SavedAddress, User

MOST = 10
_FIELDS = ("name", "street", "postal_code", "city", "country")
_Book = list[SavedAddress]


def find(user: User, address_id: str) -> SavedAddress | None:
    """An address of this account's book, or None."""
    return next((one for one in user.addresses if one.id == address_id), None)


def fields(address: SavedAddress) -> dict[str, str]:
    """What stands in it, by the names that forms use."""
    return {name: getattr(address, name) for name in _FIELDS}


def add(user_id: str, said: Mapping[str, str]) -> None:
    """Write an address into the book. One that stands there already is left. Raises TooManyAddresses, and Busy."""
    new = SavedAddress(id=uuid.uuid4().hex, **{name: said[name] for name in _FIELDS})

    def with_new(book: _Book) -> _Book:
        if any(fields(one) == fields(new) for one in book):
            return book
        if len(book) >= MOST:
            raise TooManyAddresses(MOST)
        return [*book, new]

    _rewrite(user_id, with_new)


def change(user_id: str, address_id: str, said: Mapping[str, str]) -> None:
    """Write an address anew. Raises NoSuchAddress when it is gone, and Busy."""
    new = SavedAddress(id=address_id, **{name: said[name] for name in _FIELDS})
    _rewrite(user_id, lambda book: [new if one is _there(book, address_id) else one for one in book])


def make_default(user_id: str, address_id: str) -> None:
    """Put an address on top. Raises NoSuchAddress when it is gone, and Busy."""
    _rewrite(user_id, lambda book: sorted(book, key=lambda one: one is not _there(book, address_id)))


def remove(user_id: str, address_id: str) -> None:
    """Take an address out. One that is gone is no error. Raises Busy."""
    _rewrite(user_id, lambda book: [one for one in book if one.id != address_id])


def _there(book: _Book, address_id: str) -> SavedAddress:
    found = next((one for one in book if one.id == address_id), None)
    if found is None:
        raise NoSuchAddress
    return found


@dynamodb.retry_while_busy
def _rewrite(user_id: str, change: Callable[[_Book], _Book]) -> None:
    """Write the book that ``change`` makes of what stands there. May be tried again: it comes to the same."""
    user = accounts.find(user_id)
    if user is None:
        raise NoSuchAddress
    book = change(user.addresses)
    if book == user.addresses:
        return
    with dynamodb.transaction() as tx:
        tx.update(User(user_id), [User.addresses.set(book)], condition=_unchanged(user), otherwise=dynamodb.contended)


def _unchanged(user: User) -> Condition:
    same: Condition = User.addresses == user.addresses
    # An account of an earlier version has no book; one that is gone has nothing at all.
    return same if user.addresses else User.email.exists() & (same | User.addresses.does_not_exist())

"""DynamoDB's price list: how large an item is, and how many units a read or a write of it takes.

From "DynamoDB item sizes and formats" and "Capacity management for transactions" in Amazon's developer guide. That a
transaction doubles what the table is charged, but not its indexes, and that an index is charged for what changes in it
was measured on AWS by others (github.com/nubo-db/dynoxide, pull request 188 and issue 176).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Item = dict[str, dict[str, Any]]

WRITE_BYTES = 1024
READ_BYTES = 4096
_CONTAINER = 3
_ELEMENT = 1


@dataclass(frozen=True)
class Index:
    """What an index keeps of an item. ``projected`` is None where it keeps everything."""

    key: frozenset[str]
    projected: frozenset[str] | None

    def entry(self, item: Item | None) -> Item | None:
        """What the index keeps of an item, or None where the item is not in it."""
        if item is None or not self.key <= item.keys():
            return None
        return item if self.projected is None else {name: item[name] for name in item if name in self.projected}


def size(item: Item) -> int:
    """Bytes of an item: its attributes' names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: dict[str, Any]) -> int:
    (kind, content), *_ = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return _number_size(content)
    if kind == "L":
        return _CONTAINER + sum(_ELEMENT + _value_size(one) for one in content)
    if kind == "M":
        return _CONTAINER + sum(_ELEMENT + len(name.encode()) + _value_size(one) for name, one in content.items())
    if kind in ("NULL", "BOOL"):
        return 1
    raise ValueError(f"Nothing of the shop is stored as {kind}.")


def _number_size(text: str) -> int:
    """A byte for every two significant digits and one more; one more again below zero. Amazon calls it approximate."""
    number = Decimal(text).normalize()
    return math.ceil(len(number.as_tuple().digits) / 2) + 1 + (number < 0)


def read(items: list[Item], *, consistent: bool) -> float:
    """Read units of items that are found together, as by a query. Nothing found costs as much as something small."""
    blocks = max(1, math.ceil(sum(map(size, items)) / READ_BYTES))
    return blocks * (1.0 if consistent else 0.5)


def write(before: Item | None, after: Item | None) -> int:
    """Write units of a table for one write: the larger of both images counts."""
    return max([1, *(math.ceil(size(image) / WRITE_BYTES) for image in (before, after) if image)])


def index_write(index: Index, before: Item | None, after: Item | None) -> int:
    """Write units of an index for one write to its table: for what changes in the index, and only for that."""
    old, new = index.entry(before), index.entry(after)
    if old == new:
        return 0
    if old and new and any(old[name] != new[name] for name in index.key):
        return write(old, None) + write(None, new)
    return write(old, new)


def transaction_write(indexes: list[Index], before: Item | None, after: Item | None) -> int:
    """Write units of one write within a transaction: the table's twice (prepare, commit), each index's once."""
    return 2 * write(before, after) + sum(index_write(index, before, after) for index in indexes)


def plain_write(indexes: list[Index], before: Item | None, after: Item | None) -> int:
    """Write units of one write by itself."""
    return write(before, after) + sum(index_write(index, before, after) for index in indexes)

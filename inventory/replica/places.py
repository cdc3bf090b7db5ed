"""Where words stand: for each word the positions of the products that have it, ascending.

The words of a language are few and each is in many products: they are kept as arrays. What has digits in it (article
numbers, sizes) has thousands of forms with a product or two each, which take a tenth of the memory in SQLite.
"""

from __future__ import annotations

import bisect
import itertools
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Literal

Column = Literal["name", "text"]
SCHEMA = """
    CREATE TABLE code (field TEXT, word TEXT, position INTEGER, PRIMARY KEY (field, word, position)) WITHOUT ROWID;
"""
_AFTER_ALL = chr(0x10FFFF)


class Places:
    """Whoever asks or adds holds the lock of the connection."""

    def __init__(self, sql: sqlite3.Connection) -> None:
        self._sql = sql
        self._by_word: dict[Column, dict[str, array[int]]] = {
            "name": defaultdict(_nowhere),
            "text": defaultdict(_nowhere),
        }

    def add(self, column: Column, products: Iterable[tuple[int, Iterable[str]]]) -> None:
        """Take in products with their words, at positions beyond all that are here."""
        by_word, codes = self._by_word[column], []
        for position, words in products:
            for word in words:
                if word.isalpha():
                    by_word[word].append(position)
                else:
                    codes.append((column, word, position))
        self._sql.executemany("INSERT INTO code VALUES (?, ?, ?)", codes)

    def of(self, column: Column, word: str, *, since: int) -> Collection[int]:
        """Where a word without digits stands, from a position on."""
        found = self._by_word[column].get(word, _nowhere())
        return found[bisect.bisect_left(found, since) :] if since else found

    def beginning(self, column: Column, part: str, *, since: int) -> Collection[int]:
        """Where words stand that begin so, from a position on. A position may come more than once."""
        codes = self._sql.execute(
            "SELECT position FROM code WHERE field = ? AND word >= ? AND word < ? AND position >= ?",
            (column, part, part + _AFTER_ALL, since),
        )
        found = [self.of(column, word, since=since) for word in self._by_word[column] if word.startswith(part)]
        return [*itertools.chain(*found), *(position for (position,) in codes)]


def _nowhere() -> array[int]:
    return array("I")

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
from collections.abc import Collection, Iterable, Set
from typing import Literal

Column = Literal["name", "anywhere"]
SCHEMA = """
    CREATE TABLE code (word TEXT, position INTEGER, in_name INTEGER, PRIMARY KEY (word, position)) WITHOUT ROWID;
"""
_AFTER_ALL = chr(0x10FFFF)


class Places:
    """Whoever asks where, or adds, holds the lock of the connection."""

    def __init__(self, sql: sqlite3.Connection) -> None:
        self._sql = sql
        self._by_word: dict[Column, dict[str, array[int]]] = {
            "name": defaultdict(_nowhere),
            "anywhere": defaultdict(_nowhere),
        }

    def add(self, products: Iterable[tuple[int, Set[str], Set[str]]]) -> None:
        """Take in products at positions beyond all that are here: the words of their names, and all of their words."""
        name, anywhere, codes = self._by_word["name"], self._by_word["anywhere"], []
        for position, in_name, words in products:
            for word in words:
                if word.isalpha():
                    anywhere[word].append(position)
                else:
                    codes.append((word, position, word in in_name))
            for word in in_name:
                if word.isalpha():
                    name[word].append(position)
        self._sql.executemany("INSERT INTO code VALUES (?, ?, ?)", codes)

    def count(self, word: str) -> int:
        """How many products have a word without digits; a product that changed counts as often."""
        return len(self._by_word["anywhere"].get(word, ()))

    def of(self, column: Column, word: str, *, since: int) -> Collection[int]:
        """Where a word without digits stands, from a position on."""
        found = self._by_word[column].get(word, _nowhere())
        return found[bisect.bisect_left(found, since) :] if since else found

    def beginning(self, column: Column, part: str, *, since: int) -> Collection[int]:
        """Where words stand that begin so, from a position on. A position may come more than once."""
        codes = self._sql.execute(
            "SELECT position FROM code WHERE word >= ? AND word < ? AND position >= ? AND in_name >= ?",
            (part, part + _AFTER_ALL, since, column == "name"),
        )
        found = [self.of(column, word, since=since) for word in self._by_word[column] if word.startswith(part)]
        return [*itertools.chain(*found), *(position for (position,) in codes)]


def _nowhere() -> array[int]:
    return array("I")

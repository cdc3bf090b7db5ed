"""The catalogue as this process holds it: rows in SQLite in memory, words in arrays, sets of products as bits.

Everything here is derived from ``catalogue-index`` and can be thrown away. Nothing is ever changed in place: a product
that changed is taken in anew, at a position of its own, and the old position leaves the sets. So whoever is
answering a question goes on with the sets as they were, and what was made for a position (a row, a card) stays true.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import operator
import sqlite3
import threading
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.replica import bits, listed, places, words
from inventory.replica.listed import Listed, Raw
from inventory.replica.places import Column

_SCHEMA = f"""
    CREATE TABLE product (position INTEGER PRIMARY KEY, {listed.COLUMNS});
    CREATE TABLE current (id TEXT PRIMARY KEY, position INTEGER, updated TEXT) WITHOUT ROWID;
    CREATE TABLE shelf (id TEXT PRIMARY KEY, stocked INTEGER, moment TEXT) WITHOUT ROWID;
    {places.SCHEMA}
"""
_INSERT = f"INSERT INTO product VALUES (?{', ?' * len(listed.NAMES)})"  # noqa: S608
_columns = operator.itemgetter(*listed.NAMES)
# Ascending, so that one list serves both to sort with and to look up where a newcomer belongs.
_ORDERS = {
    "-rating": "-stars, -reviews, id",
    "price": "price, id",
    "-price": "-price, id",
    "new": "-created, id",
    "-reviews": "-reviews, id",
    "name": "folded, id",
    "-updated": "-updated, id",
}
#: Stars from which on a product counts as rated so well.
RATINGS = (4, 3)
# More newcomers than this at once are sorted in with all others instead of one by one.
_ONE_BY_ONE = 200
# So few at once that they are gone before anybody looks for garbage among them.
_PORTION = 50
_SPARSE = 400
_DEEP = 240
# Sets of words that are kept: at 100,000 products 12 KB each.
_WORDS_KEPT = 2048
_KEPT = 8


@dataclass(frozen=True)
class Sets:
    """Which positions have what, as the bits of whole numbers. All but ``status`` may name positions left since."""

    size: int = 0
    status: Mapping[str, int] = field(default_factory=dict)
    category: Mapping[str, int] = field(default_factory=dict)
    rating: Mapping[int, int] = field(default_factory=dict)
    stocked: int = 0

    def having(self, statuses: Iterable[str]) -> int:
        return functools.reduce(int.__or__, (self.status.get(status, 0) for status in statuses), 0)


@dataclass(frozen=True)
class Found:
    """Where a word stands: in its own form in names, in any form in names, in any form anywhere."""

    exact: int
    name: int
    anywhere: int


class Replica:
    """One process's copy of the catalogue. ``sets`` is exchanged as a whole; read it once for each question."""

    _generations = itertools.count(1)

    def __init__(self) -> None:
        self.generation = next(self._generations)
        self.sets = Sets()
        #: Counts what changed, so that whoever made something of it knows whether it is still true.
        self.changes = 0
        self._sql = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._sql.executescript(_SCHEMA)
        # One adds at a time; the other lock is for whoever uses the database, each time for as short as can be.
        self._adding, self._lock = threading.RLock(), threading.RLock()
        self._places = places.Places(self._sql)
        self.vocabulary = words.Vocabulary(self._places.count)
        #: Up to where everything that came is shown.
        self.shown = 0
        # What comes beyond that: the positions with a status, and those that leave when these are shown.
        self._coming: dict[str, int] = defaultdict(int)
        self._left = 0
        self._orders: dict[str, array[int]] = {}
        self._found: dict[tuple[Column, str, bool], tuple[int, int]] = {}
        self._prices: dict[tuple[int | None, int | None], tuple[int, int]] = {}
        self._deep: dict[tuple[int, str], array[int]] = {}
        self.listed = functools.lru_cache(maxsize=4096)(self._listed)

    # What comes in

    def take(self, raws: Iterable[Raw]) -> None:
        """Take in products and show them."""
        with self._adding:
            self.add(raws)
            self.show()

    def add(self, raws: Iterable[Raw]) -> None:
        """Take in products as ``catalogue-index`` has them, for ``show``. What is known, or newer here, is left out.

        Nothing that is shown changes, so that many may come one portion after the other and be sorted in together.
        """
        with self._adding:
            came = list(raws)
            for first in range(0, len(came), _PORTION):
                self._add(came[first : first + _PORTION])

    def _add(self, raws: list[Raw]) -> None:
        with self._lock:
            news, left = self._news(raws)
        if not news:
            return
        # Most of the time goes into this, and whoever asks for a page does not wait for it.
        rows = [listed.row(raw) for raw in news]
        with self._lock:
            self._keep(rows)
            self.sets = self._with(rows)
            self._left |= left

    def show(self) -> None:
        """Let the products that came be found, in the place of what they were before."""
        # Not while somebody adds: what came would be shown beside what it was before, and stay so.
        with self._adding, self._lock:
            if not self.waiting:
                return
            newcomers = range(self.shown, self.sets.size)
            self._sort_in(newcomers)
            status = defaultdict(int, self.sets.status)
            for name, found in self._coming.items():
                status[name] |= found
            self.sets = dataclasses.replace(
                self.sets, status={name: found & ~self._left for name, found in status.items()}
            )
            self.shown, self._left = newcomers.stop, 0
            self._coming.clear()
            self.changes += 1

    def mark(self, raws: Iterable[Raw]) -> None:
        """Take in what ``availability-index`` says: whether products have units that anybody may take."""
        marks = [(raw["id"]["S"], "inStockSince" in raw, raw["availabilityAt"]["S"]) for raw in raws]
        with self._lock:
            known = self._shelf(product_id for product_id, _, _ in marks)
            self._stock([mark for mark in marks if mark[2] > known.get(mark[0], (False, ""))[1]])

    def saw(self, units: Mapping[str, int]) -> None:
        """Take in live stock that somebody has just read: it is newer than any index."""
        with self._lock:
            known = self._shelf(units)
            self._stock(
                [
                    (product_id, number > 0, known.get(product_id, (False, ""))[1])
                    for product_id, number in units.items()
                    if (number > 0) != known.get(product_id, (None, ""))[0]
                ]
            )

    def drop(self, product_ids: Iterable[str]) -> None:
        """Leave out products that are not in their table any more, until somebody writes them anew."""
        with self._lock:
            gone = bits.of(self._positions(product_ids), size=self.sets.size)
            for name in self._coming:
                self._coming[name] &= ~gone
            status = {name: found & ~gone for name, found in self.sets.status.items()}
            if status != self.sets.status:
                self.sets = dataclasses.replace(self.sets, status=status)
                self.changes += 1

    # What is asked

    @property
    def version(self) -> tuple[int, int]:
        """Changes whenever an answer could."""
        return self.generation, self.changes

    @property
    def waiting(self) -> int:
        """How many products came and are not shown yet."""
        return self.sets.size - self.shown

    @property
    def is_wasteful(self) -> bool:
        """Whether most of it is what products were before: time to read all of it anew."""
        return self.sets.size > 1000 + 2 * self.sets.having(self.sets.status).bit_count()

    def is_stocked(self, product_id: str) -> bool:
        """Whether the product had units to take when last heard of."""
        with self._lock:
            return self._shelf([product_id]).get(product_id, (False, ""))[0]

    def words(self, meaning: words.Meaning) -> Found:
        """Where the words that somebody may have meant stand.

        The sets are kept by word, not by query: a shop has thousands of words, and its visitors all their combinations.
        """
        few = self.vocabulary.few_beginning_with(meaning.beginning)
        every, beginning = meaning.every.union(few or ()), meaning.beginning if few is None else ""
        return Found(
            self._union("name", meaning.exact),
            self._union("name", every, beginning=beginning),
            self._union("anywhere", every, beginning=beginning),
        )

    def priced(self, least: int | None, most: int | None) -> int:
        """What costs no less and no more, in cents."""
        with self._lock:
            size, found = self._prices.get((least, most), (0, 0))
            if size < self.sets.size:
                new = self._sql.execute(
                    "SELECT position FROM product WHERE position >= ? AND price BETWEEN ? AND ?",
                    (size, least or 0, 1 << 60 if most is None else most),
                )
                found |= bits.of([position for (position,) in new], size=self.sets.size)
                remember(self._prices, (least, most), (self.sets.size, found), 256)
            return found

    def pick(self, wanted: int, order: str, *, offset: int, limit: int) -> list[int]:
        """Some of a set's positions, in an order."""
        if wanted.bit_count() <= _SPARSE:
            return self._sorted(bits.positions(wanted), order)[offset : offset + limit]
        if offset >= _DEEP:
            return list(self._all_in_order(wanted, order)[offset : offset + limit])
        return list(itertools.islice(bits.among(wanted, self._order(order)), offset, offset + limit))

    # Inside

    def _news(self, raws: Iterable[Raw]) -> tuple[list[Raw], int]:
        """Of some products those that are not here as they are, or newer; and the positions that they leave, as a set.

        After an import the same thousands come again in every look for a minute: to take their words apart each time
        would cost thirty times what this does.
        """
        newest: dict[str, Raw] = {}
        for raw in raws:
            known = newest.get(raw["id"]["S"])
            if known is None or known["updatedAt"]["S"] < raw["updatedAt"]["S"]:
                newest[raw["id"]["S"]] = raw
        marks = ", ".join("?" * len(newest))
        left = []
        for product_id, position, moment in self._sql.execute(
            f"SELECT id, position, updated FROM current WHERE id IN ({marks})",  # noqa: S608
            list(newest),
        ):
            if moment >= newest[product_id]["updatedAt"]["S"]:
                del newest[product_id]
            else:
                left.append(position)
        return list(newest.values()), bits.of(left, size=self.sets.size) if left else 0

    def _positions(self, product_ids: Iterable[str]) -> dict[int, str]:
        """The products by their positions."""
        wanted = list(product_ids)
        marks = ", ".join("?" * len(wanted))
        return dict(self._sql.execute(f"SELECT position, id FROM current WHERE id IN ({marks})", wanted))  # noqa: S608

    def _shelf(self, product_ids: Iterable[str]) -> dict[str, tuple[bool, str]]:
        wanted = list(product_ids)
        marks = ", ".join("?" * len(wanted))
        found = self._sql.execute(f"SELECT id, stocked, moment FROM shelf WHERE id IN ({marks})", wanted)  # noqa: S608
        return {product_id: (bool(stocked), moment) for product_id, stocked, moment in found}

    def _keep(self, rows: list[dict[str, Any]]) -> None:
        """Write rows and words."""
        numbered = list(enumerate(rows, start=self.sets.size))
        self._sql.execute("BEGIN")
        self._sql.executemany(_INSERT, [(position, *_columns(row)) for position, row in numbered])
        self._sql.executemany(
            "REPLACE INTO current VALUES (?, ?, ?)",
            [(row["id"], position, row["moment"]) for position, row in numbered],
        )
        self._places.add((position, row["in_name"], row["anywhere"]) for position, row in numbered)
        self._sql.execute("COMMIT")
        self.vocabulary.add(set().union(*(row["anywhere"] for row in rows)))

    def _with(self, rows: list[dict[str, Any]]) -> Sets:
        """The sets with new rows in them, but for their status: by that they are found, and ``show`` gives it."""
        old = self.sets
        new: dict[tuple[str, Any], int] = defaultdict(int)
        shelf = self._shelf(row["id"] for row in rows)
        for number, row in enumerate(rows):
            bit = 1 << number
            new["status", row["status"]] |= bit
            new["category", row["category"]] |= bit
            for stars in RATINGS:
                new["rating", stars] |= bit if row["stars"] >= stars else 0
            new["stocked", True] |= bit if shelf.get(row["id"], (False, ""))[0] else 0
        kinds: dict[str, Any] = {
            "status": self._coming,
            "category": defaultdict(int, old.category),
            "rating": defaultdict(int, old.rating),
            "stocked": {True: old.stocked},
        }
        for (kind, value), found in new.items():
            kinds[kind][value] |= found << old.size
        category, rating, stocked = dict(kinds["category"]), dict(kinds["rating"]), kinds["stocked"][True]
        return Sets(old.size + len(rows), old.status, category, rating, stocked)

    def _stock(self, marks: list[tuple[str, bool, str]]) -> None:
        self._sql.executemany("REPLACE INTO shelf VALUES (?, ?, ?)", marks)
        is_stocked = {product_id: stocked for product_id, stocked, _ in marks}
        places = self._positions(is_stocked)
        full, empty = (
            bits.of([place for place, one in places.items() if is_stocked[one] is stocked], size=self.sets.size)
            for stocked in (True, False)
        )
        stocked = (self.sets.stocked | full) & ~empty
        if stocked != self.sets.stocked:
            self.sets = dataclasses.replace(self.sets, stocked=stocked)
            self.changes += 1

    def _union(self, column: Column, every: Iterable[str], *, beginning: str = "") -> int:
        """Where at least one of some words stands, or one that begins so."""
        with self._lock:
            found = self._bits(column, beginning, begins=True) if beginning else 0
            return functools.reduce(int.__or__, (self._bits(column, word) for word in every), found)

    def _bits(self, column: Column, word: str, *, begins: bool = False) -> int:
        size, found = self._found.get((column, word, begins), (0, 0))
        if size < self.sets.size:
            new = (self._places.beginning if begins else self._places.of)(column, word, since=size)
            found |= bits.of(new, size=self.sets.size) if new else 0
            remember(self._found, (column, word, begins), (self.sets.size, found), _WORDS_KEPT)
        return found

    def _order(self, order: str) -> array[int]:
        with self._lock:
            if order not in self._orders:
                question = f"SELECT position FROM product WHERE position < ? ORDER BY {_ORDERS[order]}"  # noqa: S608
                rows = self._sql.execute(question, (self.shown,))
                self._orders[order] = array("I", (position for (position,) in rows))
            return self._orders[order]

    def _sort_in(self, positions: range) -> None:
        """Give newcomers their places in the orders that are there: in copies, since others may be reading them."""
        if len(positions) > _ONE_BY_ONE:
            self._orders.clear()
        for order, old in self._orders.items():
            self._orders[order] = new = array("I", old)
            key = functools.partial(self._key, order)
            for position in positions:
                new.insert(bisect.bisect_left(new, key(position), key=key), position)

    def _key(self, order: str, position: int) -> tuple[Any, ...]:
        row = self._sql.execute(f"SELECT {_ORDERS[order]} FROM product WHERE position = ?", (position,))  # noqa: S608
        return tuple(row.fetchone())

    def _sorted(self, positions: list[int], order: str) -> list[int]:
        if len(positions) < 2:
            return positions
        numbers = ",".join(map(str, positions))
        with self._lock:
            rows = self._sql.execute(
                f"SELECT position FROM product WHERE position IN ({numbers}) ORDER BY {_ORDERS[order]}"  # noqa: S608
            )
            return [position for (position,) in rows]

    def _all_in_order(self, wanted: int, order: str) -> array[int]:
        """All of a set, kept for whoever goes on to the next page."""
        known = self._deep.get((wanted, order))
        if known is None:
            known = array("I", bits.among(wanted, self._order(order)))
            remember(self._deep, (wanted, order), known, _KEPT)
        return known

    def _listed(self, position: int) -> Listed:
        with self._lock:
            row = self._sql.execute(f"SELECT {listed.SHOWN} FROM product WHERE position = ?", (position,)).fetchone()  # noqa: S608
        return listed.product(position, row)


def remember(kept: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Keep a value, and let the oldest go where there are too many. Whoever calls holds the lock, or loses nothing."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > most:
        kept.pop(next(iter(kept)), None)

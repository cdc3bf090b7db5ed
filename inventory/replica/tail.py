"""How the copy is filled and kept fresh: all of the index once, then only what is later than what is known.

Nothing is missed, whatever the clocks of those who write say. Every save first takes a moment that is later than every
moment taken before (``products.next_moment``) and is in the index less than ``SETTLED_SECONDS`` after that. Each look
asks for all that is later than the newest moment that was known here ``SETTLED_SECONDS`` before the last look, by our
own clock: whatever that look could not see yet took its moment after that one. A process that is younger looks back a
little further each time, and once, when it is as old, over everything that was on its way when it began. What comes
again is known by its moment and left out, so nothing is shown twice or turned back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inventory import clock, dynamodb
from inventory.attributes import iso
from inventory.models import CATALOGUE, Product
from inventory.replica.listed import Raw
from inventory.replica.store import Replica

logger = logging.getLogger(__name__)

#: From this age on the copy is looked after by whoever needs it next; from the second on everybody waits for that.
FRESH_SECONDS = 2.0
STALE_SECONDS = 4.0
SETTLED_SECONDS = 60.0
#: How long a page waits for the database at the most when there is something to show without it.
PATIENCE_SECONDS: float | None = 0.25
#: How long the very first page waits for more than the first part of the catalogue.
FIRST_PATIENCE_SECONDS: float | None = 0.5
_LONGEST_FIRST_READ_SECONDS = 25.0
_SHELVES_FIRST_SECONDS = 0.25
#: How far back a young process looks: what an index takes to follow its table, ten times over.
_YOUNG = timedelta(seconds=10)
#: How far the clocks of those who write may be apart. Who sells a last unit takes no moment from anybody.
_CLOCKS_APART, _SHELF_CLOCKS_APART = timedelta(minutes=10), timedelta(seconds=60)
#: How much is asked for at once: a fortieth of what has come, within these limits. More takes less time for each
#: product, and the memory that the largest answer took is never given back.
_FIRST_PAGE, _LARGEST_PAGE = 50, 500


class Follower:
    """Keeps one copy fresh, lazily: nothing happens while nobody asks."""

    def __init__(self) -> None:
        self.replica = Replica()
        self._products = _Index("catalogue-index", "updatedAt")
        self._shelves = _Index("availability-index", "availabilityAt", clocks_apart=_SHELF_CLOCKS_APART)
        self._lock = threading.Lock()
        self._look: threading.Thread | None = None
        self._looked_at = self._known_at = float("-inf")
        self._is_whole = self._has_some = False
        self._answered = threading.Event()
        self._failure: Exception | None = None

    def fresh(self) -> Replica:
        """The copy, as fresh as it must be. Raises Contention where there is none yet and the database is away."""
        age = time.monotonic() - self._known_at
        if age > FRESH_SECONDS:
            self._wait(self._begin(), is_stale=age > STALE_SECONDS)
        return self.replica

    def _begin(self) -> tuple[threading.Thread | None, bool]:
        """The look that is on its way, if any, and whether it is we who sent it."""
        with self._lock:
            look, now = self._look, time.monotonic()
            if look is not None and look.is_alive():
                return look, False
            # After a failure there is a pause: a database that is away is not asked by every page.
            if now - self._looked_at <= FRESH_SECONDS and self._has_some:
                return None, False
            self._looked_at = now
            if not self._has_some:
                self._answered.clear()
            self._look = look = threading.Thread(target=self._run, name="catalogue", daemon=True)
            look.start()
            return look, True

    def _wait(self, begun: tuple[threading.Thread | None, bool], *, is_stale: bool) -> None:
        look, is_ours = begun
        if look is None:
            return
        if not self._has_some:
            self._wait_for_the_first(look)
        elif PATIENCE_SECONDS is None or (self._is_whole and not self._failure and (is_ours or is_stale)):
            look.join(PATIENCE_SECONDS)

    def _wait_for_the_first(self, look: threading.Thread) -> None:
        look.join(FIRST_PATIENCE_SECONDS)
        self._answered.wait(_LONGEST_FIRST_READ_SECONDS)
        if not self._has_some:
            raise dynamodb.Contention from self._failure

    def _run(self) -> None:
        began = time.monotonic()
        try:
            if self._is_whole:
                self._read_news()
            else:
                self._read_all(self.replica)
                self._is_whole = True
            self._failure = None
            self._known_at = began
        except (BotoCoreError, ClientError) as failed:
            self._failure = failed
            logger.warning("The catalogue could not be read; pages show it as it was: %s", failed)
        finally:
            self._answered.set()

    def _read_all(self, into: Replica) -> None:
        # Newest first: what is looked for most is there soonest. Shelves first: a shop without stock looks closed.
        # Where there are very many, the first page waits for no more of them: it reads the stock of what it shows.
        shelves, products, began = self._shelves.everything(), self._products.everything(), time.monotonic()
        for raws in shelves:
            into.mark(raws)
            if not into.shown and time.monotonic() - began > _SHELVES_FIRST_SECONDS:
                into.add(next(products, []))
                self._show(into)
        for raws in products:
            into.add(raws)
            # Each time twice as much: to sort all of it in, and to make all pages anew, for every portion takes long.
            if into.waiting >= into.shown:
                self._show(into)
        self._show(into)

    def _show(self, into: Replica) -> None:
        into.show()
        if into is self.replica:
            self._has_some = True
            self._answered.set()

    def _read_news(self) -> None:
        try:
            for raws in self._products.news():
                self.replica.add(raws)
        finally:
            self.replica.show()
        for raws in self._shelves.news():
            self.replica.mark(raws)
        if self.replica.is_wasteful:
            fresh = Replica()
            self._read_all(fresh)
            self.replica = fresh


class _Index:
    """An index of all products by a moment, and up to where it is known."""

    def __init__(self, name: str, attribute: str, *, clocks_apart: timedelta | None = None) -> None:
        self._name, self._attribute, self._clocks_apart = name, attribute, clocks_apart
        self._newest = ""
        #: Up to which moment all was known when, the oldest of them first.
        self._known: deque[tuple[float, str]] = deque()
        self._looked_at = float("-inf")
        self._on_its_way: tuple[float, str] | None = None

    def everything(self) -> Iterator[list[Raw]]:
        """All of it, newest first."""
        way_back = timedelta(seconds=SETTLED_SECONDS) + _CLOCKS_APART
        # Whatever is on its way now bears a later moment than that.
        began, oldest, by_clock = time.monotonic(), iso(clock.now() - way_back), self._by_clock()
        self._on_its_way = (began, oldest)
        yield from self._read("", newest_first=True)
        self._known = deque([(began, by_clock or max(oldest, _earlier(self._newest, _YOUNG)))])
        self._looked_at = began

    def news(self) -> Iterator[list[Raw]]:
        """What may be new since the last look."""
        began = time.monotonic()
        while len(self._known) > 1 and self._known[1][0] <= self._looked_at - SETTLED_SECONDS:
            self._known.popleft()
        since, way, by_clock = self._known[0][1], self._on_its_way, self._by_clock()
        has_arrived = way is not None and way[0] <= began - SETTLED_SECONDS
        if way is not None and has_arrived:
            since = min(since, way[1])
        yield from self._read(since, newest_first=False)
        self._known.append((time.monotonic(), by_clock or max(self._newest, self._known[-1][1])))
        self._looked_at = began
        self._on_its_way = None if has_arrived else way

    def _by_clock(self) -> str:
        """Before which moment nothing is written any more, where writers take theirs from their own clocks.

        To go by the newest moment that is known instead would read an import's last minute in every look, for ever.
        """
        return iso(clock.now() - self._clocks_apart) if self._clocks_apart else ""

    def _read(self, since: str, *, newest_first: bool) -> Iterator[list[Raw]]:
        question: dict[str, Any] = {
            "TableName": Product.Meta.table_name,
            "IndexName": self._name,
            "KeyConditionExpression": "#catalogue = :catalogue" + (" AND #moment > :since" if since else ""),
            "ExpressionAttributeNames": {"#catalogue": "catalogue", **({"#moment": self._attribute} if since else {})},
            "ExpressionAttributeValues": {
                ":catalogue": {"S": CATALOGUE},
                **({":since": {"S": since}} if since else {}),
            },
            "ScanIndexForward": not newest_first,
            "Limit": _FIRST_PAGE,
        }
        count = 0
        answer = _answer(question)
        while True:
            rest, count = answer.get("LastEvaluatedKey"), count + len(answer["Items"])
            question["Limit"] = min(max(_FIRST_PAGE, count // 40), _LARGEST_PAGE)
            # The next page is on its way while this one is taken in.
            coming = _on_its_way({**question, "ExclusiveStartKey": rest}) if rest else None
            yield answer["Items"]
            # Only now: had its reader failed, these would have to come again.
            self._newest = max([self._newest, *(raw[self._attribute]["S"] for raw in answer["Items"])])
            if coming is None:
                return
            answer = coming.result()


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = dynamodb.connection().client.query(**question)
    return answer


def _on_its_way(question: dict[str, Any]) -> Future[dict[str, Any]]:
    """An answer to wait for. By a thread that nobody waits for at the end of the process, unlike an executor's."""
    coming: Future[dict[str, Any]] = Future()

    def ask() -> None:
        try:
            coming.set_result(_answer(question))
        except Exception as failed:  # Whatever it is: whoever waits for the answer would wait for ever.
            coming.set_exception(failed)

    threading.Thread(target=ask, name="catalogue-page", daemon=True).start()
    return coming


def _earlier(moment: str, by: timedelta) -> str:
    return iso(datetime.fromisoformat(moment) - by) if moment and by else moment

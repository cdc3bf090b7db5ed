"""How fast an address may ask for pages: ``REQUEST_LIMIT`` requests in ``REQUEST_WINDOW_SECONDS``, as in the first
version, in windows of the clock that follow one another.

What changes something is counted in the table before it is done, so never more than the limit are let through, however
many processes there are. Looking is counted in each process, which tells the table of every tenth look of an address
and hears of the others' then: most looks ask nobody, and an address may look up to ``TOLD_EVERY`` times more for each
process. While the table cannot be asked, each process holds the limit by itself.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict

from django.conf import settings

from inventory import clock, counters, dynamodb

logger = logging.getLogger(__name__)

TOLD_EVERY = 10
#: So long nobody asks after the table did not answer.
PAUSE_SECONDS = 5.0
#: So long a look waits for another one's of the same address that is telling the table.
PATIENCE_SECONDS = 0.25
#: Addresses that a process remembers, some 300 bytes each; beyond, whoever came first is forgotten.
KEPT = 20_000
_COUNTER = "requests"


class _Visitor:
    """What a process knows of an address: its window, how many requests the table counted, and how many it did not."""

    __slots__ = ("known", "telling", "untold", "window")

    def __init__(self, window: int) -> None:
        self.window, self.known, self.untold = window, 0, 0
        self.telling = threading.Lock()

    @property
    def is_done(self) -> bool:
        return self.known + self.untold >= settings.REQUEST_LIMIT


_visitors: OrderedDict[str, _Visitor] = OrderedDict()
_lock = threading.Lock()
_paused_until = float("-inf")


def count(address: str, *, changes: bool) -> int:
    """Count a request; gives the seconds after which to come back when it is one too many, and 0 when it is not.

    What is refused is not counted.
    """
    now, seconds = clock.now().timestamp(), settings.REQUEST_WINDOW_SECONDS
    visitor = _find(address, int(now // seconds))
    is_let_through = _change(address, visitor) if changes else _look(address, visitor)
    return 0 if is_let_through else math.ceil(seconds - now % seconds)


def forget() -> None:
    """Know nothing of anybody."""
    global _paused_until
    _visitors.clear()
    _paused_until = float("-inf")


def _find(address: str, window: int) -> _Visitor:
    with _lock:
        found = _visitors.get(address)
        if found is None or found.window != window:
            _visitors.pop(address, None)
            found = _visitors[address] = _Visitor(window)
            if len(_visitors) > KEPT:
                _visitors.popitem(last=False)
        return found


def _change(address: str, visitor: _Visitor) -> bool:
    """Whether one more change is let through."""
    if visitor.is_done:
        return False
    if not _is_paused():
        try:
            # Looks that the table does not know of yet are looks all the same.
            visitor.known = _told(address, by=1, below=settings.REQUEST_LIMIT - visitor.untold)
        except counters.Full:
            visitor.known = settings.REQUEST_LIMIT
            return False
        except dynamodb.Contention as away:
            _pause(away)
        else:
            return True
    with _lock:
        visitor.untold += 1
    return True


def _look(address: str, visitor: _Visitor) -> bool:
    """Whether one more look is let through."""
    with _lock:
        if visitor.is_done:
            return False
        visitor.untold += 1
    if visitor.untold < TOLD_EVERY or _is_paused() or not visitor.telling.acquire(timeout=PATIENCE_SECONDS):
        return True
    try:
        told = visitor.untold
        if told >= TOLD_EVERY:
            visitor.known = _told(address, by=told)
            with _lock:
                visitor.untold -= told
            return visitor.known <= settings.REQUEST_LIMIT
    except dynamodb.Contention as away:
        _pause(away)
    finally:
        visitor.telling.release()
    return visitor.known + visitor.untold <= settings.REQUEST_LIMIT


def _told(address: str, *, by: int, below: int | None = None) -> int:
    return counters.add(_COUNTER, address, seconds=settings.REQUEST_WINDOW_SECONDS, by=by, below=below)


def _is_paused() -> bool:
    return time.monotonic() < _paused_until


def _pause(away: Exception) -> None:
    global _paused_until
    _paused_until = time.monotonic() + PAUSE_SECONDS
    logger.warning("Requests cannot be counted together; each process counts its own: %s", away.__cause__)

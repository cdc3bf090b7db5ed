"""The shop, which says by which of its processes it answers; and one in which each of them counts for itself."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ecokart.wsgi import application as shop
from inventory import counters

_counted: Counter[str] = Counter()
_lock = threading.Lock()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        return start_response(status, [*headers, ("Set-Cookie", f"process={os.getpid()}")], exc_info)

    return shop(environ, start)


def each_for_itself(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    counters.add = _add
    return application(environ, start_response)


def _add(name: str, who: str, *, seconds: int, by: int = 1, below: int | None = None) -> int:
    with _lock:
        if below is not None and _counted[who] >= below:
            raise counters.Full(seconds)
        _counted[who] += by
        return _counted[who]

"""Many items at once, for commands that fill tables: batches of 25, several on their way at the same time.

A batch knows no conditions and no transaction: it writes over what is there, and a part of it may be written alone. It
is for items that nobody else can be writing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.models import Model

from inventory import dynamodb

T = TypeVar("T")
R = TypeVar("R")

WRITERS = 4
_BATCH = 25
_TRIES = 12
_LONGEST_PAUSE_SECONDS = 3.0

_Requests = dict[str, list[dict[str, Any]]]


def put(items: Sequence[Model]) -> None:
    """Write items, one batch after the other, over what stands under their keys.

    What DynamoDB leaves over is sent again, after pauses that grow. Raises Contention when it keeps leaving something;
    what was written by then stays.
    """
    for start in range(0, len(items), _BATCH):
        _put_batch(items[start : start + _BATCH])


def in_parallel(work: Callable[[list[T]], R], things: Iterable[T], *, size: int) -> Iterator[R]:
    """Do some work on all things, ``size`` at a time, in a few threads; gives the results in their order.

    Takes the things as they are needed, so that a hundred thousand need not be in memory.
    """
    waiting = iter(things)
    running: list[Future[R]] = []
    with ThreadPoolExecutor(WRITERS) as pool:
        while chunk := list(islice(waiting, size)):
            running.append(pool.submit(work, chunk))
            if len(running) >= 4 * WRITERS:
                yield running.pop(0).result()
        for one in running:
            yield one.result()


def _put_batch(batch: Sequence[Model]) -> None:
    left: _Requests = {}
    for item in batch:
        left.setdefault(item.Meta.table_name, []).append({"PutRequest": {"Item": item.serialize()}})
    for number in range(_TRIES):
        if number:
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.05 * 2**number)))
        left = _sent(left)
        if not left:
            return
    raise dynamodb.Contention


def _sent(requests: _Requests) -> _Requests:
    """Send a batch; gives what has to be sent again, which is all of it when no answer came: a put may be repeated."""
    try:
        answer = dynamodb.connection().client.batch_write_item(RequestItems=requests)
    except (BotoCoreError, ClientError) as failed:
        if not dynamodb.is_unavailable(failed):
            raise
        return requests
    left: _Requests = answer.get("UnprocessedItems", {})
    return left

"""How many units there are of what a page shows: read in one batch, and for a moment not again."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from inventory import dynamodb
from inventory.models import Product

logger = logging.getLogger(__name__)

#: So long a number is shown without asking; so long again while somebody else is asking.
FRESH_SECONDS = 1.0
#: So long nobody asks after the database did not answer: pages show the last numbers.
PAUSE_SECONDS = 2.0
#: So long a page waits for another that is asking already.
PATIENCE_SECONDS = 0.25
#: So long after pages had to ask for it twice, a product is read along with what other pages ask for.
ASKED_SECONDS = 2.0
_BATCH = 100
_KEPT = 20_000

_LOOKED_THROUGH = 200

#: Who wants to know what was read: called with the units by product.
listeners: list[Callable[[Mapping[str, int | None]], None]] = []


class _Seen(NamedTuple):
    """What was read: when, the units; when a page last had to ask for them, and whether not for the first time."""

    read_at: float
    units: int | None
    asked_at: float
    is_sought: bool


_NEVER = _Seen(float("-inf"), None, float("-inf"), False)
_seen: dict[str, _Seen] = {}
_asking = threading.Lock()
_paused_until = float("-inf")
#: Another one whenever a number may have changed.
moves = 0


def of(product_ids: Sequence[str]) -> dict[str, int | None]:
    """Units that anybody may take, by product; None for a product that is not there. One BatchGetItem at the most.

    Where the database is away the last known numbers stand, and a product without one is left out.
    """
    now = time.monotonic()
    oldest = read_since(product_ids)
    if now - oldest > FRESH_SECONDS:
        _refresh(product_ids, may_wait=now - oldest > 2 * FRESH_SECONDS)
    # Asked once for each: whoever sells meanwhile forgets what was there a moment ago.
    seen = [(one, _seen.get(one)) for one in product_ids]
    return {one: found.units for one, found in seen if found}


def read_since(product_ids: Iterable[str]) -> float:
    """When that number of some products was read that was read longest ago, in ``time.monotonic``'s seconds.

    For ``FRESH_SECONDS`` from then on, ``of`` says the same without asking, unless ``moves`` moves on.
    """
    return min((_seen.get(one, _NEVER).read_at for one in product_ids), default=float("inf"))


def forget(product_ids: Iterable[str] | None = None) -> None:
    """Ask anew for some products, or all: called by whoever has just moved their stock."""
    global moves
    if product_ids is None:
        _seen.clear()
    else:
        for one in product_ids:
            _seen.pop(one, None)
    moves += 1


def _refresh(product_ids: Sequence[str], *, may_wait: bool) -> None:
    global _paused_until
    if not _asking.acquire(timeout=PATIENCE_SECONDS if may_wait else 0):
        return
    try:
        now = time.monotonic()
        due = [one for one in product_ids if now - _seen.get(one, _NEVER).read_at > FRESH_SECONDS][:_BATCH]
        if due and now > _paused_until:
            _read([*due, *_also_due(due, now)], asked=frozenset(due), now=now)
    except (BotoCoreError, ClientError) as failed:
        if not dynamodb.is_unavailable(failed):
            raise
        _paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("Live stock could not be read; pages show the last numbers: %s", failed)
    finally:
        _asking.release()


def _also_due(due: list[str], now: float) -> list[str]:
    """What fills the batch: products that pages had to ask for again and again, and will soon ask for once more.

    Under load one answer serves all pages of its second. Each product read costs, though: where few people look
    around, or everybody searches for something else, a page reads what it shows and nothing more.
    """
    asked = set(due)
    known = [*itertools.islice(_seen, _LOOKED_THROUGH)]
    lately = ((one, _seen.get(one, _NEVER)) for one in known if one not in asked)
    also = (
        one
        for one, seen in lately
        if seen.is_sought and now - seen.asked_at < ASKED_SECONDS and now - seen.read_at > FRESH_SECONDS / 2
    )
    return list(itertools.islice(also, _BATCH - len(due)))


def _read(wanted: Sequence[str], *, asked: frozenset[str], now: float) -> None:
    """Read the units of some products; ``asked`` are those that a page has to know now."""
    global moves
    answer = dynamodb.connection().client.batch_get_item(
        RequestItems={
            Product.Meta.table_name: {
                "Keys": [{"id": {"S": one}} for one in wanted],
                "ProjectionExpression": "id, available",
                "ConsistentRead": True,
            }
        }
    )
    read_at = time.monotonic()
    late = answer.get("UnprocessedKeys", {}).get(Product.Meta.table_name, {}).get("Keys", [])
    units: dict[str, int | None] = dict.fromkeys(wanted)
    for raw in answer["Responses"].get(Product.Meta.table_name, []):
        units[raw["id"]["S"]] = int(raw["available"]["N"]) if "available" in raw else 0
    for key in late:
        units.pop(key["id"]["S"])
    for one, number in units.items():
        # At the end, so that those at the beginning are the ones that were read longest ago.
        before = _seen.pop(one, _NEVER)
        if one in asked:
            is_sought = now - before.asked_at < ASKED_SECONDS + FRESH_SECONDS
            _seen[one] = _Seen(read_at, number, now, is_sought)
        else:
            _seen[one] = before._replace(read_at=read_at, units=number)
    while len(_seen) > _KEPT:
        _seen.pop(next(iter(_seen)), None)
    moves += 1
    for listen in listeners:
        listen(units)

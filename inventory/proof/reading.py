"""How the proof reads: raw, consistent, and only what it needs."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.models import Model

from inventory import dynamodb
from inventory.errors import Busy
from inventory.models import HELD, Cart, Movement, Order, Product
from inventory.proof import facts
from inventory.proof.facts import Basket, Moved, Raw, Sale, Shelf

#: A larger table is read in parts at the same time, one for so many items. A smaller one gains nothing by it.
ITEMS_IN_A_SEGMENT = 250_000
MOST_SEGMENTS = 8
#: What DynamoDB takes in one TransactGetItems, less the product itself.
MOST_AT_ONE_MOMENT = 99
_BATCH = 100
_TRIES = 5
_LONGEST_PAUSE_SECONDS = 1.0

_KEYS: dict[type[Model], str] = {Product: "id", Cart: "userId", Order: "id"}
_WANTED: dict[type[Model], tuple[str, ...]] = {
    Product: facts.SHELF,
    Cart: ("userId", "items", "hold", "updatedAt", "expiresAt", "deleteAt"),
    Order: ("id", "number", "items", "status", "totalAmount", "history"),
    Movement: ("productId", "time", "kind", "quantity", "order"),
}


def scan(model: type[Model], *, about: int, wanted: tuple[str, ...] = ()) -> Iterator[list[Raw]]:
    """All items of a table, a page at a time, with some attributes. For commands: no request reads a whole table.

    There are ``about`` so many items. The next page is on its way while its reader makes sense of one.
    """
    names, segments = wanted or _WANTED[model], min(MOST_SEGMENTS, 1 + about // ITEMS_IN_A_SEGMENT)
    with ThreadPoolExecutor(segments) as pool:
        running: dict[Future[tuple[list[Raw], Raw | None]], Raw] = {}
        for segment in range(segments):
            part = {"Segment": segment, "TotalSegments": segments} if segments > 1 else {}
            running[pool.submit(_page, model, names, part)] = part
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for page in done:
                part = running.pop(page)
                items, last = page.result()
                if last:
                    running[pool.submit(_page, model, names, {**part, "ExclusiveStartKey": last})] = part
                yield items


def about_how_many(model: type[Model]) -> int:
    """How many items a table has, as DynamoDB counted them some hours ago."""
    described = _ask(_client().describe_table, TableName=model.Meta.table_name)
    return int(described["Table"].get("ItemCount", 0))


def shelves(product_ids: Collection[str]) -> dict[str, Shelf]:
    return {raw["id"]["S"]: facts.shelf(raw) for _, raw in _batch((Product, product_ids))}


def promises(owner_ids: Collection[str], order_ids: Collection[str]) -> tuple[dict[str, Basket], dict[str, Sale]]:
    """Of these carts those that hold stock, and these orders."""
    raws: dict[type[Model], list[Raw]] = {Cart: [], Order: []}
    for model, raw in _batch((Cart, owner_ids), (Order, order_ids)):
        raws[model].append(raw)
    return _held(raws[Cart]), {raw["id"]["S"]: facts.sale(raw) for raw in raws[Order]}


def at_one_moment(product_id: str, owner_ids: Collection[str]) -> tuple[Shelf | None, dict[str, Basket]] | None:
    """A product and carts that may hold it, read in one transaction. None if that was refused: they are moving."""
    wanted = [(Product, product_id), *((Cart, owner_id) for owner_id in owner_ids)]
    gets = [
        {
            "Get": {
                "TableName": model.Meta.table_name,
                "Key": {_KEYS[model]: {"S": key}},
                **dynamodb.projection(_WANTED[model]),
            }
        }
        for model, key in wanted
    ]
    try:
        answer = _ask(_client().transact_get_items, TransactItems=gets)
    except ClientError as refused:
        if dynamodb.error_code(refused) != "TransactionCanceledException":
            raise
        return None
    product, *carts = (one.get("Item") for one in answer["Responses"])
    return (facts.shelf(product) if product else None), _held(cart for cart in carts if cart)


def movements(product_id: str, *, since: str = "", limit: int | None = None) -> list[Moved] | None:
    """The movements of a product, from the key ``since`` on; None where there are more than ``limit``."""
    question = {**_movements_of(product_id, since), **dynamodb.projection((*_WANTED[Movement], "by", "why"))}
    found: list[Moved] = []
    for answer in _pages(question):
        found += map(facts.moved, answer["Items"])
        if limit is not None and len(found) > limit:
            return None
    return found


def count_movements(product_id: str) -> int:
    question = {**_movements_of(product_id, ""), "Select": "COUNT"}
    question["ExpressionAttributeNames"] = {"#productId": "productId", "#time": "time"}
    return sum(int(answer["Count"]) for answer in _pages(question))


def _movements_of(product_id: str, since: str) -> dict[str, Any]:
    return {
        "TableName": Movement.Meta.table_name,
        "KeyConditionExpression": "#productId = :id AND #time >= :since",
        "ExpressionAttributeValues": {":id": {"S": product_id}, ":since": {"S": since or "0"}},
        "ConsistentRead": True,
    }


def holders() -> dict[str, set[str]]:
    """Who holds each product, by the index of carts: it may be a moment behind, and knows no hold without an end."""
    question = {
        "TableName": Cart.Meta.table_name,
        "IndexName": Cart.expiry_index.Meta.index_name,
        "KeyConditionExpression": "#hold = :held",
        "ProjectionExpression": "userId, #items",
        "ExpressionAttributeNames": {"#hold": "hold", "#items": "items"},
        "ExpressionAttributeValues": {":held": {"S": HELD}},
    }
    found: dict[str, set[str]] = defaultdict(set)
    for answer in _pages(question):
        for raw in answer["Items"]:
            for product_id in facts.units(raw):
                found[product_id].add(raw["userId"]["S"])
    return found


def every_holder() -> dict[str, set[str]]:
    """The same from the carts themselves: all of them and none too late. Reads the table, so it is for commands."""
    found: dict[str, set[str]] = defaultdict(set)
    for page in scan(Cart, about=about_how_many(Cart)):
        for basket in _held(page).values():
            for product_id in basket.held:
                found[product_id].add(basket.owner_id)
    return found


def _held(raws: Iterable[Raw]) -> dict[str, Basket]:
    return {basket.owner_id: basket for basket in map(facts.basket, raws) if basket is not None}


def _page(model: type[Model], names: tuple[str, ...], part: Raw) -> tuple[list[Raw], Raw | None]:
    question = {"TableName": model.Meta.table_name, "ConsistentRead": True, **dynamodb.projection(names), **part}
    answer = _ask(_client().scan, **question)
    return answer["Items"], answer.get("LastEvaluatedKey")


def _pages(question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while True:
        answer = _ask(_client().query, **question)
        yield answer
        if "LastEvaluatedKey" not in answer:
            return
        question["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _batch(*wanted: tuple[type[Model], Collection[str]]) -> Iterator[tuple[type[Model], Raw]]:
    models = {model.Meta.table_name: model for model, _ in wanted}
    waiting = [(model, key) for model, keys in wanted for key in sorted(keys)]
    refused = 0
    while waiting:
        asked, waiting = waiting[:_BATCH], waiting[_BATCH:]
        answer = _ask(_client().batch_get_item, RequestItems=_request(asked))
        for table, raws in answer["Responses"].items():
            yield from ((models[table], raw) for raw in raws)
        left = [
            (models[table], key[_KEYS[models[table]]]["S"])
            for table, part in answer.get("UnprocessedKeys", {}).items()
            for key in part["Keys"]
        ]
        refused = refused + 1 if len(left) == len(asked) else 0
        if refused == _TRIES:
            raise Busy
        _pause(refused)
        waiting += left


def _request(asked: Collection[tuple[type[Model], str]]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for model, key in asked:
        if model.Meta.table_name not in request:
            request[model.Meta.table_name] = {"Keys": [], "ConsistentRead": True, **dynamodb.projection(_WANTED[model])}
        request[model.Meta.table_name]["Keys"].append({_KEYS[model]: {"S": key}})
    return request


def _ask(operation: Callable[..., dict[str, Any]], **question: Any) -> dict[str, Any]:
    """Ask, and ask again while DynamoDB cannot keep up: a long reading must not end for one page of it."""
    for attempt in range(1, _TRIES):
        try:
            return operation(**question)
        except (BotoCoreError, ClientError) as failed:
            if not dynamodb.is_unavailable(failed):
                raise
        _pause(attempt)
    return operation(**question)


def _pause(attempt: int) -> None:
    if attempt:
        time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.1 * 2**attempt)))


def _client() -> Any:
    return dynamodb.connection().client

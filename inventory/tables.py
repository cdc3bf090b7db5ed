"""Making the tables, and bringing those of earlier versions up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from inventory import availability, checkout, dynamodb, lines
from inventory.models import CATALOGUE, Cart, EmailGuard, Line, Movement, Order, Product, Step, User, tables

UPGRADER = "upgrade_tables"
_POLL_SECONDS = 0.2
_MINUTES_TO_WAIT = 30
_NUMBERS_OF_TODAY = {"available", "availabilityAt"}


@dataclass(frozen=True)
class Progress:
    """What a long task has done so far: ``done`` of ``total`` (None when it cannot be known), and on what."""

    what: str
    done: int
    total: int | None = None


def create() -> Iterator[Progress]:
    """Make the tables that are missing and wait until every one is active. Says which, one by one. Safe to repeat."""
    models = list(tables())
    for model in models:
        if not model.exists():
            # The table is still being made, so its TTL has to wait until it is there.
            model.create_table(ignore_update_ttl_errors=True)
    for number, model in enumerate(models, start=1):
        _wait_until_active(model)
        _with_ttl(model)
        yield Progress(_name(model), number, len(models))


def upgrade() -> Iterator[Progress]:
    """Fill in what items of earlier versions lack. Safe to repeat; the first version must not be writing meanwhile.

    The first version's carts knew no end of a hold, so their lines stay and hold nothing: every unit goes back on the
    shelf, and a returning customer reserves again with one click. Reads whole tables: it is a command, never part of a
    request.
    """
    yield from create()
    for model in tables():
        yield from _with_indexes(model)
    for model, upgrade_one in ((Product, _product), (User, _user), (Cart, _cart), (Order, _order)):
        changed = 0
        for raw in _raw_items(model):
            changed += upgrade_one(raw)
            yield Progress(_name(model), changed)


def _with_ttl(model: type[Model]) -> None:
    attribute = model._ttl_attribute()
    if attribute is None:
        return
    state = _client().describe_time_to_live(TableName=_name(model))["TimeToLiveDescription"]
    if state["TimeToLiveStatus"] not in ("ENABLED", "ENABLING"):
        model.update_ttl(ignore_update_ttl_errors=False)


def _with_indexes(model: type[Model]) -> Iterator[Progress]:
    """Give an older table the indexes of today. One whose key differs is made anew under its name."""
    wanted = {index["index_name"]: index for index in model._get_schema()["global_secondary_indexes"]}
    there = {index["IndexName"]: index for index in _described(model).get("GlobalSecondaryIndexes", [])}
    for name, schema in wanted.items():
        if name in there and _sorted(there[name]["KeySchema"]) == _sorted(schema["key_schema"]):
            continue
        if name in there:
            _change_index(model, {"Delete": {"IndexName": name}})
        # DynamoDB wants the hash key first; PynamoDB lists keys by name.
        keys = sorted(schema["key_schema"], key=lambda part: part["KeyType"])
        definition = {"IndexName": name, "KeySchema": keys, "Projection": schema["projection"]}
        _change_index(model, {"Create": definition})
        yield Progress(f"{_name(model)}/{name}", 1, 1)


def _change_index(model: type[Model], change: dict[str, Any]) -> None:
    table = _described(model)
    arguments = {"TableName": _name(model), "GlobalSecondaryIndexUpdates": [change]}
    if "Create" in change:
        keys = {part["AttributeName"] for part in change["Create"]["KeySchema"]}
        definitions = model._get_schema()["attribute_definitions"]
        arguments["AttributeDefinitions"] = [one for one in definitions if one["AttributeName"] in keys]
        if table.get("BillingModeSummary", {}).get("BillingMode") != "PAY_PER_REQUEST":
            capacity = table["ProvisionedThroughput"]
            units = ("ReadCapacityUnits", "WriteCapacityUnits")
            change["Create"]["ProvisionedThroughput"] = {unit: capacity[unit] for unit in units}
    _client().update_table(**arguments)
    _wait_until_active(model)


def _wait_until_active(model: type[Model]) -> None:
    deadline = time.monotonic() + 60 * _MINUTES_TO_WAIT
    while time.monotonic() < deadline:
        table = _described(model)
        indexes = table.get("GlobalSecondaryIndexes", [])
        # The emulated AWS gives an index that came with its table no state.
        states = [table["TableStatus"], *(index.get("IndexStatus", "ACTIVE") for index in indexes)]
        if set(states) == {"ACTIVE"}:
            return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"The indexes of {_name(model)} were not ready after {_MINUTES_TO_WAIT} minutes.")


def _described(model: type[Model]) -> dict[str, Any]:
    described: dict[str, Any] = _client().describe_table(TableName=_name(model))["Table"]
    return described


def _raw_items(model: type[Model]) -> Iterator[dict[str, Any]]:
    arguments: dict[str, Any] = {"TableName": _name(model), "ConsistentRead": True}
    while True:
        answer = _client().scan(**arguments)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


@dynamodb.retry_while_busy
def _product(scanned: dict[str, Any]) -> bool:
    """Free what is reserved, write the stock down as the opening movement, and enter the product in the catalogue.

    A product that only lacks the mark of ``inventory.availability`` gets that.
    """
    if scanned.keys() >= _NUMBERS_OF_TODAY:
        return False
    raw = _client().get_item(TableName=_name(Product), Key={"id": scanned["id"]}, ConsistentRead=True).get("Item", {})
    if not raw or raw.keys() >= _NUMBERS_OF_TODAY:
        return False
    product = Product.from_raw_data(raw)
    if "available" in raw:
        _mark(product, numbers=_same(raw, "available") & _same(raw, "moves"))
    else:
        _open(product, numbers=Product.available.does_not_exist() & _same(raw, "stock"))
    return True


def _mark(product: Product, *, numbers: Condition) -> None:
    """Say whether a product is in stock. Its shop may be open: true is only what these numbers say."""
    unmarked, actions = Product.availability_at.does_not_exist(), availability.marks(product.available)
    with dynamodb.transaction() as tx:
        tx.update(Product(product.id), actions, condition=numbers & unmarked, otherwise=dynamodb.contended)


def _open(product: Product, *, numbers: Condition) -> None:
    # The first version could sell more than it had. What was never there is corrected, and stays to be seen.
    units = max(0, product.stock)
    movements = [Movement.of(product.id, "opening", quantity=product.stock, by=UPGRADER)]
    if units != product.stock:
        why = "sold by the first version without being there"
        movements.append(Movement.of(product.id, "corrected", quantity=-product.stock, by=UPGRADER, why=why))
    actions = [
        Product.stock.set(units),
        Product.available.set(units),
        Product.reserved.set(0),
        Product.moves.set(0),
        Product.version.set(1),
        Product.status.set("active"),
        Product.catalogue.set(CATALOGUE),
        Product.updated_at.set(product.updated_at),
        Product.created_at.set(product.created_at),
        Product.low_stock_at.set(product.low_stock_at),
        *availability.marks(units),
    ]
    with dynamodb.transaction() as tx:
        tx.update(Product(product.id), actions, condition=numbers, otherwise=dynamodb.contended)
        for movement in movements:
            tx.put(movement, condition=Movement.product_id.does_not_exist(), otherwise=dynamodb.contended)


def _user(raw: dict[str, Any]) -> bool:
    """Write the guard that makes the account's address unique; log-in looks there."""
    if "email" not in raw:
        return False
    user = User.from_raw_data(raw)
    guard = EmailGuard(EmailGuard.key(user.email.strip().lower()), user_id=user.id)
    if dynamodb.get(EmailGuard, guard.id) is not None:
        return False
    return _unless_done(lambda: guard.save(EmailGuard.id.does_not_exist()))


def _cart(raw: dict[str, Any]) -> bool:
    if "version" in raw:
        return False
    cart = Cart.from_raw_data(raw)
    upgraded = cart.rewritten(_lines(cart), until=None)
    upgraded.updated_at = cart.updated_at
    return _unless_done(lambda: upgraded.save(Cart.version.does_not_exist()))


def _lines(cart: Cart) -> list[Line]:
    """A cart's lines with what the first version left out: one for each product, name and picture, limits."""
    kept, _notices = lines.within_limits(lines.merged([], cart.lines))
    (found,) = dynamodb.get_many((Product, [line.product_id for line in kept]))
    for line in kept:
        product = found.get(line.product_id)
        line.name = line.name or (product.name if product else line.product_id)
        line.image_url = line.image_url or (product.image_url if product else "")
    return kept


def _order(raw: dict[str, Any]) -> bool:
    if "history" in raw:
        return False
    order = Order.from_raw_data(raw)
    placed = Step(status=order.status, at=order.created_at, by=UPGRADER)
    actions: list[Action] = [Order.history.set([placed]), Order.number.set(checkout.order_number(order.id))]
    return _unless_done(lambda: order.update(actions, condition=Order.history.does_not_exist()))


def _unless_done(write: Callable[[], object]) -> bool:
    """Whether this conditional write happened; where its condition failed, another upgrade was here before."""
    try:
        write()
    except (PutError, UpdateError) as failed:
        if dynamodb.error_code(failed) != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _client() -> Any:
    """What PynamoDB has no method for is asked of its own client."""
    return dynamodb.connection().client


def _same(raw: dict[str, Any], name: str) -> Condition:
    """That a number of a product is what it was when it was read, or is still not there."""
    attribute = getattr(Product, name)
    there: Condition = attribute == attribute.deserialize(raw[name]["N"]) if name in raw else attribute.does_not_exist()
    return there


def _sorted(key_schema: list[dict[str, str]]) -> list[tuple[str, str]]:
    return sorted((part["AttributeName"], part["KeyType"]) for part in key_schema)


def _name(model: type[Model]) -> str:
    name: str = model.Meta.table_name
    return name

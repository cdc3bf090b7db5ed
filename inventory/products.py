"""Products as the shopkeeper edits them: their words, price and picture, never their stock."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from inventory import audit, availability, catalogue, clock, dynamodb
from inventory.attributes import iso
from inventory.errors import NoSuchProduct, ProductChanged, Unsure
from inventory.models import Movement, Note, Product, ProductText, Translations

NEW_ID_PREFIX = "prod-"
# The note that holds the latest moment given: the catalogue's clock.
_CLOCK = "clock#catalogue"
_LATER = timedelta(microseconds=1)


class Fields(TypedDict, total=False):
    """What an admin can say of a product. Prices in cents; ``name_en`` and ``description_en`` may be empty."""

    name: str
    description: str
    price_cents: int
    category: str
    status: str
    sku: str
    low_stock_at: int
    name_en: str
    description_en: str
    image_url: str


def create(*, by: str = "", **fields: Unpack[Fields]) -> Product:
    """Write a new product without stock; stock is added with a reason. Raises Busy."""
    product = Product(f"{NEW_ID_PREFIX}{uuid.uuid4().hex[:12]}")
    _apply(product, fields)
    return add(product, units=0, by=by, is_audited=True)


def add(product: Product, *, units: int, by: str, is_audited: bool = False) -> Product:
    """Write a product that is not there yet, with its first units and the movement that brings them.

    ``is_audited``: it goes into the audit log, as an admin's doing; what fills a shop with examples does not. Raises
    ProductChanged when its id is taken; nothing is written then.
    """
    product.stock = product.available = units
    product.updated_at = next_moment()
    availability.begin(product)
    _add(product, Movement.of(product.id, "received", quantity=units, by=by), is_audited=is_audited)
    catalogue.take(product)
    return product


@dynamodb.retry_while_busy
def _add(product: Product, received: Movement, *, is_audited: bool) -> None:
    def taken(found: Product) -> Exception:
        return dynamodb.AlreadyDone() if found.created_at == product.created_at else ProductChanged(found)

    with dynamodb.transaction() as tx:
        tx.put(product, condition=Product.id.does_not_exist(), otherwise=taken)
        if received.quantity:
            tx.put(received, condition=Movement.product_id.does_not_exist(), otherwise=dynamodb.contended)
        if is_audited:
            changes = [(name, "", said) for name, said in _as_stored(product).items()]
            audit.write(tx, "product.created", by=received.by, target=f"product#{product.id}", changes=changes)


def save(product_id: str, *, version: int, by: str = "", **fields: Unpack[Fields]) -> Product:
    """Write what an admin changed of a product, if it is still the version that the admin saw.

    Writes only the fields that differ, so stock that moves meanwhile is never touched. Raises ProductChanged, with the
    product as it stands now, when somebody saved first; NoSuchProduct; Busy; nothing is written then. Raises Unsure
    when an answer was lost and others have saved since.
    """
    product = _save(product_id, version, fields, _Attempt(by))
    catalogue.take(product)
    return product


def archive(product_id: str, *, version: int, by: str = "") -> Product:
    """Take a product off the shop's shelves and keep it for the orders that name it. Raises as ``save`` does."""
    return save(product_id, version=version, by=by, status="archived")


@dynamodb.retry_while_busy
def next_moment() -> datetime:
    """A moment later than every one given before, whatever the clocks say: for ``updated_at``, within a minute.

    The copies of the catalogue rely on it (``inventory.replica.tail``). Raises Busy.
    """
    moment = clock.now()
    while not _took(moment):
        latest, moment = dynamodb.get(Note, _CLOCK), clock.now()
        moment = max(moment, datetime.fromisoformat(latest.text) + _LATER) if latest else moment
    return moment


def _took(moment: datetime) -> bool:
    later = Note.id.does_not_exist() | (Note.text < iso(moment))
    try:
        with dynamodb.reading():
            Note(_CLOCK).update([Note.text.set(iso(moment))], condition=later)
    except UpdateError as refused:
        if dynamodb.error_code(refused) != "ConditionalCheckFailedException":
            raise
        return False
    return True


@dataclass
class _Attempt:
    """One save, however often it is tried: whose it is, the moment that it will bear, whether an answer was lost."""

    by: str
    moment: datetime | None = None
    is_lost: bool = False

    def check(self, product: Product, version: int) -> bool:
        """Whether an earlier try has happened. Raises ProductChanged when somebody else saved first, or Unsure."""
        if (product.version, product.updated_at) == (version + 1, self.moment):
            return True
        if product.version > version + 1 and self.is_lost:
            raise Unsure
        if product.version != version:
            raise ProductChanged(product)
        return False


@dynamodb.retry_while_busy
def _save(product_id: str, version: int, fields: Fields, attempt: _Attempt) -> Product:
    product = dynamodb.get(Product, product_id)
    if product is None:
        raise NoSuchProduct
    if attempt.check(product, version):
        return product
    differences = _differences(product, fields)
    if differences:
        attempt.moment = attempt.moment or next_moment()
        product.version, product.updated_at = version + 1, attempt.moment
        _send(product, differences, version, attempt)
    return product


def _send(product: Product, differences: list[_Difference], version: int, attempt: _Attempt) -> None:
    same = Product.version == version
    stamp = [Product.version.set(product.version), Product.updated_at.set(product.updated_at)]
    changes = [(one.name, one.before, one.after) for one in differences]
    try:
        with dynamodb.transaction() as tx:
            actions = [*(one.action for one in differences), *stamp]
            tx.update(Product(product.id), actions, condition=same, otherwise=dynamodb.contended)
            audit.write(tx, "product.saved", by=attempt.by, target=f"product#{product.id}", changes=changes)
    except dynamodb.OutcomeUnknown:
        attempt.is_lost = True
        raise


@dataclass(frozen=True)
class _Difference:
    """A field that a save changes: the update, and what the table says before and after."""

    name: str
    before: str
    after: str
    action: Action


def _differences(product: Product, fields: Fields) -> list[_Difference]:
    """Apply the fields to what was read; gives those that this changes."""
    before = _as_stored(product)
    _apply(product, fields)
    return [
        _Difference(name, before.get(name, ""), after, getattr(Product, name).set(getattr(product, name)))
        for name, after in _as_stored(product).items()
        if after != before.get(name)
    ]


def _as_stored(product: Product) -> dict[str, str]:
    """What an admin can change of a product, as the table says it, without what is not there."""
    attributes = {
        name: attribute
        for name, attribute in Product.get_attributes().items()
        if name in Fields.__annotations__ or name == "translations"
    }
    return {
        name: _text(attribute.serialize(getattr(product, name)))
        for name, attribute in attributes.items()
        if getattr(product, name) is not None
    }


def _text(stored: object) -> str:
    return stored if isinstance(stored, str) else json.dumps(stored, ensure_ascii=False, sort_keys=True)


def _apply(product: Product, fields: Fields) -> None:
    for field, value in fields.items():
        if field not in {"name_en", "description_en"}:
            setattr(product, field, value)
    old = product.translations.en if product.translations else None
    name = fields.get("name_en", old.name if old else None) or None
    description = fields.get("description_en", old.description if old else None) or None
    if old or name or description:
        product.translations = Translations(en=ProductText(name=name, description=description))

"""What the lines of a cart should be: their prices now, what can be had of them, what two carts make together.

Pure rules over what was read: nothing here reads or writes a table.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from inventory.models import Line, Product
from inventory.money import euros

Products = dict[str, Product]


@dataclass(frozen=True)
class Notice:
    """Something about a line that its customer should know, as a sentence in the customer's language."""

    product_id: str
    sentence: str


def of_product(product: Product, *, quantity: int, price_cents: int) -> Line:
    """A line for so many units at this price, with the product's name and picture of today."""
    return Line(
        product_id=product.id,
        quantity=quantity,
        price_cents=price_cents,
        name=product.title,
        image_url=product.image_url,
    )


def price_now(line: Line, product: Product | None, *, live: bool) -> int:
    """What a unit costs now, in cents: the lower of then and today while the hold lasts, after it today's price."""
    if product is None:
        return line.price_cents
    return min(line.price_cents, product.price_cents) if live else product.price_cents


def priced(lines: Iterable[Line], products: Products, *, live: bool) -> list[Line]:
    """The lines at the prices that they have now."""
    return [_changed(line, price_cents=price_now(line, products.get(line.product_id), live=live)) for line in lines]


def merged(own: Iterable[Line], others: Iterable[Line]) -> list[Line]:
    """The lines of two carts as one's: quantities add up, the lower price counts."""
    lines = {line.product_id: line for line in own}
    for line in others:
        mine = lines.get(line.product_id)
        lines[line.product_id] = (
            line
            if mine is None
            else _changed(
                mine, quantity=mine.quantity + line.quantity, price_cents=min(mine.price_cents, line.price_cents)
            )
        )
    return list(lines.values())


def within_limits(lines: list[Line]) -> tuple[list[Line], list[Notice]]:
    """The lines without what is more than one cart may have."""
    most = settings.LINE_MAX_QUANTITY
    kept = [_changed(line, quantity=min(line.quantity, most)) for line in lines[: settings.CART_MAX_LINES]]
    left_out = [
        Notice(line.product_id, _("%(name)s did not fit into your cart any more.") % {"name": line.name})
        for line in lines[settings.CART_MAX_LINES :]
    ]
    return kept, _reductions(lines, kept) + left_out


def affordable(lines: list[Line], products: Products, *, mine: dict[str, int]) -> tuple[list[Line], list[Notice]]:
    """The lines cut down to what can be had: ``mine`` (units already held, by product) and what is available."""
    kept, dropped = [], []
    for line in lines:
        product = products.get(line.product_id)
        quantity = min(line.quantity, obtainable(product, mine=mine.get(line.product_id, 0)))
        if quantity > 0:
            kept.append(_changed(line, quantity=quantity))
        else:
            dropped.append(Notice(line.product_id, _gone(line, product)))
    return kept, _reductions(lines, kept) + dropped


def obtainable(product: Product | None, *, mine: int) -> int:
    """How many units a cart that holds ``mine`` of a product could hold now."""
    return mine + (product.available if product is not None and product.is_active else 0)


def repriced(before: Iterable[Line], after: Iterable[Line]) -> list[Notice]:
    """A notice for each line whose price is not the one that its customer saw."""
    old = {line.product_id: line for line in before}
    return [
        Notice(line.product_id, new_price(line, was_cents=old[line.product_id].price_cents))
        for line in after
        if line.price_cents != old[line.product_id].price_cents
    ]


def new_price(line: Line, *, was_cents: int) -> str:
    """What to say of a price that has changed."""
    return _("%(name)s now costs %(now)s (it was %(was)s).") % {
        "name": line.name,
        "now": euros(line.price_cents),
        "was": euros(was_cents),
    }


def _reductions(before: Iterable[Line], after: Iterable[Line]) -> list[Notice]:
    old = {line.product_id: line for line in before}
    return [
        Notice(
            line.product_id,
            _("%(name)s: the quantity is now %(quantity)s instead of %(wanted)s.")
            % {"name": line.name, "quantity": line.quantity, "wanted": old[line.product_id].quantity},
        )
        for line in after
        if line.quantity < old[line.product_id].quantity
    ]


def _gone(line: Line, product: Product | None) -> str:
    if product is None or not product.is_active:
        return _("%(name)s is no longer sold and has left your cart.") % {"name": line.name}
    return _("%(name)s is sold out and has left your cart.") % {"name": line.name}


def _changed(line: Line, *, quantity: int | None = None, price_cents: int | None = None) -> Line:
    quantity = line.quantity if quantity is None else quantity
    price_cents = line.price_cents if price_cents is None else price_cents
    if (quantity, price_cents) == (line.quantity, line.price_cents):
        return line
    return Line(
        product_id=line.product_id,
        quantity=quantity,
        price_cents=price_cents,
        name=line.name,
        image_url=line.image_url,
    )

"""The shop's protections, one by one, and what the code looks like without each.

What is missing here, and why: that a movement's key is not there yet when something is sold or returned (the key is
random), that a new account's id is not there yet (it is random too), that ``stock ≥ n`` when ``reserved ≥ n`` holds (stock
is never less than reserved; the condition stands beside it for who repairs a table by hand), and that a transaction has a
token (the SDK would make one of its own).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``old`` occurs once in the file and becomes ``new``; ``by`` is the unit test file that should notice first."""

    file: str
    lacks: str
    old: str
    new: str
    by: str


def all_mutants() -> tuple[Mutant, ...]:
    return tuple(Mutant(file, *row) for file, rows in _TABLE.items() for row in rows)


def harmless() -> Iterator[Mutant]:
    """Changes that take nothing away: the suite must let them live, or it would not be the missing protection it notices."""
    yield Mutant(
        "inventory/orders.py",
        "nothing: a comment",
        "# An earlier try has happened after all.",
        "# An earlier attempt has happened after all.",
        "test_orders",
    )
    yield Mutant(
        "inventory/orders.py",
        "nothing: two names for one value",
        'return _take(order.id, Step(status="cancelled", at=clock.now(), by=by, note=note))',
        'step = Step(status="cancelled", at=clock.now(), by=by, note=note)\n    return _take(order.id, step)',
        "test_orders",
    )


_RESERVATIONS, _CHECKOUT, _ORDERS = "test_reservations", "test_checkout", "test_orders"
_STOCK, _PRODUCTS, _ACCOUNTS, _DYNAMODB = "test_stock", "test_products", "test_accounts", "test_dynamodb"

_TABLE: dict[str, list[tuple[str, str, str, str]]] = {
    "inventory/carts.py": [
        (
            "that enough units are available",
            '(Product.available >= units) & (Product.status == "active")',
            'Product.status == "active"',
            _RESERVATIONS,
        ),
        (
            "that the product is sold",
            '(Product.available >= units) & (Product.status == "active")',
            "Product.available >= units",
            _RESERVATIONS,
        ),
        ("that what is put back was reserved", "Product.reserved >= -units", "Product.id.exists()", _RESERVATIONS),
        (
            "that the cart is as it was read",
            "tx.put(after, condition=cart.unchanged()",
            "tx.put(after, condition=Cart.user_id.exists() | Cart.user_id.does_not_exist()",
            _RESERVATIONS,
        ),
        (
            "that the joined cart is as it was read",
            "condition=absorbed.unchanged()",
            "condition=Cart.user_id.exists()",
            _RESERVATIONS,
        ),
        (
            "that only the product that was asked for is sold out",
            "_shortage if asked_for else dynamodb.contended",
            "_shortage",
            _RESERVATIONS,
        ),
        ("the look for an earlier try", "return cart.has_been(self.id)", "return False", _RESERVATIONS),
        (
            "the doubt when too much came after a lost answer",
            "            raise Unsure\n        return cart.has_been",
            "            return False\n        return cart.has_been",
            _RESERVATIONS,
        ),
        (
            "the version at which an answer was lost",
            "self.lost_at = cart.version",
            "self.lost_at = None",
            _RESERVATIONS,
        ),
        ("the offer under which a change is known", "until=until, offer=intent.id)", "until=until)", _RESERVATIONS),
    ],
    "inventory/models.py": [
        (
            "a cart's version in its condition",
            "(Cart.version == self.version) & (Cart.order_id",
            "(Cart.order_id",
            _RESERVATIONS,
        ),
        (
            "a cart's offer in its condition",
            "(Cart.version == self.version) & (Cart.order_id == self.order_id)",
            "Cart.version == self.version",
            _RESERVATIONS,
        ),
        (
            "that a first cart is not there yet",
            "return Cart.version.does_not_exist()",
            "return Cart.user_id.exists() | Cart.user_id.does_not_exist()",
            _RESERVATIONS,
        ),
        ("a new version for each change", "version=self.version + 1,", "version=self.version or 1,", _RESERVATIONS),
        (
            "a new offer for each change",
            "            order_id=offer,",
            "            order_id=self.order_id or offer,",
            _CHECKOUT,
        ),
        (
            "the offers of before",
            "offer == self.order_id or offer in self.offers",
            "offer == self.order_id",
            _RESERVATIONS,
        ),
        (
            "the end of a hold",
            "return self.is_held and self.expires_at is not None and self.expires_at > at",
            "return self.is_held",
            _RESERVATIONS,
        ),
        (
            "the last moment of a hold",
            "self.expires_at is not None and self.expires_at > at",
            "self.expires_at is not None and self.expires_at >= at",
            "test_models",
        ),
        (
            "that a live hold is not over",
            "return self.is_held and not self.is_live(at)",
            "return self.is_held",
            _RESERVATIONS,
        ),
        ("that a cart without hold holds nothing", "} if self.is_held else {}", "}", _RESERVATIONS),
        (
            "that TTL spares what holds stock",
            "delete_at=None if until else moment",
            "delete_at=moment",
            _RESERVATIONS,
        ),
    ],
    "inventory/reservations.py": [
        (
            "that only a hold that is over is released",
            "    if not cart.has_expired(clock.now()):\n        return False",
            "    if not cart.is_held:\n        return False",
            _RESERVATIONS,
        ),
        (
            "that a hold that is over is not extended",
            "    if not cart.is_live(clock.now()):\n        raise HoldExpired",
            "    if not cart.is_held:\n        raise HoldExpired",
            _RESERVATIONS,
        ),
        (
            "the open checkout page of an extended cart",
            'intent=carts.Intent(cart.order_id or ""))',
            "intent=carts.Intent())",
            _RESERVATIONS,
        ),
        (
            "that a refused buyer does not wait for the sweeper",
            "        raise dynamodb.Contention from None",
            "        raise",
            _RESERVATIONS,
        ),
        (
            "that a renewing customer does not wait for the sweeper",
            "    release_expired(missing=missing)\n    return products_in(*wanting)",
            "    return products_in(*wanting)",
            _RESERVATIONS,
        ),
        (
            "that somebody else may have released units",
            "if not in_the_way and not _has_more(product_id, than=refusal.left):",
            "if not in_the_way:",
            _RESERVATIONS,
        ),
        (
            "that the page of a product counts holds that are over",
            "    release_expired(missing={product_id: settings.LINE_MAX_QUANTITY})\n",
            "",
            _RESERVATIONS,
        ),
        (
            "that what is no longer sold is not held anew",
            "if cart.is_live(moment) or (product_id in products and products[product_id].is_active):",
            "if moment:",
            _RESERVATIONS,
        ),
        (
            "that what is no longer sold is not changed anew",
            "    if not live and not product.is_active:\n        raise NotForSale(product.title)\n",
            "",
            _RESERVATIONS,
        ),
        (
            "the most of one product",
            "if quantity > settings.LINE_MAX_QUANTITY:",
            "if quantity > 10 * settings.LINE_MAX_QUANTITY:",
            _RESERVATIONS,
        ),
        (
            "the most lines of a cart",
            "len(cart.lines) >= settings.CART_MAX_LINES",
            "len(cart.lines) >= 10 * settings.CART_MAX_LINES",
            _RESERVATIONS,
        ),
        ("that a quantity is at least one", "    if quantity < 1:\n", "    if quantity < -99:\n", _RESERVATIONS),
        (
            "that a changed quantity is not negative",
            "    if quantity < 0:\n",
            "    if quantity < -99:\n",
            _RESERVATIONS,
        ),
        (
            "that reserving looks for its earlier try",
            "    if intent.has_happened(cart):\n        return _as_told(cart, intent)\n    if product is None",
            "    if product is None",
            _RESERVATIONS,
        ),
        (
            "that changing looks for its earlier try",
            "    if intent.has_happened(cart):\n        return _as_told(cart, intent)\n    if cart.line",
            "    if cart.line",
            _RESERVATIONS,
        ),
        (
            "that removing looks for its earlier try",
            "if intent.has_happened(cart) or cart.line(product_id) is None:",
            "if cart.line(product_id) is None:",
            _RESERVATIONS,
        ),
        (
            "that renewing looks for its earlier try",
            "    if intent.has_happened(cart):\n        return cart\n",
            "",
            _RESERVATIONS,
        ),
        (
            "that joining looks for its earlier try",
            "    if intent.has_happened(own):\n        return intent.notices\n",
            "",
            _RESERVATIONS,
        ),
        (
            "that a change starts the hold anew",
            "until=_hold_end(), asked_for=product.id",
            "until=cart.expires_at or _hold_end(), asked_for=product.id",
            _RESERVATIONS,
        ),
        (
            "that removing does not revive a hold",
            "until=_hold_end() if rest and cart.is_live(clock.now()) else None",
            "until=_hold_end() if rest else None",
            _RESERVATIONS,
        ),
        (
            "that two lapsed carts stay lapsed",
            "until=_hold_end() if live and kept else None",
            "until=_hold_end() if kept else None",
            _RESERVATIONS,
        ),
        ("that looking does not extend a hold", "until=cart.expires_at)", "until=_hold_end())", _RESERVATIONS),
        (
            "that a cart in the way does not stop a sweep",
            "    except (dynamodb.Contention, dynamodb.OutcomeUnknown):\n        return False",
            "    except ZeroDivisionError:\n        return False",
            _RESERVATIONS,
        ),
    ],
    "inventory/lines.py": [
        (
            "the price that has fallen",
            "min(line.price_cents, product.price_cents) if live",
            "line.price_cents if live",
            _CHECKOUT,
        ),
        (
            "the price that was seen",
            "min(line.price_cents, product.price_cents) if live else product.price_cents",
            "product.price_cents",
            _RESERVATIONS,
        ),
        (
            "the most of one product when carts are joined",
            "quantity=min(line.quantity, most)",
            "quantity=line.quantity",
            _RESERVATIONS,
        ),
        (
            "the most lines when carts are joined",
            "for line in lines[: settings.CART_MAX_LINES]]",
            "for line in lines]",
            _RESERVATIONS,
        ),
        (
            "that what is no longer sold cannot be had",
            "product is not None and product.is_active else 0",
            "product is not None else 0",
            _RESERVATIONS,
        ),
    ],
    "inventory/baskets.py": [
        (
            "that a fallen price is written down before it is shown",
            "if live and any(line.was_cents for line in seen):",
            "if not seen:",
            _RESERVATIONS,
        ),
    ],
    "inventory/checkout.py": [
        (
            "that what is sold was reserved",
            "(Product.reserved >= line.quantity)\n                & (Product.stock",
            "(Product.stock",
            _CHECKOUT,
        ),
        (
            "that nobody is charged more than the price of now",
            "\n                & (Product.price_cents >= line.price_cents)",
            "",
            _CHECKOUT,
        ),
        (
            "that the order is not there yet",
            "condition=Order.id.does_not_exist()",
            "condition=Order.id.exists() | Order.id.does_not_exist()",
            _CHECKOUT,
        ),
        (
            "that the cart is as it was read",
            "condition=cart.unchanged() & (Cart.expires_at > clock.now())",
            "condition=Cart.expires_at > clock.now()",
            _CHECKOUT,
        ),
        (
            "that the hold is not over as the order is written",
            "condition=cart.unchanged() & (Cart.expires_at > clock.now())",
            "condition=cart.unchanged()",
            _CHECKOUT,
        ),
        (
            "that the hold is not over",
            "    if not cart.is_live(clock.now()):\n        raise HoldExpired\n",
            "",
            _CHECKOUT,
        ),
        ("that the page shows this cart", " or cart.order_id != token:", ":", _CHECKOUT),
        (
            "that an old order is its owner's",
            "if order is not None and order.user_id == owner_id:",
            "if order is not None:",
            _CHECKOUT,
        ),
        (
            "that the cart is emptied",
            "cart.rewritten([], until=None)",
            "cart.rewritten(cart.lines, until=None)",
            _CHECKOUT,
        ),
    ],
    "inventory/orders.py": [
        (
            "that the order is in the state that was read",
            "same = Order.status == order.status",
            "same = Order.id.exists()",
            _ORDERS,
        ),
        (
            "the look for an earlier try",
            "if order is not None and step.at in [one.at for one in order.history if one.by == step.by]:",
            "if order is not None and not order.history:",
            _ORDERS,
        ),
        (
            "that somebody else's step is no try of mine",
            "[one.at for one in order.history if one.by == step.by]",
            "[one.at for one in order.history]",
            _ORDERS,
        ),
        (
            "that an order's state allows the step",
            "if order is None or step.status not in order.next_steps:",
            "if order is None:",
            _ORDERS,
        ),
        (
            "that a cancelled order's units come back",
            'if step.status == "cancelled":\n',
            'if step.status == "returned":\n',
            _ORDERS,
        ),
    ],
    "inventory/stock.py": [
        (
            "that units in carts are not taken out",
            "Product.available >= -by if by < 0 else Product.available.exists()",
            "Product.available.exists()",
            _STOCK,
        ),
        (
            "that the product has its three numbers",
            "else Product.available.exists()",
            "else Product.id.exists() | Product.id.does_not_exist()",
            _STOCK,
        ),
        (
            "that a movement is booked once",
            "tx.put(movement, condition=Movement.product_id.does_not_exist()",
            "tx.put(movement, condition=Movement.product_id.exists() | Movement.product_id.does_not_exist()",
            _STOCK,
        ),
        (
            "that a booked movement is a success",
            "return dynamodb.AlreadyDone()\n\n\ndef _form_again",
            "return dynamodb.Contention()\n\n\ndef _form_again",
            _STOCK,
        ),
        (
            "that a form is booked once",
            "condition=Note.id.does_not_exist()",
            "condition=Note.id.exists() | Note.id.does_not_exist()",
            _STOCK,
        ),
        (
            "that a used form with other values is refused",
            "if found and found.text == said else",
            "if found else",
            _STOCK,
        ),
        (
            "that reason and sign fit",
            " or (by < 0 and reason in _ONLY_MORE) or (by > 0 and reason in _ONLY_LESS)",
            "",
            _STOCK,
        ),
    ],
    "inventory/products.py": [
        (
            "that the product is in the version that was read",
            "same, lost = Product.version == version,",
            "same, lost = Product.id.exists(),",
            _PRODUCTS,
        ),
        (
            "that the product is in the version that was seen",
            "if product.version != version:",
            "if product.version < version:",
            _PRODUCTS,
        ),
        (
            "the look for an earlier try",
            "if (product.version, product.updated_at) == (version + 1, moment):",
            "if product.version < 0:",
            _PRODUCTS,
        ),
        (
            "that a new product's id is not taken",
            "tx.put(product, condition=Product.id.does_not_exist()",
            "tx.put(product, condition=Product.id.exists() | Product.id.does_not_exist()",
            _PRODUCTS,
        ),
        (
            "that an added product is a success",
            "dynamodb.AlreadyDone() if found.created_at == product.created_at else",
            "",
            _PRODUCTS,
        ),
        ("the movement of the first units", "if received.quantity:", "if received.quantity < 0:", _PRODUCTS),
    ],
    "inventory/accounts.py": [
        (
            "that an address has one account",
            "condition=EmailGuard.id.does_not_exist()",
            "condition=EmailGuard.id.exists() | EmailGuard.id.does_not_exist()",
            _ACCOUNTS,
        ),
        (
            "the look for an earlier try",
            "return dynamodb.AlreadyDone() if found and found.user_id == user.id else EmailTaken()",
            "return EmailTaken()",
            _ACCOUNTS,
        ),
        (
            "that a password is the one that was read",
            "condition=User.password == old",
            "condition=User.id.exists()",
            _ACCOUNTS,
        ),
    ],
    "inventory/dynamodb.py": [
        (
            "the second try after a conflict",
            "except (Contention, OutcomeUnknown) as failed:",
            "except OutcomeUnknown as failed:",
            _DYNAMODB,
        ),
        (
            "the second try after a lost answer",
            "except (Contention, OutcomeUnknown) as failed:",
            "except Contention as failed:",
            _DYNAMODB,
        ),
        ("the end of all tries", "if time.monotonic() + pause > deadline:", "if attempt > 1_000:", _DYNAMODB),
        (
            "that a lost answer is no refusal",
            "refusal = Unsure if is_unknown else refusal",
            "refusal = Busy",
            _DYNAMODB,
        ),
        ("the last look at an unknown outcome", "if is_last or not is_unknown:", "if deadline:", _DYNAMODB),
        (
            "that a time-out leaves the outcome open",
            "        if isinstance(failed.cause, BotoCoreError):\n            return OutcomeUnknown()",
            "        if isinstance(failed.cause, BotoCoreError):\n            return Contention()",
            _DYNAMODB,
        ),
        (
            "that a refused second try leaves the outcome open",
            "return OutcomeUnknown() if _was_sent_again(failed) else Contention()",
            "return Contention()",
            _DYNAMODB,
        ),
        (
            "that an answer of 500 leaves the outcome open",
            "return OutcomeUnknown() if code in _UNKNOWN else failed",
            "return Contention() if code in _UNKNOWN else failed",
            _DYNAMODB,
        ),
        (
            "that a mistake of ours is not tried again",
            "return Contention() if codes and codes <= _CONTENTION else failed",
            "return Contention()",
            _DYNAMODB,
        ),
        (
            "the order of the reasons",
            "writes = [*self._deletes, *self._puts, *self._updates]",
            "writes = [*self._updates, *self._puts, *self._deletes]",
            _DYNAMODB,
        ),
        ("that what is already done is done", "if not isinstance(meaning, AlreadyDone):", "if meaning:", _STOCK),
        ("what AWS calls a conflict", '    "TransactionConflict",\n', "", _DYNAMODB),
        ("what AWS says of a token that was used", '    "IdempotentParameterMismatchException",\n', "", _DYNAMODB),
        (
            "that a read without an answer is tried again",
            "        raise Contention from failed\n\n\ndef get(",
            "        raise\n\n\ndef get(",
            _DYNAMODB,
        ),
        (
            "that one item is read as it is now",
            "return model.get(key, range_key, consistent_read=True)",
            "return model.get(key, range_key)",
            _DYNAMODB,
        ),
        (
            "that several items are read as they are now",
            '{"Keys": [], "ConsistentRead": True}',
            '{"Keys": []}',
            _DYNAMODB,
        ),
    ],
}

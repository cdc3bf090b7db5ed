"""From a held cart to an order, in one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from inventory import clock, dynamodb, lines, mails, metering, reservations
from inventory.errors import CartChanged, CartEmpty, HoldExpired
from inventory.models import Address, Cart, Line, Movement, Order, Product, Step

# Letters and digits that cannot be taken for one another when an order's number is read out.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Contact:
    """Who orders, and where the parcel goes. ``country`` is an ISO 3166 code such as ``DE``."""

    name: str
    email: str
    street: str
    postal_code: str
    city: str
    country: str


@dynamodb.retry_while_busy
def place_order(owner_id: str, *, token: str, contact: Contact) -> Order:
    """Sell what a cart holds to its owner: stock goes down, movements, the order and
    the mail that confirms it are written, the cart is emptied.

    ``token`` is the cart's ``order_id`` as the checkout page showed it and becomes the order's id, so the same page
    sent twice, from two tabs or after a lost answer gives the same order. Raises CartChanged when the cart is no longer
    the one that was shown, HoldExpired when its time is up, CartEmpty, and Busy; nothing is written then.
    """
    cart = dynamodb.get(Cart, owner_id)
    if cart is None or not cart.lines or cart.order_id != token:
        return _already_placed(owner_id, token, cart)
    if not cart.is_live(clock.now()):
        raise HoldExpired
    products = reservations.products_in(cart)
    order = _order(cart, lines.priced(cart.lines, products, live=True), contact)
    # Safe to repeat when its answer is lost: the next try finds either the order or the untouched cart.
    _sell(cart, order)
    metering.count_order()
    return order


def order_number(order_id: str) -> str:
    """The number that people use for an order, such as ``EK-7K3M-92QF``: a digest of its id, so no counter."""
    value = int.from_bytes(hashlib.sha256(order_id.encode()).digest()[:8], "big")
    signs = ""
    for _ in range(8):
        value, digit = divmod(value, len(_ALPHABET))
        signs += _ALPHABET[digit]
    return f"EK-{signs[:4]}-{signs[4:]}"


def _already_placed(owner_id: str, token: str, cart: Cart | None) -> Order:
    """The order that this token has become, if it is this owner's; else the reason why there is nothing to order."""
    order = dynamodb.get(Order, token) if token else None
    if order is not None and order.user_id == owner_id:
        return order
    raise CartChanged if cart is not None and cart.lines else CartEmpty


def _order(cart: Cart, sold: list[Line], contact: Contact) -> Order:
    moment = clock.now()
    order_id = str(cart.order_id)
    return Order(
        order_id,
        user_id=cart.user_id,
        items=sold,
        total_cents=sum(line.total_cents for line in sold),
        status="pending",
        created_at=moment,
        number=order_number(order_id),
        history=[Step(status="pending", at=moment, by=contact.email)],
        email=contact.email,
        language=mails.spoken(),
        address=Address(
            name=contact.name,
            street=contact.street,
            postal_code=contact.postal_code,
            city=contact.city,
            country=contact.country,
        ),
    )


def _sell(cart: Cart, order: Order) -> None:
    with dynamodb.transaction() as tx:
        for line in order.items:
            tx.update(
                Product(line.product_id),
                [Product.stock.add(-line.quantity), Product.reserved.add(-line.quantity), Product.moves.add(1)],
                # The price is asked for too: were it lower by now, the next try charges the lower one.
                condition=(Product.reserved >= line.quantity)
                & (Product.stock >= line.quantity)
                & (Product.price_cents >= line.price_cents),
                otherwise=dynamodb.contended,
            )
            sale = Movement.of(line.product_id, "sold", quantity=-line.quantity, by=cart.user_id, order_id=order.id)
            tx.put(sale, condition=Movement.product_id.does_not_exist(), otherwise=dynamodb.contended)
        tx.put(order, condition=Order.id.does_not_exist(), otherwise=dynamodb.contended)
        mails.write(tx, "order-placed", to=order.email, about={"order": order.id}, language=order.language)
        tx.put(
            cart.rewritten([], until=None),
            condition=cart.unchanged() & (Cart.expires_at > clock.now()),
            otherwise=dynamodb.contended,
        )

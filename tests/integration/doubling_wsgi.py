"""The shop as it would be if to send a form twice were to do it twice. It is here to be found out."""

import uuid
from typing import Any

from ecokart.wsgi import application as application
from inventory import checkout, dynamodb, stock
from inventory.checkout import Contact
from inventory.errors import CartEmpty
from inventory.models import Cart, Order, Product
from shop import owners
from shop.requests import ShopRequest

_adjust = stock.adjust


def place_order(owner_id: str, *, token: str, contact: Contact) -> Order:
    """An order under an id that is made for it, not the one that the page carried."""
    cart = dynamodb.get(Cart, owner_id)
    if cart is None or not cart.lines:
        raise CartEmpty
    order = Order(str(uuid.uuid4()), user_id=owner_id, items=list(cart.lines), email=contact.email)
    for line in cart.lines:
        taken = [Product.stock.add(-line.quantity), Product.reserved.add(-line.quantity)]
        Product(line.product_id).update(taken)
    order.save()
    cart.delete()
    return order


def ensure(request: ShopRequest) -> str:
    """A new guest for every request that comes without a session."""
    owner_id = owners.of(request)
    if not owner_id:
        owner_id = request.session["guest_id"] = f"guest-{uuid.uuid4().hex}"
    return owner_id


def adjust(product_id: str, *, form_id: str = "", **change: Any) -> Product:
    """A movement for every request, whatever form it came from."""
    return _adjust(product_id, **change)


checkout.place_order = place_order
owners.ensure = ensure
stock.adjust = adjust

"""The shop as it would be without conditions: read, compare, write. It is here to lose a race."""

from datetime import timedelta

from ecokart.wsgi import application as application
from inventory import checkout, clock, dynamodb, lines, reservations
from inventory.checkout import Contact
from inventory.errors import CartChanged, OutOfStock
from inventory.models import Cart, Order, Product


def reserve(owner_id: str, product_id: str, *, quantity: int) -> Cart:
    product = Product.get(product_id, consistent_read=True)
    if product.available < quantity:
        raise OutOfStock(product.title, left=product.available)
    product.available -= quantity
    product.reserved += quantity
    product.save()
    line = lines.of_product(product, quantity=quantity, price_cents=product.price_cents)
    cart = Cart(owner_id).rewritten([line], until=clock.now() + timedelta(hours=2))
    cart.save()
    return cart


def place_order(owner_id: str, *, token: str, contact: Contact) -> Order:
    cart = dynamodb.get(Cart, owner_id)
    if cart is None or cart.order_id != token:
        raise CartChanged
    order = checkout._order(cart, list(cart.lines), contact)
    for line in cart.lines:
        product = Product.get(line.product_id, consistent_read=True)
        product.stock -= line.quantity
        product.reserved -= line.quantity
        product.save()
    order.save()
    cart.delete()
    return order


reservations.reserve = reserve
checkout.place_order = place_order

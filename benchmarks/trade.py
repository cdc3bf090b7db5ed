"""What a shop has after some days of trade, so that no page of its staff or of a customer is an empty one."""

from __future__ import annotations

from itertools import cycle, islice

from benchmarks import goods
from ecokart import local
from inventory import accounts, addresses, catalogue, checkout, orders, reservations, stock
from inventory.models import Order, User
from inventory.proof.proving import Proof

ORDERS, CARTS = 36, 4
_LINES, _PLENTY = 3, 40
#: The ways that orders have gone so far.
_STEPS = ((), ("paid",), ("paid", "shipped"), ("paid", "shipped", "delivered"), ("cancelled",))


def happened(most_wanted: str) -> Order:
    """Goods received, orders in every state, carts that hold units, and a proof of all that.

    The product ``most_wanted`` is in every order. Gives the last one; it is the demo's customer's, as every third is.
    """
    customer = accounts.find_by_email(local.CUSTOMER.email)
    assert customer is not None
    _settled_in(customer)
    shelf = [one.id for one in stock.products(one.id for one in catalogue.everything()) if one.available > _PLENTY]
    for product_id in [most_wanted, *shelf]:
        stock.adjust(product_id, by=ORDERS, reason="received", note="4711", who=local.ADMIN.email)
    rest = cycle(shelf)
    for number, steps in zip(range(ORDERS), cycle(_STEPS), strict=False):
        owner_id = goods.owner() if (ORDERS - 1 - number) % 3 else customer.id
        order = _ordered(owner_id, {most_wanted, *islice(rest, _LINES - 1)})
        for step in steps:
            order = _moved(order, step)
    for _ in range(CARTS):
        reservations.reserve(goods.owner(), most_wanted, quantity=1)
    for _ in Proof().steps():
        pass
    return order


def _settled_in(customer: User) -> None:
    for street in ("Ulmenweg 12", "Lindenallee 3"):
        said = {"name": customer.name, "street": street, "postal_code": "10115", "city": "Berlin", "country": "DE"}
        addresses.add(customer.id, said)


def _ordered(owner_id: str, product_ids: set[str]) -> Order:
    for product_id in product_ids:
        cart = reservations.reserve(owner_id, product_id, quantity=1)
    return checkout.place_order(owner_id, token=str(cart.order_id), contact=goods.CONTACT)


def _moved(order: Order, step: str) -> Order:
    if step == "cancelled":
        return orders.cancel(order, by=local.ADMIN.email, by_staff=True)
    return orders.advance(order, to=step, by=local.ADMIN.email)

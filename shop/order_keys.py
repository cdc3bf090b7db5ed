"""The signed keys that open an order without an account."""

from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from inventory.models import Order


def make(order_id: str) -> str:
    """What a guest's link to this order carries."""
    return Signer(salt="order").sign(order_id)


def opens(key: str, order_id: str) -> bool:
    """Whether this key is the one of this order."""
    try:
        return Signer(salt="order").unsign(key) == order_id
    except BadSignature:
        return False


def address(order: Order, *, with_key: bool, new: bool = False) -> str:
    """The order's page; ``with_key`` for those who have no account to prove that it is theirs."""
    query = {"new": "1"} if new else {}
    if with_key:
        query["key"] = make(order.id)
    page = reverse("shop:order-detail", args=[order.id])
    return f"{page}?{urlencode(query)}" if query else page


def is_guests(order: Order) -> bool:
    """Whether the order belongs to no account."""
    return order.user_id.startswith("guest-")

"""Who is shopping, as the session remembers it: a guest or an account, and what is in their cart."""

import uuid
from typing import Protocol

from django.middleware.csrf import rotate_token
from django.utils.crypto import salted_hmac

from inventory import baskets, reservations
from inventory.errors import CartEmpty
from inventory.lines import Notice
from inventory.models import User
from shop.requests import ShopRequest


class Counted(Protocol):
    """A cart, as far as the header is concerned."""

    @property
    def units(self) -> int: ...

    @property
    def total_cents(self) -> int: ...


def ensure(request: ShopRequest) -> str:
    """The id that a cart goes by. A guest gets one with the first product, not with the first page.

    It follows from the cookie that protects the guest's forms: whoever presses "add" twice before the first answer has
    brought a session still gets one cart.
    """
    if not request.cart_owner:
        secret = request.META.get("CSRF_COOKIE")
        key = salted_hmac("guest", secret, algorithm="sha256").hexdigest()[:32] if secret else uuid.uuid4().hex
        request.cart_owner = request.session["guest_id"] = f"guest-{key}"
    return request.cart_owner


def known(request: ShopRequest) -> str:
    """The id that a cart goes by. Raises CartEmpty for a visitor who never had a cart."""
    if not request.cart_owner:
        raise CartEmpty
    return request.cart_owner


def remember_cart(request: ShopRequest, cart: Counted | None) -> None:
    """Keep what the header says about the cart, so that no other page has to read the cart for it."""
    badge = {"units": cart.units, "total_cents": cart.total_cents} if cart and cart.units else None
    if request.session.get("cart") != badge:
        request.session["cart"] = badge


def sign_in(request: ShopRequest, user: User) -> list[Notice]:
    """Make the session the account's, and put the guest's cart into the account's.

    Raises what ``reservations.join`` raises; the visitor is not signed in then.
    """
    guest_id = request.session.get("guest_id")
    notices = reservations.join(guest_id, user.id) if guest_id else []
    # Nothing of the guest's session goes on: whoever knew it does not know this one.
    request.session.flush()
    rotate_token(request)
    request.session["account_id"] = user.id
    request.cart_owner = user.id
    remember_cart(request, baskets.look(user.id))
    return notices


def sign_out(request: ShopRequest) -> None:
    """Forget everything about this visitor. The account's cart waits for the next log-in."""
    request.session.flush()
    rotate_token(request)

"""Who is shopping, as the session remembers it: a guest or an account, and what is in their cart."""

import uuid
from typing import Protocol

from django.middleware.csrf import rotate_token
from django.utils.crypto import salted_hmac

from inventory import accounts, baskets, devices, sessions
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


def of(request: ShopRequest) -> str | None:
    """The id that the visitor's cart and orders go by: the account's while its session lives, a guest's, or None."""
    if request.account:
        return request.account.id
    guest_id: str | None = request.session.get("guest_id")
    return guest_id


def ensure(request: ShopRequest) -> str:
    """The id that a cart goes by. A guest gets one with the first product, not with the first page.

    It follows from the cookie that protects the guest's forms: whoever presses "add" twice before the first answer has
    brought a session still gets one cart.
    """
    owner_id = of(request)
    if not owner_id:
        secret = request.META.get("CSRF_COOKIE")
        key = salted_hmac("guest", secret, algorithm="sha256").hexdigest()[:32] if secret else uuid.uuid4().hex
        owner_id = request.session["guest_id"] = f"guest-{key}"
    return owner_id


def known(request: ShopRequest) -> str:
    """The id that a cart goes by. Raises CartEmpty for a visitor who never had a cart."""
    owner_id = of(request)
    if not owner_id:
        raise CartEmpty
    return owner_id


def remember_cart(request: ShopRequest, cart: Counted | None) -> None:
    """Keep what the header says about the cart, so that no other page has to read the cart for it."""
    badge = {"units": cart.units, "total_cents": cart.total_cents} if cart and cart.units else None
    if request.session.get("cart") != badge:
        request.session["cart"] = badge


def sign_in(request: ShopRequest, user: User) -> list[Notice]:
    """Make the session this account's, and put the guest's cart into the account's.

    Raises what ``accounts.enter`` raises; the visitor is not signed in then.
    """
    device = devices.name(request.headers.get("User-Agent", ""))
    begun, notices = accounts.enter(user, kind="shop", device=device, guest_id=request.session.get("guest_id"))
    # Nothing of the guest's session goes on: whoever knew it does not know this one.
    request.session.flush()
    rotate_token(request)
    request.session.update(begun)
    request.account = user
    remember_cart(request, baskets.look(user.id))
    return notices


def sign_out(request: ShopRequest) -> None:
    """End this session and forget everything about this visitor. The account's cart waits for the next log-in."""
    if request.account:
        sessions.end(request.account.id, request.session["sid"])
    forget(request)


def forget(request: ShopRequest) -> None:
    """Make this visitor a stranger. Their session in the table is for whoever calls this to end."""
    request.session.flush()
    rotate_token(request)
    request.account = None

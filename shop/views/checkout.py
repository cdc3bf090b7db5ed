"""From the cart to the order."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

import inventory.checkout
from inventory import addresses, baskets, limits
from inventory.errors import CartChanged, CartEmpty, HoldExpired, InventoryError
from inventory.models import User
from shop import order_keys, owners, pages
from shop.forms import CheckoutForm
from shop.requests import ShopRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: ShopRequest) -> HttpResponse:
    if request.method == "POST":
        return _order(request)
    return _page(request, CheckoutForm(initial=_what_we_know(request)))


def _order(request: ShopRequest) -> HttpResponse:
    form = CheckoutForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    limits.checkout(address=request.address)
    contact = form.contact()
    try:
        order = inventory.checkout.place_order(
            owners.known(request),
            token=form.cleaned_data["checkout_token"],
            contact=inventory.checkout.Contact(**contact),
        )
    except InventoryError as refusal:
        # So that nobody has to type it again once the cart is in order.
        request.session["contact"] = contact
        messages.error(request, refusal.sentence)
        return pages.cart(request, status=409) if isinstance(refusal, CartChanged) else redirect("shop:cart")
    request.session.pop("contact", None)
    owners.remember_cart(request, None)
    if request.account and form.cleaned_data["save_address"]:
        _keep(request, request.account, contact)
    return redirect(order_keys.address(order, with_key=order_keys.is_guests(order), new=True))


def _keep(request: ShopRequest, account: User, contact: dict[str, str]) -> None:
    """Put the address into the book. The order stands, whatever comes of this."""
    try:
        addresses.add(account.id, contact)
    except InventoryError as refusal:
        messages.warning(request, refusal.sentence)


def _page(request: ShopRequest, form: CheckoutForm, *, status: int = 200) -> HttpResponse:
    owner_id = owners.of(request)
    basket = baskets.look(owner_id) if owner_id else None
    owners.remember_cart(request, basket)
    if basket is None or basket.needs_renewal:
        refusal = HoldExpired() if basket else CartEmpty()
        messages.error(request, refusal.sentence)
        return redirect("shop:cart")
    book = request.account.addresses if request.account else []
    context = {"form": form, "basket": basket, "book": book, "here": reverse("shop:checkout")}
    return render(request, "shop/checkout.html", context, status=status)


def _what_we_know(request: ShopRequest) -> dict[str, str]:
    """What the customer typed the last time, or what their account says; with the address that they have chosen."""
    typed: dict[str, str] = request.session.get("contact") or {}
    account = request.account
    if not account:
        return typed
    chosen = addresses.find(account, request.GET.get("address", ""))
    default = next(iter(account.addresses), None) if not typed else None
    address = chosen or default
    known = {"name": account.name, "email": account.email, **typed}
    return known | (addresses.fields(address) if address else {})

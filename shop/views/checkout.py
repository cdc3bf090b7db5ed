"""From the cart to the order."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

import inventory.checkout
from inventory import baskets, limits
from inventory.errors import CartChanged, CartEmpty, HoldExpired, InventoryError
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
    return redirect(order_keys.address(order, with_key=order_keys.is_guests(order), new=True))


def _page(request: ShopRequest, form: CheckoutForm, *, status: int = 200) -> HttpResponse:
    owner_id = owners.of(request)
    basket = baskets.look(owner_id) if owner_id else None
    owners.remember_cart(request, basket)
    if basket is None or basket.needs_renewal:
        refusal = HoldExpired() if basket else CartEmpty()
        messages.error(request, refusal.sentence)
        return redirect("shop:cart")
    context = {"form": form, "basket": basket, "here": reverse("shop:checkout")}
    return render(request, "shop/checkout.html", context, status=status)


def _what_we_know(request: ShopRequest) -> dict[str, str]:
    """What the customer typed the last time, or what their account says."""
    typed: dict[str, str] | None = request.session.get("contact")
    if typed:
        return typed
    return {"name": request.account.name, "email": request.account.email} if request.account else {}

"""The cart: see it, fill it, change it, keep it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from inventory import catalogue, reservations
from inventory.errors import CartChanged, InventoryError, NoSuchProduct
from inventory.models import Cart
from shop import owners, pages
from shop.forms import AddToCartForm, CartLineForm, RemoveForm
from shop.requests import ShopRequest


@require_safe
def cart(request: ShopRequest) -> HttpResponse:
    return pages.cart(request)


@require_POST
def cart_add(request: ShopRequest) -> HttpResponse:
    form = AddToCartForm(request.POST)
    if not form.is_valid():
        return _wrong_add(request, form)
    product_id, quantity = form.cleaned_data["product_id"], form.cleaned_data["quantity"]
    try:
        after = reservations.reserve(owners.ensure(request), product_id, quantity=quantity)
    except NoSuchProduct as unknown:
        return render(request, "404.html", {"sentence": unknown.sentence}, status=404)
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
        return redirect("shop:product-detail", product_id)
    _remember(request, after)
    messages.success(request, _("Added to your cart and reserved for you."))
    return redirect("shop:cart")


@require_POST
def cart_update(request: ShopRequest) -> HttpResponse:
    form = CartLineForm(request.POST)
    if not form.is_valid():
        return pages.cart(request, status=422, form=form)
    product_id, quantity = form.cleaned_data["product_id"], form.cleaned_data["quantity"]
    try:
        after = reservations.change(owners.known(request), product_id, quantity=quantity)
    except CartChanged as refusal:
        messages.error(request, refusal.sentence)
        return pages.cart(request, status=409)
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
    else:
        _remember(request, after)
        messages.success(request, _("Your cart is up to date."))
    return redirect("shop:cart")


@require_POST
def cart_remove(request: ShopRequest) -> HttpResponse:
    form = RemoveForm(request.POST)
    if not form.is_valid():
        return pages.cart(request, status=422, form=form)
    try:
        after = reservations.remove(owners.known(request), form.cleaned_data["product_id"])
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
    else:
        _remember(request, after)
        _offer_way_back(request, **form.cleaned_data)
    return redirect("shop:cart")


@require_POST
def cart_extend(request: ShopRequest) -> HttpResponse:
    try:
        after = reservations.extend(owners.known(request))
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
    else:
        _remember(request, after)
        messages.success(request, _("Your products stay reserved for you."))
    return redirect("shop:cart")


@require_POST
def cart_reserve(request: ShopRequest) -> HttpResponse:
    try:
        after, notices = reservations.renew(owners.known(request))
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
        return redirect("shop:cart")
    owners.remember_cart(request, after)
    for notice in notices:
        messages.warning(request, notice.sentence)
    if after.units:
        messages.success(request, _("Your products are reserved for you again."))
    return redirect("shop:cart")


def _wrong_add(request: ShopRequest, form: AddToCartForm) -> HttpResponse:
    """The page that the form was sent from: the product's, where there is such a product."""
    product = catalogue.find(form.cleaned_data.get("product_id", ""))
    if product is not None and product.is_active:
        return pages.product(request, product, form=form, status=422)
    return pages.cart(request, status=422, form=form)


def _remember(request: ShopRequest, after: Cart) -> None:
    owners.remember_cart(request, after)
    for notice in after.notices:
        messages.warning(request, notice.sentence)


def _offer_way_back(request: ShopRequest, *, product_id: str, quantity: int | None) -> None:
    product = catalogue.find(product_id)
    if product is not None and product.is_active and quantity:
        request.session["removed"] = {"product_id": product_id, "quantity": quantity}
        messages.info(request, _("%(name)s was removed from your cart.") % {"name": product.title})

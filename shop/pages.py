"""Pages that more than one view answers with: a form that was wrong comes back on the page that it came from."""

import functools
from collections.abc import Callable
from typing import ParamSpec

from django.conf import settings
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from inventory import baskets, catalogue
from inventory.catalogue import Listed
from inventory.models import Product
from shop import owners, ready
from shop.forms import AddToCartForm
from shop.requests import ShopRequest

P = ParamSpec("P")


def may_come_back(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """For pages that show nobody's data but how much is in the cart: the browser may keep them for the way back, and
    asks anew before it shows them otherwise. All others are kept by nobody (``ecokart.middleware.keep_nothing``)."""

    @functools.wraps(view)
    def with_header(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(*args, **kwargs)
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    return with_header


def cart(request: ShopRequest, *, status: int = 200, **more: object) -> HttpResponse:
    """The cart as it stands now."""
    owner_id = owners.of(request)
    basket = baskets.look(owner_id) if owner_id else None
    owners.remember_cart(request, basket)
    context = {
        "basket": basket,
        "removed": request.session.pop("removed", None),
        "hold_minutes": settings.RESERVATION_MINUTES,
        "here": reverse("shop:cart"),
        **more,
    }
    return render(request, "shop/cart.html", context, status=status)


def form(request: ShopRequest, template: str, form: Form, *, status: int = 200, **more: object) -> HttpResponse:
    """A page with a form, which knows where its visitor was going."""
    context = {"form": form, "next": next_page(request), "here": request.get_full_path(), **more}
    return render(request, template, context, status=status)


def next_page(request: ShopRequest) -> str:
    """Where the visitor was going, if that is a page of ours."""
    where = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    # Only a path: what is none would be taken for the name of a view.
    return where if ours and where.startswith("/") else ""


def with_next(view: str, where: str) -> str:
    """The address of a page that knows where its visitor was going."""
    page = reverse(view)
    return f"{page}?{urlencode({'next': where})}" if where else page


def product(
    request: ShopRequest, product: Product, *, form: AddToCartForm | None = None, status: int = 200
) -> HttpResponse:
    """One product, and what else there is of its kind."""
    related = catalogue.related(product)
    available = catalogue.availability(related)
    context = {
        "product": product,
        "form": form,
        "category_label": catalogue.CATEGORIES.get(product.category, ""),
        "current_category": product.category,
        "related": cards(related, available),
        "most": min(settings.LINE_MAX_QUANTITY, product.available),
        "hold_minutes": settings.RESERVATION_MINUTES,
        "here": reverse("shop:product-detail", args=[product.id]),
    }
    response = render(request, "shop/product_detail.html", context, status=status)
    if product.available <= 0:
        # Whether somebody may still give units back is looked at each time.
        return response
    shown = {**available, product.id: product.available}
    return ready.showing(response, shown, most={product.id: settings.LINE_MAX_QUANTITY})


def cards(products: list[Listed], available: dict[str, int]) -> list[tuple[Listed, int]]:
    """Products with the number of units that can be bought now, as a grid shows them."""
    return [(product, available.get(product.id, 0)) for product in products]

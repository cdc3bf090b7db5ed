"""A customer's orders. They open for their owner, and for whoever has the link that came with the order."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from inventory import orders
from inventory.errors import InventoryError
from inventory.models import Order
from shop import order_keys, owners
from shop.forms import COUNTRIES
from shop.requests import ShopRequest


@never_cache
@require_safe
def order_list(request: ShopRequest) -> HttpResponse:
    owner_id = owners.of(request)
    found = orders.list_for(owner_id) if owner_id else []
    return render(request, "shop/order_list.html", {"orders": found})


@never_cache
@require_safe
def order_detail(request: ShopRequest, order_id: str) -> HttpResponse:
    order = _get_or_404(request, order_id, key=request.GET.get("key", ""))
    link = order_keys.address(order, with_key=True)
    context = {
        "order": order,
        "is_new": "new" in request.GET and order.status == "pending",
        "key": order_keys.make(order.id),
        "guest_link": request.build_absolute_uri(link) if order_keys.is_guests(order) else "",
        "country": COUNTRIES.get(order.address.country, order.address.country) if order.address else "",
        "way": _way(order),
    }
    return render(request, "shop/order_detail.html", context)


@require_POST
def order_cancel(request: ShopRequest, order_id: str) -> HttpResponse:
    order = _get_or_404(request, order_id, key=request.POST.get("key", ""))
    try:
        orders.cancel(order, by=order.email or order.user_id)
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Your order is cancelled."))
    return redirect(order_keys.address(order, with_key=order_keys.is_guests(order)))


def _get_or_404(request: ShopRequest, order_id: str, *, key: str) -> Order:
    order = orders.find(order_id)
    if order is None or not (order_keys.opens(key, order_id) or order.user_id == owners.of(request)):
        raise Http404(_("There is no such order, or it belongs to somebody else."))
    return order


def _way(order: Order) -> list[tuple[str, str, bool, datetime | None]]:
    """The states that an order goes through: name, words, whether it is past it, and since when."""
    states = [status for status in orders.STATUSES if status != "cancelled"]
    now = states.index(order.status) if order.status in states else -1
    since = {step.status: step.at for step in order.history}
    return [(state, str(orders.STATUSES[state]), at <= now, since.get(state)) for at, state in enumerate(states)]

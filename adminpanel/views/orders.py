"""Orders, and their way from paid to delivered."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from adminpanel import order_csv
from adminpanel.access import admin_required
from adminpanel.confirming import confirmed
from adminpanel.forms import (
    COUNTRIES,
    MOST_ORDERS_SHOWN,
    ORDERS_SHOWN,
    OrderExportForm,
    OrderListForm,
    OrderStepForm,
)
from adminpanel.requests import AdminRequest, SignedInRequest
from inventory import exports, orders
from inventory.errors import InventoryError
from inventory.models import Order


@admin_required
@require_safe
def order_list(request: AdminRequest) -> HttpResponse:
    form = OrderListForm(request.GET)
    makes_sense = form.is_valid()
    status = form.cleaned_data.get("status") or None
    show = form.cleaned_data.get("show") or ORDERS_SHOWN
    found = orders.listing(status, limit=show)
    context = {
        "form": form,
        "orders": found.rows,
        "status": status,
        "statuses": orders.STATUSES,
        "waiting": found.waiting,
        "more": min(show + ORDERS_SHOWN, MOST_ORDERS_SHOWN) if len(found.rows) == show < MOST_ORDERS_SHOWN else None,
    }
    return render(request, "adminpanel/order_list.html", context, status=200 if makes_sense else 422)


@admin_required
@confirmed
@require_http_methods(["GET", "HEAD", "POST"])
def order_export(request: SignedInRequest) -> HttpResponse:
    form = OrderExportForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "adminpanel/order_export.html", {"form": form}, status=422 if form.is_bound else 200)
    month = form.cleaned_data["month"]
    try:
        found = exports.orders(month, by=request.account.email)
    except InventoryError as refusal:
        form.add_error(None, refusal.sentence)
        return render(request, "adminpanel/order_export.html", {"form": form}, status=409)
    headers = {"Content-Disposition": f'attachment; filename="ecokart-orders-{month}.csv"'}
    return HttpResponse(order_csv.written(found), content_type="text/csv; charset=utf-8", headers=headers)


@admin_required
@require_safe
def order_detail(request: AdminRequest, order_id: str) -> HttpResponse:
    return _page(request, _get_or_404(order_id), OrderStepForm())


@admin_required
@require_POST
def order_status(request: SignedInRequest, order_id: str) -> HttpResponse:
    order = _get_or_404(order_id)
    form = OrderStepForm(request.POST)
    if not form.is_valid():
        return _page(request, order, form, status=422)
    try:
        order = _step(order, form.cleaned_data, by=request.account.email)
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
        return _page(request, _get_or_404(order_id), OrderStepForm(), status=409)
    words = {"number": order.number or order.id, "status": order.status_label}
    messages.success(request, _("Order %(number)s: %(status)s.") % words)
    return redirect("adminpanel:order-detail", order_id)


def _step(order: Order, sent: dict[str, str], *, by: str) -> Order:
    if sent["status"] == "cancelled":
        return orders.cancel(order, by=by, note=sent["note"], by_staff=True)
    return orders.advance(order, to=sent["status"], by=by, tracking=sent["tracking"])


def _get_or_404(order_id: str) -> Order:
    order = orders.find(order_id)
    if order is None:
        raise Http404
    return order


def _country(order: Order) -> str:
    code = str(order.address.country) if order.address else ""
    return str(COUNTRIES.get(code, code))


def _page(request: AdminRequest, order: Order, form: OrderStepForm, *, status: int = 200) -> HttpResponse:
    context = {
        "order": order,
        "form": form,
        "country": _country(order),
        # The address of the step answers POST only: a change of language comes back to the order itself.
        "here": reverse("adminpanel:order-detail", args=[order.id]),
    }
    return render(request, "adminpanel/order_detail.html", context, status=status)

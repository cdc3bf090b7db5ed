"""Stock: what there is of everything, and every change of it with its reason."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adminpanel.access import admin_required
from adminpanel.confirming import confirmed
from adminpanel.forms import LedgerForm, StockForm, StockListForm
from adminpanel.requests import AdminRequest, SignedInRequest
from inventory import stock
from inventory.errors import FormUsed, InventoryError, NoSuchPage
from inventory.models import Product

#: Nobody's: its fields are the same for everybody, but for the hidden one.
_BLANK = StockForm()


@admin_required
@require_safe
def stock_list(request: AdminRequest) -> HttpResponse:
    from inventory.proof import reports  # As in the dashboard.

    form = StockListForm(request.GET)
    makes_sense = form.is_valid()
    try:
        listing = stock.overview(**form.question())
    except NoSuchPage as beyond:
        return render(request, "adminpanel/no_such_page.html", {"sentence": beyond.sentence}, status=404)
    context = {"form": form, "listing": listing, "proof": reports.last()}
    return render(request, "adminpanel/stock_list.html", context, status=200 if makes_sense else 422)


@admin_required
@confirmed
@require_http_methods(["GET", "HEAD", "POST"])
def stock_detail(request: SignedInRequest, product_id: str) -> HttpResponse:
    if request.method != "POST":
        question = LedgerForm(request.GET)
        return _page(request, product_id, StockForm(), question, status=200 if question.is_valid() else 422)
    form = StockForm(request.POST)
    if not form.is_valid():
        return _page(request, product_id, form, status=422)
    sent = form.cleaned_data
    try:
        changed = stock.adjust(
            product_id,
            by=sent["change"],
            reason=sent["reason"],
            note=sent["note"],
            who=request.account.email,
            form_id=sent["form_id"],
        )
    except FormUsed as refusal:
        form = form.as_new()
        form.add_error(None, refusal.sentence)
        return _page(request, product_id, form, status=409)
    except InventoryError as refusal:
        form.add_error(None, refusal.sentence)
        return _page(request, product_id, form, status=422)
    messages.success(request, _what_changed(changed, by=sent["change"]))
    return redirect("adminpanel:stock-detail", product_id)


def _what_changed(product: Product, *, by: int) -> str:
    return _("%(name)s: stock %(before)s → %(after)s (%(change)s).") % {
        "name": product.title,
        "before": product.stock - by,
        "after": product.stock,
        "change": f"{by:+d}",
    }


def _page(
    request: AdminRequest, product_id: str, form: StockForm, question: LedgerForm | None = None, *, status: int = 200
) -> HttpResponse:
    from inventory.proof import sheets  # As in the dashboard.

    asked = question.cleaned_data if question else {}
    sheet = sheets.find(product_id, before=asked.get("before", ""))
    if sheet is None:
        raise Http404
    context = {
        "product": sheet.product,
        "form": form,
        "blank": _BLANK,
        "question": question or LedgerForm(),
        "as_of": _as_of(product_id, asked.get("at")),
        "ledger": sheet.ledger,
        "holds": sheet.holds,
        "verdict": sheet.verdict,
        "is_first_page": not asked.get("before"),
    }
    return render(request, "adminpanel/stock_detail.html", context, status=status)


def _as_of(product_id: str, moment: datetime | None) -> dict[str, Any] | None:
    """What a product's ledger says of a moment."""
    if moment is None:
        return None
    since = stock.kept_since(product_id)
    is_before = since is None or moment < since
    return {"at": moment, "units": stock.as_of(product_id, moment), "since": since, "is_before": is_before}

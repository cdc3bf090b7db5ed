"""An account's book of addresses."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inventory import addresses
from inventory.errors import InventoryError, TooManyAddresses
from inventory.models import SavedAddress
from shop import pages
from shop.access import account_required
from shop.account_forms import AddressForm
from shop.forms import COUNTRIES
from shop.requests import AccountRequest


@never_cache
@require_safe
@account_required
def address_list(request: AccountRequest) -> HttpResponse:
    book = [(one, COUNTRIES.get(one.country, one.country)) for one in request.account.addresses]
    return render(request, "shop/address_list.html", {"book": book, "has_room": len(book) < addresses.MOST})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_required
def address_new(request: AccountRequest) -> HttpResponse:
    form = AddressForm(request.POST if request.method == "POST" else None, initial={"name": request.account.name})
    if request.method != "POST":
        return pages.form(request, "shop/address_form.html", form)
    if not form.is_valid():
        return pages.form(request, "shop/address_form.html", form, status=422)
    try:
        addresses.add(request.account.id, form.cleaned_data)
    except TooManyAddresses as refusal:
        form.add_error(None, refusal.sentence)
        return pages.form(request, "shop/address_form.html", form, status=422)
    messages.success(request, _("The address is in your book."))
    return redirect("shop:address-list")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_required
def address_edit(request: AccountRequest, address_id: str) -> HttpResponse:
    address = _get_or_404(request, address_id)
    form = AddressForm(request.POST if request.method == "POST" else None, initial=addresses.fields(address))
    if request.method != "POST":
        return pages.form(request, "shop/address_form.html", form, address=address)
    if not form.is_valid():
        return pages.form(request, "shop/address_form.html", form, status=422, address=address)
    return _done(request, lambda: addresses.change(request.account.id, address_id, form.cleaned_data))


@never_cache
@require_POST
@account_required
def address_default(request: AccountRequest, address_id: str) -> HttpResponse:
    _get_or_404(request, address_id)
    return _done(request, lambda: addresses.make_default(request.account.id, address_id))


@never_cache
@require_POST
@account_required
def address_remove(request: AccountRequest, address_id: str) -> HttpResponse:
    return _done(request, lambda: addresses.remove(request.account.id, address_id))


def _done(request: AccountRequest, change: Callable[[], None]) -> HttpResponse:
    try:
        change()
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Your address book is changed."))
    return redirect("shop:address-list")


def _get_or_404(request: AccountRequest, address_id: str) -> SavedAddress:
    found = addresses.find(request.account, address_id)
    if found is None:
        raise Http404(_("There is no such address in your book."))
    return found

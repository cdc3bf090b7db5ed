"""Accounts: whose they are, what they may do, and the few things that another admin may change of that."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from adminpanel.access import admin_required
from adminpanel.account_forms import AccountFindForm, AccountForm
from adminpanel.confirming import confirmed
from adminpanel.requests import AdminRequest, SignedInRequest
from inventory import accounts, second_factor, sessions, staff
from inventory.errors import InventoryError, NoSuchAccount, OwnAccount
from inventory.models import User

_DEEDS: dict[str, Callable[..., None]] = {
    "admin": partial(accounts.change_role, role="admin"),
    "user": partial(accounts.change_role, role="user"),
    "disable": accounts.disable,
    "enable": accounts.enable,
    "reset": second_factor.reset,
}
_DONE = {
    "admin": gettext_lazy("%(email)s is an admin from the next log-in on."),
    "user": gettext_lazy("%(email)s is no admin any more, and is logged out everywhere."),
    "disable": gettext_lazy("%(email)s is logged out everywhere and cannot log in."),
    "enable": gettext_lazy("%(email)s can log in again."),
    "reset": gettext_lazy("%(email)s is logged out everywhere and sets up a new second factor at the next log-in."),
}


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_find(request: AdminRequest) -> HttpResponse:
    form = AccountFindForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "adminpanel/account_find.html", {"form": form}, status=422 if form.is_bound else 200)
    user = accounts.find_by_email(form.cleaned_data["email"])
    if user is None:
        form.add_error("email", NoSuchAccount().sentence)
        return render(request, "adminpanel/account_find.html", {"form": form}, status=404)
    return redirect("adminpanel:account-detail", user.id)


@admin_required
@confirmed
@require_http_methods(["GET", "HEAD", "POST"])
def account_detail(request: SignedInRequest, account_id: str) -> HttpResponse:
    user = _get_or_404(account_id)
    if request.method != "POST":
        return _page(request, user, AccountForm())
    form = AccountForm(request.POST)
    if not form.is_valid():
        return _page(request, user, form, status=422)
    deed = form.cleaned_data["deed"]
    try:
        _DEEDS[deed](account_id, by=staff.Admin(request.account, seen=form.cleaned_data["seen"]))
    except InventoryError as refusal:
        form.add_error(None, refusal.sentence)
        return _page(request, _get_or_404(account_id), form, status=422 if isinstance(refusal, OwnAccount) else 409)
    messages.success(request, _DONE[deed] % {"email": user.email})
    return redirect("adminpanel:account-detail", account_id)


def _get_or_404(account_id: str) -> User:
    user = accounts.find(account_id)
    if user is None:
        raise Http404
    return user


def _page(request: SignedInRequest, user: User, form: AccountForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "user": user,
        "is_own": user.id == request.account.id,
        "sessions": len(sessions.live(user)),
        "has_factor": user.is_admin and second_factor.is_set_up(user.id),
        "deeds": AccountForm.DEEDS,
    }
    return render(request, "adminpanel/account_detail.html", context, status=status)

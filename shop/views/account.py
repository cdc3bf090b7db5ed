"""Accounts: log in, log out, look."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inventory import accounts, limits, orders, sessions
from inventory.errors import InventoryError
from inventory.models import User
from shop import owners, pages
from shop.forms import LoginForm
from shop.requests import ShopRequest

NEWEST_ORDERS = 3


@never_cache
@require_safe
def account(request: ShopRequest) -> HttpResponse:
    if not request.account:
        return redirect(_log_in_first())
    context = {
        "orders": orders.list_for(request.account.id)[:NEWEST_ORDERS],
        "sessions": sessions.live(request.account),
        "this_session": request.session["sid"],
    }
    return render(request, "shop/account.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: ShopRequest) -> HttpResponse:
    if request.account:
        return redirect("shop:account")
    form = LoginForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return pages.form(request, "shop/login.html", form)
    if not form.is_valid():
        return pages.form(request, "shop/login.html", form, status=422)
    email = form.cleaned_data["email"]
    limits.login(email, address=request.address)
    user = accounts.authenticate(email, form.cleaned_data["password"])
    if user is None:
        form.add_error(None, _("This e-mail address and password do not go together. Please check both."))
        return pages.form(request, "shop/login.html", form, status=422)
    limits.logged_in(email, address=request.address)
    return _welcome(request, user, _("You are logged in."))


@require_POST
def logout(request: ShopRequest) -> HttpResponse:
    owners.sign_out(request)
    messages.success(request, _("You are logged out."))
    return redirect("shop:home")


@require_POST
def session_end(request: ShopRequest) -> HttpResponse:
    if not request.account:
        return redirect(_log_in_first())
    sid = request.POST.get("session", "")
    if sid == request.session["sid"]:
        return logout(request)
    sessions.end(request.account.id, sid)
    messages.success(request, _("That device is logged out."))
    return redirect("shop:account")


@require_POST
def session_end_all(request: ShopRequest) -> HttpResponse:
    if request.account:
        sessions.end_all(request.account.id)
        owners.forget(request)
    messages.success(request, _("You are logged out everywhere."))
    return redirect("shop:login")


def _log_in_first() -> str:
    return pages.with_next("shop:login", resolve_url("shop:account"))


def _welcome(request: ShopRequest, user: User, greeting: str) -> HttpResponse:
    where = pages.next_page(request) or resolve_url("shop:account")
    try:
        notices = owners.sign_in(request, user)
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
        return redirect("shop:login")
    messages.success(request, greeting)
    for notice in notices:
        messages.warning(request, notice.sentence)
    return redirect(where)

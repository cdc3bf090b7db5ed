"""Accounts: register, log in, log out, look."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inventory import accounts, limits, orders, sessions
from inventory.errors import EmailTaken, InventoryError
from inventory.models import User
from shop import owners
from shop.forms import LoginForm, RegisterForm
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
def register(request: ShopRequest) -> HttpResponse:
    if request.account:
        return redirect("shop:account")
    form = RegisterForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _form_page(request, "shop/register.html", form)
    if not form.is_valid():
        return _form_page(request, "shop/register.html", form, status=422)
    sent = form.cleaned_data
    limits.registration(address=request.address)
    try:
        user = accounts.register(email=sent["email"], password=sent["password"], name=sent["name"])
    except EmailTaken as refusal:
        form.add_error("email", refusal.sentence)
        return _form_page(request, "shop/register.html", form, status=422)
    return _welcome(request, user, _("Welcome! Your account is ready."))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: ShopRequest) -> HttpResponse:
    if request.account:
        return redirect("shop:account")
    form = LoginForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _form_page(request, "shop/login.html", form)
    if not form.is_valid():
        return _form_page(request, "shop/login.html", form, status=422)
    email = form.cleaned_data["email"]
    limits.login(email, address=request.address)
    user = accounts.authenticate(email, form.cleaned_data["password"])
    if user is None:
        form.add_error(None, _("This e-mail address and password do not go together. Please check both."))
        return _form_page(request, "shop/login.html", form, status=422)
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
    return f"{resolve_url('shop:login')}?{urlencode({'next': resolve_url('shop:account')})}"


def _welcome(request: ShopRequest, user: User, greeting: str) -> HttpResponse:
    where = _next(request) or resolve_url("shop:account")
    try:
        notices = owners.sign_in(request, user)
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
        return redirect("shop:login")
    messages.success(request, greeting)
    for notice in notices:
        messages.warning(request, notice.sentence)
    return redirect(where)


def _next(request: ShopRequest) -> str:
    """Where the visitor was going, if that is a page of ours."""
    where = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    # Only a path: what is none would be taken for the name of a view.
    return where if ours and where.startswith("/") else ""


def _form_page(request: ShopRequest, template: str, form: object, *, status: int = 200) -> HttpResponse:
    return render(request, template, {"form": form, "next": _next(request), "here": request.path}, status=status)

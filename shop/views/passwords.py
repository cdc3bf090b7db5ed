"""Another password: by whoever knows the old one, or by whoever reads the account's mail."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from inventory import limits, passwords
from inventory.errors import InventoryError, LinkUsed, WrongPassword
from inventory.models import User
from shop import mail_keys, owners, pages
from shop.access import account_required
from shop.account_forms import ChangePasswordForm, ForgottenForm
from shop.forms import NewPasswordForm
from shop.requests import AccountRequest, ShopRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_required
def password_change(request: AccountRequest) -> HttpResponse:
    form = ChangePasswordForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return pages.form(request, "shop/password_change.html", form)
    if not form.is_valid():
        return pages.form(request, "shop/password_change.html", form, status=422)
    limits.login(request.account.email, address=request.address)
    try:
        user = passwords.change(request.account, old=form.cleaned_data["old"], new=form.cleaned_data["password"])
    except WrongPassword as refusal:
        form.add_error("old", refusal.sentence)
        return pages.form(request, "shop/password_change.html", form, status=422)
    limits.logged_in(request.account.email, address=request.address)
    _sign_in_again(request, user)
    messages.success(request, _("Your password is changed, and you are logged out on all other devices."))
    return redirect("shop:account")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password_forgotten(request: ShopRequest) -> HttpResponse:
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return pages.form(request, "shop/password_forgotten.html", form)
    if not form.is_valid():
        return pages.form(request, "shop/password_forgotten.html", form, status=422)
    limits.password_reset(address=request.address)
    if limits.may_be_mailed(form.cleaned_data["email"]):
        passwords.ask_reset(form.cleaned_data["email"])
    sentence = _("We have sent a mail to %(email)s. The link in it is good for an hour.")
    messages.success(request, sentence % {"email": form.cleaned_data["email"]})
    return redirect("shop:login")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: ShopRequest) -> HttpResponse:
    key = request.POST.get("key") or request.GET.get("key", "")
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    try:
        user_id, seen = mail_keys.read("reset", key) or ("", "")
        passwords.find_for_reset(user_id, seen=seen)
        if request.method != "POST":
            return pages.form(request, "shop/password_reset.html", form, key=key)
        if not form.is_valid():
            return pages.form(request, "shop/password_reset.html", form, status=422, key=key)
        passwords.reset(user_id, seen=seen, new=form.cleaned_data["password"])
    except LinkUsed as refusal:
        return render(request, "shop/link_used.html", {"sentence": refusal.sentence}, status=410)
    messages.success(request, _("Your password is changed. Please log in with it."))
    return redirect("shop:login")


def _sign_in_again(request: AccountRequest, user: User) -> None:
    """All sessions have ended, and this one began with the right password."""
    try:
        owners.sign_in(request, user)
    except InventoryError:
        owners.forget(request)

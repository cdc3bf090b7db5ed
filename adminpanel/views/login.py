"""In and out of the admin panel."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from adminpanel import access
from adminpanel.door_forms import LoginForm
from adminpanel.requests import AdminRequest
from inventory import accounts, audit, limits
from inventory.errors import InventoryError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: AdminRequest) -> HttpResponse:
    if request.account and request.account.is_admin:
        return redirect(access.next_page(request))
    if request.method != "POST":
        return _page(request, LoginForm())
    form = LoginForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    email = form.cleaned_data["email"]
    limits.login(email, address=request.address)
    user = accounts.authenticate(email, form.cleaned_data["password"])
    if user is not None and not user.is_admin:
        audit.record("login.failed", by=user.id, target=audit.account(user.id), note="admin")
    if user is None or not user.is_admin:
        # One answer for all: it tells nobody which addresses are known here, nor whose password was right.
        form.add_error(None, _("With this e-mail address and password there is no way in here. Please check both."))
        return _page(request, form, status=422)
    limits.logged_in(email, address=request.address)
    try:
        access.sign_in(request, user)
    except InventoryError as refusal:
        form.add_error(None, refusal.sentence)
        return _page(request, form, status=409)
    return redirect(access.next_page(request))


@never_cache
@require_POST
def logout(request: AdminRequest) -> HttpResponse:
    access.sign_out(request)
    messages.success(request, _("You are logged out."))
    return redirect("adminpanel:login")


def _page(request: AdminRequest, form: LoginForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "next": access.next_page(request), "here": request.get_full_path()}
    return render(request, "adminpanel/login.html", context, status=status)

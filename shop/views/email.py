"""Another e-mail address, which counts once a mail to it is answered."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from inventory import limits, verification
from inventory.errors import InventoryError, LinkUsed, WrongPassword
from shop import mail_keys, pages
from shop.access import account_required
from shop.account_forms import ChangeEmailForm
from shop.requests import AccountRequest, ShopRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_required
def email_change(request: AccountRequest) -> HttpResponse:
    form = ChangeEmailForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return pages.form(request, "shop/email_change.html", form)
    if not form.is_valid():
        return pages.form(request, "shop/email_change.html", form, status=422)
    email = form.cleaned_data["email"]
    limits.login(request.account.email, address=request.address)
    try:
        verification.ask_change(request.account, email, password=form.cleaned_data["old"])
    except WrongPassword as refusal:
        form.add_error("old", refusal.sentence)
        return pages.form(request, "shop/email_change.html", form, status=422)
    limits.logged_in(request.account.email, address=request.address)
    sentence = _("We have sent a mail to %(email)s. Your address changes when you open the link in it.")
    messages.success(request, sentence % {"email": email})
    return redirect("shop:account")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def email_confirm(request: ShopRequest) -> HttpResponse:
    key = request.POST.get("key") or request.GET.get("key", "")
    about = mail_keys.read("email", key)
    if about is None:
        return render(request, "shop/link_used.html", {"sentence": LinkUsed().sentence}, status=410)
    if request.method != "POST":
        return render(request, "shop/email_confirm.html", {"key": key, "email": about[1]})
    try:
        verification.change(*about)
    except InventoryError as refusal:
        return render(request, "shop/link_used.html", {"sentence": refusal.sentence}, status=410)
    messages.success(request, _("%(email)s is your e-mail address now.") % {"email": about[1]})
    return redirect("shop:account")

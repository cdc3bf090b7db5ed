"""Opening an account, and showing that its e-mail address is right."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from inventory import accounts, limits, verification
from inventory.errors import EmailTaken, InventoryError, LinkUsed
from shop import mail_keys, pages
from shop.access import account_required
from shop.forms import RegisterForm
from shop.requests import AccountRequest, ShopRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: ShopRequest) -> HttpResponse:
    if request.account:
        return redirect("shop:account")
    form = RegisterForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return pages.form(request, "shop/register.html", form)
    if not form.is_valid():
        return pages.form(request, "shop/register.html", form, status=422)
    sent = form.cleaned_data
    limits.registration(address=request.address)
    try:
        accounts.register(email=sent["email"], password=sent["password"], name=sent["name"])
    except EmailTaken:
        # Whose address it is hears of it, though not all day long. Whoever typed it here does not.
        if limits.may_be_mailed(sent["email"]):
            accounts.tell_owner(sent["email"])
    sentence = _("We have sent a mail to %(email)s. Open the link in it within a day; you can log in right away.")
    messages.success(request, sentence % {"email": sent["email"]})
    return redirect(pages.with_next("shop:login", pages.next_page(request)))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: ShopRequest) -> HttpResponse:
    """A link is also opened by programs that look for viruses, so opening it changes nothing: its button does."""
    key = request.POST.get("key") or request.GET.get("key", "")
    about = mail_keys.read("verify", key)
    if about is None:
        return render(request, "shop/link_used.html", {"sentence": LinkUsed().sentence}, status=410)
    if request.method != "POST":
        return render(request, "shop/verify.html", {"key": key, "email": about[1]})
    try:
        verification.verify(*about)
    except InventoryError as refusal:
        return render(request, "shop/link_used.html", {"sentence": refusal.sentence}, status=410)
    messages.success(request, _("Your e-mail address is confirmed."))
    return redirect("shop:account")


@never_cache
@require_POST
@account_required
def verify_again(request: AccountRequest) -> HttpResponse:
    if limits.may_be_mailed(request.account.email):
        verification.send_again(request.account)
    messages.success(request, _("We have sent a mail to %(email)s.") % {"email": request.account.email})
    return redirect("shop:account")

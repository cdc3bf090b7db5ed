"""What the shop knows of a person: to take along, and to take away."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from inventory import farewell, limits, personal_data
from inventory.errors import OwnAccount, WrongPassword
from shop import owners, pages
from shop.access import account_required
from shop.account_forms import DeleteForm
from shop.requests import AccountRequest


@never_cache
@require_safe
@account_required
def data_export(request: AccountRequest) -> HttpResponse:
    answer = JsonResponse(personal_data.export(request.account), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = 'attachment; filename="ecokart.json"'
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_required
def account_delete(request: AccountRequest) -> HttpResponse:
    form = DeleteForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return pages.form(request, "shop/account_delete.html", form)
    if not form.is_valid():
        return pages.form(request, "shop/account_delete.html", form, status=422)
    limits.login(request.account.email, address=request.address)
    try:
        farewell.delete(request.account, password=form.cleaned_data["old"])
    except (WrongPassword, OwnAccount) as refusal:
        form.add_error("old", refusal.sentence)
        return pages.form(request, "shop/account_delete.html", form, status=422)
    owners.forget(request)
    messages.success(request, _("Your account is deleted. We have sent you a mail that says so."))
    return redirect("shop:home")

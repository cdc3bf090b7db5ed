"""The second factor: set up at the first log-in, asked for at every other."""

import math
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from adminpanel import access
from adminpanel.door_forms import CodeForm
from adminpanel.requests import SignedInRequest
from inventory import second_factor as factors
from inventory.errors import InventoryError, TooManyCodes, TooManyTries


@access.password_required
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: SignedInRequest) -> HttpResponse:
    if access.has_second_factor(request):
        return redirect(access.next_page(request))
    if request.method != "POST":
        return _page(request, CodeForm())
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        recovery_codes = factors.prove(request.account, form.cleaned_data["code"])
    except InventoryError as refusal:
        form.add_error("code", refusal.sentence)
        return refused(_page(request, form, status=422), refusal)
    if recovery_codes:
        context = {"recovery_codes": recovery_codes, "next": access.next_page(request)}
        return render(request, "adminpanel/recovery_codes.html", context)
    return redirect(access.next_page(request))


def refused(response: HttpResponse, refusal: InventoryError) -> HttpResponse:
    """The page with the refusal on it, and with when to come back where that is what it says."""
    if isinstance(refusal, TooManyCodes | TooManyTries):
        response.status_code = 429
        response["Retry-After"] = str(math.ceil(refusal.wait_seconds))
    return response


def _page(request: SignedInRequest, form: CodeForm, *, status: int = 200) -> HttpResponse:
    factor = factors.begin(request.account.id)
    context: dict[str, Any] = {"form": form, "next": access.next_page(request), "here": request.get_full_path()}
    if factor.confirmed_at is None:
        context["secret"] = " ".join(factor.secret[at : at + 4] for at in range(0, len(factor.secret), 4))
        context["drawing"] = _drawing(factors.address(factor, request.account.email))
    return render(request, "adminpanel/second_factor.html", context, status=status)


def _drawing(address: str) -> SafeString:
    """The address as a QR code, in SVG without styles. Black on white in the dark too: cameras want it so."""
    import segno  # Only admins pay for it, once.

    code = segno.make(address, error="m")
    drawing: str = code.svg_inline(scale=5, dark="#000", light="#fff", svgclass=None, lineclass=None, omitsize=True)
    return SafeString(drawing)

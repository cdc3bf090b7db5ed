"""What matters most is changed only by whoever has shown a moment ago that it is still them."""

from functools import wraps

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from adminpanel.access import View
from adminpanel.door_forms import ConfirmForm
from adminpanel.requests import SignedInRequest
from adminpanel.views.second_factor import refused
from inventory import accounts, limits, second_factor, sessions
from inventory.errors import InventoryError

_OURS = {"csrfmiddlewaretoken", "confirm_password", "confirm_code"}


def confirmed(view: View) -> View:
    """Ask for password and code before a form is taken, if both were not given in the last quarter of an hour.

    The page in between carries what was typed and sends it to the same address, together with the answer.
    """

    @wraps(view)
    def guarded(request: SignedInRequest, *args: object, **kwargs: object) -> HttpResponse:
        session = request.account.session
        if request.method != "POST" or (session and sessions.is_fresh(session)):
            return view(request, *args, **kwargs)
        if "confirm_password" not in request.POST:
            return _page(request, ConfirmForm(with_code=settings.ADMIN_SECOND_FACTOR), status=403)
        form = ConfirmForm(request.POST, with_code=settings.ADMIN_SECOND_FACTOR)
        if not form.is_valid():
            return _page(request, form, status=422)
        try:
            is_right = _is_right(request, form)
        except InventoryError as refusal:
            form.add_error(None, refusal.sentence)
            return refused(_page(request, form, status=422), refusal)
        if not is_right:
            form.add_error("confirm_password", _("This password is wrong."))
            return _page(request, form, status=422)
        return view(request, *args, **kwargs)

    return guarded


def _is_right(request: SignedInRequest, form: ConfirmForm) -> bool:
    account = request.account
    limits.login(account.email, address=request.address)
    if accounts.authenticate(account.email, form.cleaned_data["confirm_password"]) is None:
        return False
    limits.logged_in(account.email, address=request.address)
    if settings.ADMIN_SECOND_FACTOR:
        second_factor.prove(account, form.cleaned_data["confirm_code"])
    elif account.session:
        sessions.confirm_password(account.id, account.session.sid)
    return True


def _page(request: SignedInRequest, form: ConfirmForm, *, status: int) -> HttpResponse:
    typed = [(name, value) for name, values in request.POST.lists() if name not in _OURS for value in values]
    context = {"form": form, "typed": typed, "here": request.path}
    return render(request, "adminpanel/confirm.html", context, status=status)

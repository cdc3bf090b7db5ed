"""What staff type at the door: who they are, and that it is still them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from inventory import accounts

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def _password(label: StrOrPromise) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=accounts.PASSWORD_MAX_LENGTH,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


def _code(help_text: StrOrPromise) -> forms.CharField:
    # No pattern for six digits: a recovery code goes here too.
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
    return forms.CharField(label=_("Code"), max_length=40, help_text=help_text, widget=forms.TextInput(attributes))


class LoginForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "username"}),
    )
    password = _password(_("Password"))


class CodeForm(forms.Form):
    code = _code(_("The six digits that your app shows, or one of your recovery codes."))


class ConfirmForm(forms.Form):
    """Names of its own: it is sent together with the form that it stands before."""

    confirm_password = _password(_("Your password"))
    confirm_code = _code(_("The six digits that your app shows, or one of your recovery codes."))

    def __init__(self, data: object = None, *, with_code: bool) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        if not with_code:
            del self.fields["confirm_code"]

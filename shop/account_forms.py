"""The shape of what customers send about their accounts."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from inventory import accounts
from shop.forms import DeliveryForm, NewPasswordForm


def _password_of_now() -> forms.CharField:
    return forms.CharField(
        label=_("Your password of now"),
        max_length=accounts.PASSWORD_MAX_LENGTH,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


def _email(label: Any, autocomplete: str) -> forms.EmailField:
    return forms.EmailField(label=label, max_length=254, widget=forms.EmailInput({"autocomplete": autocomplete}))


class ChangePasswordForm(NewPasswordForm):
    field_order = ("old", "password", "password_again")
    old = _password_of_now()


class ForgottenForm(forms.Form):
    email = _email(_("E-mail address"), "username")


class ChangeEmailForm(forms.Form):
    email = _email(_("New e-mail address"), "email")
    old = _password_of_now()


class DeleteForm(forms.Form):
    old = _password_of_now()


class AddressForm(DeliveryForm):
    """An address in the book."""

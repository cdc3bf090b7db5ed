"""Whose account is looked for, and what is to become of it."""

from django import forms
from django.utils.translation import gettext_lazy as _

_OUT_OF_DATE = _("This page was out of date. Please open the account anew.")


class AccountFindForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("The whole address, as the account has it."),
        widget=forms.EmailInput({"autocomplete": "off", "spellcheck": "false"}),
    )


class AccountForm(forms.Form):
    """One step with an account. ``seen`` is its state on the page: a change meanwhile is told apart by it."""

    DEEDS = {
        "admin": _("Make an admin"),
        "user": _("Take the admin role away"),
        "disable": _("Disable account"),
        "enable": _("Open account again"),
        "reset": _("Take the second factor away"),
    }

    deed = forms.ChoiceField(
        choices=list(DEEDS.items()),
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("There is no such step for an account.")),
    )
    seen = forms.IntegerField(
        min_value=0,
        max_value=10**12,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), _OUT_OF_DATE),
    )

"""What the audit log is asked for."""

import re
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from adminpanel.fields import MonthField
from inventory import accounts, audit, catalogue

_LONGEST = 254
_TOO_LONG = {"max_length": _("Please search with at most %(limit_value)d characters.")}
_ID = re.compile(r"\A(?:(?:product|order|account)#[A-Za-z0-9_-]{1,80}|address#[^\s#]{1,80})\Z")


class AuditForm(forms.Form):
    who = forms.CharField(
        required=False,
        max_length=_LONGEST,
        label=_("Who"),
        help_text=_("An e-mail address."),
        error_messages=_TOO_LONG,
    )
    about = forms.CharField(
        required=False,
        max_length=_LONGEST,
        label=_("About"),
        help_text=_("An e-mail address, or the id in the address of an account's, a product's or an order's page."),
        error_messages=_TOO_LONG,
    )
    what = forms.ChoiceField(
        required=False,
        label=_("What"),
        choices=[("", _("Everything")), *audit.GROUPS.items()],
        error_messages={"invalid_choice": _("There is no such event.")},
    )
    month = MonthField(required=False, label=_("Month"), help_text=_("Such as 2026-11."))
    before = forms.CharField(
        required=False,
        max_length=60,
        label=_("Page"),
        validators=[RegexValidator(r"\A[0-9]{4}-[0-9TZ:.#a-f-]+\Z", _("There is no such page."))],
        error_messages={"max_length": _("There is no such page.")},
    )

    def question(self) -> dict[str, Any]:
        """What ``audit.look`` is asked for: people by what the log calls them, things by their key."""
        sent = self.cleaned_data
        return {
            "actor": _actor(sent.get("who", "")),
            "target": _target(sent.get("about", "")),
            "group": sent.get("what", ""),
            "month": sent.get("month", ""),
            "before": sent.get("before", ""),
        }


def _actor(who: str) -> str:
    """A customer goes by an id; whoever has no account goes by what was typed: a command, a masked address."""
    user = accounts.find_by_email(who) if who else None
    return audit.name_of(user) if user else who


def _target(about: str) -> str:
    if not about or _ID.match(about):
        return about
    if user := accounts.find_by_email(about) or accounts.find(about):
        return audit.account(user.id)
    return f"product#{about}" if catalogue.find(about) else f"order#{about}"

"""Fields that read what people type, in the ways in which they type it."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

MOST_CENTS = 100_000 * 100
MOST_UNITS = 100_000

one_line = RegexValidator(r"\A[^\x00-\x1f\x7f]*\Z", _("Please use letters, digits and signs in one line only."))


class _TypedField(forms.Field):
    """A number that people type as text, in more ways than a browser's own number field would take."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs |= {"autocomplete": "off", "maxlength": "20"}


class EurosField(_TypedField):
    """A price as people type it (``19,99``, ``19.99``, ``1.299,00``), in whole cents.

    A thousands separator is only read where cents follow it: ``1.299`` may mean either, so it is refused.
    """

    _amounts = (
        re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?"),
        re.compile(r"([0-9]{1,3}(?:\.[0-9]{3}){1,3}),([0-9]{2})"),
        re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){1,3})\.([0-9]{2})"),
    )

    def to_python(self, value: object) -> int | None:
        typed = str(value or "").replace("€", "").strip()
        if not typed:
            return None
        amount = next(filter(None, (pattern.fullmatch(typed) for pattern in self._amounts)), None)
        if amount is None:
            raise ValidationError(_("Please write the price in euros and cents, such as 19.99."), code="invalid")
        return int(re.sub(r"[.,]", "", amount[1])) * 100 + int((amount[2] or "").ljust(2, "0"))

    def validate(self, value: int | None) -> None:
        super().validate(value)
        if value is not None and not 0 < value <= MOST_CENTS:
            raise ValidationError(_("A price is more than 0 and at most 100,000 euros."), code="out_of_range")

    def prepare_value(self, value: object) -> object:
        if isinstance(value, int):
            return number_format(Decimal(value) / 100, decimal_pos=2, use_l10n=True, force_grouping=False)
        return value


class ChangeField(_TypedField):
    """A number of units with its sign: ``+12``, ``12``, ``-3``."""

    def to_python(self, value: object) -> int | None:
        typed = re.sub(r"\s", "", str(value or "")).replace("\N{MINUS SIGN}", "-")
        if not typed:
            return None
        if not re.fullmatch(r"[+-]?[0-9]{1,12}", typed):
            raise ValidationError(_("Please enter the change as a whole number, such as 12 or -3."), code="invalid")
        return int(typed)

    def validate(self, value: int | None) -> None:
        super().validate(value)
        if value == 0:
            raise ValidationError(_("A change of 0 changes nothing."), code="zero")
        if value is not None and abs(value) > MOST_UNITS:
            raise ValidationError(_("At most 100,000 units can be booked at once."), code="out_of_range")


class MonthField(forms.CharField):
    """A year and a month, ``2026-11``, as browsers send them that know such fields, and as people type it."""

    widget = forms.TextInput({"type": "month"})

    def to_python(self, value: object) -> str:
        typed = str(super().to_python(value) or "").strip()
        try:
            return date.fromisoformat(f"{typed}-01").strftime("%Y-%m") if typed else ""
        except ValueError as wrong:
            raise ValidationError(_("Please enter a year and a month, such as 2026-11.")) from wrong


class KeptPictureField(forms.CharField):
    """The key of a picture that a refused try has stored already, signed: only what we stored comes back in."""

    _salt = "adminpanel.kept-picture"

    @classmethod
    def signed(cls, key: str) -> str:
        return signing.dumps(key, salt=cls._salt)

    def to_python(self, value: object) -> str:
        token = str(super().to_python(value) or "")
        if not token:
            return ""
        try:
            return str(signing.loads(token, salt=self._salt))
        except signing.BadSignature as forged:
            raise ValidationError(_("The picture that you chose before got lost. Please choose it again.")) from forged


class TextField(forms.CharField):
    """Text of several lines. Browsers send CR LF; kept is LF, so that the same text stays the same."""

    widget = forms.Textarea({"rows": 6})

    def to_python(self, value: object) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")

"""Amounts as people read them. Everywhere else an amount is a whole number of cents."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import get_language

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def euros(cents: int) -> str:
    """``149,99 €`` in German, ``€149.99`` in English."""
    amount = number_format(abs(Decimal(cents)) / 100, decimal_pos=2, use_l10n=True, force_grouping=True)
    sign = "-" if cents < 0 else ""
    if (get_language() or "").startswith("en"):
        return f"{sign}€{amount}"
    return f"{sign}{amount}{NO_BREAK_SPACE}€"

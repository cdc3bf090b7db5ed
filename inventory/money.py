"""Amounts as people read them. Everywhere else an amount is a whole number of cents."""

from django.utils.translation import get_language

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def euros(cents: int) -> str:
    """``149,99 €`` in German, ``€149.99`` in English."""
    whole, rest = divmod(abs(cents), 100)
    # By hand: Django's way asks for the formats of the language a dozen times for each amount.
    grouped, sign = f"{whole:,}", "-" if cents < 0 else ""
    if (get_language() or "").startswith("en"):
        return f"{sign}€{grouped}.{rest:02}"
    return f"{sign}{grouped.replace(',', '.')},{rest:02}{NO_BREAK_SPACE}€"

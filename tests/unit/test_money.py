"""Amounts as people read them."""

import pytest
from django.utils import translation

from inventory.money import euros

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (0, "0,00"),
        (1, "0,01"),
        (14999, "149,99"),
        (100_000, "1.000,00"),
        (123_456_789, "1.234.567,89"),
        (-4250, "-42,50"),
    ],
)
def test_german_amounts_have_a_comma_and_the_sign_behind(cents: int, text: str):
    with translation.override("de"):
        assert euros(cents) == f"{text}{NBSP}€"


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "€0.00"), (14999, "€149.99"), (123_456_789, "€1,234,567.89"), (-4250, "-€42.50")],
)
def test_english_amounts_have_a_point_and_the_sign_in_front(cents: int, text: str):
    with translation.override("en"):
        assert euros(cents) == text


def test_a_dialect_of_english_is_english():
    with translation.override("en-gb"):
        assert euros(14999) == "€149.99"


def test_without_a_language_amounts_are_written_as_the_shop_writes_first():
    with translation.override(None):
        assert euros(14999).endswith(f"{NBSP}€")

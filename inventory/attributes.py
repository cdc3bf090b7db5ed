"""Typed attributes: how whole cents, counts and moments stand in DynamoDB."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.constants import NUMBER, STRING

_CENT = Decimal("0.01")


class EuroCentsAttribute(Attribute[int]):
    """Whole cents in Python, exact decimal euros (``179.99``) in the table. No float in between."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str((Decimal(value) / 100).quantize(_CENT))

    def deserialize(self, value: str) -> int:
        return int((Decimal(value) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class CountAttribute(Attribute[int]):
    """A whole number of things."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        return int(Decimal(value))


class DecimalAttribute(Attribute[Decimal]):
    """An exact decimal number, such as a rating of 4.5."""

    attr_type = NUMBER

    def serialize(self, value: Decimal) -> str:
        return str(value)

    def deserialize(self, value: str) -> Decimal:
        return Decimal(value)


class MomentAttribute(Attribute[datetime]):
    """A moment as ISO-8601 in UTC with ``Z``: written with microseconds, so that text sorts as time does.

    Reads the first version's forms too, with milliseconds or none.
    """

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return iso(value)

    def deserialize(self, value: Any) -> datetime:
        return datetime.fromisoformat(value).astimezone(UTC)


def iso(moment: datetime) -> str:
    """The text that stands for an aware moment in the tables."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

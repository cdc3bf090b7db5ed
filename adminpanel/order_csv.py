"""Orders as a file for a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from inventory.exports import Sold

#: What a spreadsheet takes for a formula when a cell begins with it.
_FORMULA = ("=", "+", "-", "@")


def written(orders: Iterable[Sold]) -> bytes:
    """A line for each order, in UTF-8 with the mark by which Excel knows it. Times are the shop's, totals are euros."""
    out = io.StringIO()
    lines = csv.writer(out)
    about = [_("Time"), _("Status"), _("E-mail address"), _("Country"), _("Units"), _("Total in euros")]
    lines.writerow([_("Order number"), *about])
    for order in orders:
        at = f"{timezone.localtime(order.at):%Y-%m-%d %H:%M:%S}"
        total = f"{Decimal(order.total_cents) / 100:.2f}"
        told = [order.number, at, order.status, order.email, order.country, order.units, total]
        lines.writerow([_harmless(str(cell)) for cell in told])
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    # A spreadsheet may take any of these for the end of a cell, by its language.
    cell = re.sub(r"[;,\"\s]+", " ", cell).strip()
    return f"'{cell}" if cell.startswith(_FORMULA) else cell

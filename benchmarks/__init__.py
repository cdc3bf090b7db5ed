"""What the figures of the README and the docs come from.

Each module in ``REPORTS`` measures one subject and gives a page of Markdown; ``make bench`` writes it beside it, under
the subject's name.
"""

from __future__ import annotations

from typing import Protocol

REPORTS = {
    "purchase": "purchase",
    "hot_product": "hot_product",
    "stock_proof": "stock_proof",
    "catalogue": "catalogue",
    "lambda": "cold_start",  # No module can have that name.
    "bill": "bill",
}


class Report(Protocol):
    """What each module in ``REPORTS`` has."""

    def report(self, *, full: bool) -> str:
        """Measure, and say what came out and how it was measured, as Markdown."""

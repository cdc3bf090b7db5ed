"""The whole proof, in order. Reads whole tables: it is a command, never part of a request."""

from __future__ import annotations

import time
from collections.abc import Iterator

from inventory import clock
from inventory.proof import looks, reports
from inventory.proof.books import Books
from inventory.proof.looks import Case
from inventory.proof.reports import Report
from inventory.tables import Progress


class Proof:
    """One proof of all stock. ``report`` is there when ``steps`` have come to their end."""

    def __init__(self) -> None:
        self._report: Report | None = None

    @property
    def report(self) -> Report:
        if self._report is None:
            raise RuntimeError("The proof has not come to its end.")
        return self._report

    def steps(self) -> Iterator[Progress]:
        """Read, look again, and remember the result; says how far it is."""
        began, at, books, cases = time.monotonic(), clock.now(), Books(), list[Case]()
        yield from books.read()
        yield from looks.settle(books.suspects().values(), cases)
        wrong = [finding for case in cases for finding in case.wrong] + books.certain
        self._report = Report(
            at=at,
            products=len(books.after),
            wrong_count=reports.count(wrong),
            wrong=sorted(wrong, key=lambda finding: (finding.about != "product", finding.id, finding.kind)),
            unjudged=sorted(case.suspect.product_id for case in cases if case.open),
            overdue=books.overdue,
            seconds=round(time.monotonic() - began, 1),
        )
        reports.remember(self._report)

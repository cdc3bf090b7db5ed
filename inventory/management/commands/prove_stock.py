"""Compute again whether all stock is right, from carts, orders and movements, while the shop goes on.

Exit status 0: every promise holds. 1: something is wrong; the lines say what. 2: nothing was found wrong, but some
products moved all the time and could not be judged. 3: the database did not answer, so nothing is known.

With --repair, what can be put right is put right, after it was shown: the stock is the number that counts, its
movements get a correcting one, what is reserved follows the carts, and what says whether it is in stock follows that.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from inventory.management import progress
from inventory.proof import repairs
from inventory.proof.proving import Proof
from inventory.proof.reports import Report

HOLDS, WRONG, UNJUDGED, UNKNOWN = range(4)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="put right what can be, after showing it")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        # Operators read plain English, whatever language the shop speaks.
        with translation.override("en"):
            report = self._prove()
            if repair and report.wrong:
                self._repair(report)
                report = self._prove()
        status = {"right": HOLDS, "wrong": WRONG, "unjudged": UNJUDGED}[report.state]
        if status != HOLDS:
            sys.exit(status)

    def _prove(self) -> Report:
        proof = Proof()
        progress.show(proof.steps(), self.stdout, returncode=UNKNOWN)
        self._tell(proof.report)
        return proof.report

    def _repair(self, report: Report) -> None:
        try:
            for line in repairs.repair(report.wrong):
                self.stdout.write(line)
        except progress.UNAVAILABLE as failed:
            raise progress.apology(failed, returncode=UNKNOWN) from failed

    def _tell(self, report: Report) -> None:
        for finding in report.wrong:
            self.stdout.write(self.style.ERROR(finding.line))
        for product_id in report.unjudged:
            self.stdout.write(f"{product_id}: moved all the time and could not be judged. Run the command again.")
        if report.overdue:
            self.stdout.write(
                f"Remark: {report.overdue} cart(s) keep units although their time has been up for long. That is no"
                " wrong number, but nobody can buy them. Does the sweep run (manage.py release_expired)?"
            )
        self.stdout.write(_verdict(report))


def _verdict(report: Report) -> str:
    took = f"{report.products} products, {report.seconds:.1f} seconds."
    if report.wrong:
        return f"{report.wrong_count} wrong. {took}"
    if report.unjudged:
        return f"Nothing wrong was found, but {len(report.unjudged)} could not be judged. {took}"
    return f"All stock is right. {took}"

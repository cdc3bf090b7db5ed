"""What a month costs on AWS: the first version's scenario, or another, from measured figures and the price table."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecokart.aws import bill

_USUAL = bill.Scenario()


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--users", dest="users_a_day", type=int, help="users a day")
        parser.add_argument("--requests", type=int, help="requests a month; as many a user as usual if not said")
        parser.add_argument(
            "--orders", dest="orders_of_a_hundred", type=float, help="of a hundred visits, with an order"
        )
        parser.add_argument("--memory", dest="memory_megabytes", type=int, help="the function's memory in MB")
        parser.add_argument("--no-firewall", dest="has_firewall", action="store_const", const=False, help="without WAF")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            figures = bill.measured()
        except bill.NothingMeasured as missing:
            raise CommandError(str(missing)) from missing
        said = {one.name: options[one.name] for one in fields(_USUAL) if options.get(one.name) is not None}
        if any(
            value < (0 if name == "orders_of_a_hundred" else 1) for name, value in said.items() if value is not False
        ):
            raise CommandError("Users, requests and memory are at least 1, orders at least 0.")
        if "users_a_day" in said and "requests" not in said:
            said["requests"] = said["users_a_day"] * _USUAL.requests // _USUAL.users_a_day
        scenario = replace(_USUAL, **said)
        self.stdout.write(f"{bill.described(scenario)}\nMeasured on {figures['measured']}.\n\n")
        for found in (bill.services(scenario, figures), bill.lines(scenario, figures), bill.idle(figures)):
            self.stdout.write(_in_columns(*found) + "\n\n")


def _in_columns(head: list[str], rows: list[list[str]]) -> str:
    """For a terminal: names to the left, numbers to the right."""
    cells = [[cell.strip("*") for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in cells
    )

"""Open an account for an admin, such as the first one. An address that has one already is left alone."""

from typing import Any

from django.core.management.base import CommandParser

from inventory.management.commands import create_account


class Command(create_account.Command):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **{**options, "admin": True})

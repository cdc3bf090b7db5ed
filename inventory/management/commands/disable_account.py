"""Close an account for whoever uses it, at once, or open it again. Orders and data stay."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inventory import accounts
from inventory.management import people


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--undo", action="store_true", help="open it again")

    def handle(self, *args: Any, email: str, undo: bool, **options: Any) -> None:
        with people.found(email) as user:
            (accounts.enable if undo else accounts.disable)(user.id, by=accounts.OPERATOR)
        self.stdout.write(f"{email} can log in again." if undo else f"{email} is logged out and cannot log in.")

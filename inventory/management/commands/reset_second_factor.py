"""Take an admin's second factor away, for a lost phone: it is set up anew at the next log-in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inventory import accounts, second_factor
from inventory.errors import NoSecondFactor
from inventory.management import people


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        with people.found(email) as user:
            try:
                second_factor.reset(user.id, by=accounts.OPERATOR)
            except NoSecondFactor as refused:
                raise CommandError(f"{email} has no second factor.") from refused
        self.stdout.write(f"{email} is logged out and sets up a new second factor at the next log-in.")

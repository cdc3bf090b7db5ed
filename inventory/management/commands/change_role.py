"""Make a customer an admin, or an admin a customer. They are logged out everywhere."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inventory import accounts
from inventory.management import people


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("role", choices=["user", "admin"])

    def handle(self, *args: Any, email: str, role: str, **options: Any) -> None:
        with people.found(email) as user:
            accounts.change_role(user.id, role=role, by=accounts.OPERATOR)
        self.stdout.write(f"{email} has the role {role} from the next log-in on.")

"""Open an account for a customer or an admin. An address that has one already is left alone."""

import getpass
import os
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from inventory import accounts
from inventory.errors import EmailTaken
from inventory.management import progress


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--admin", action="store_true", help="with the role admin")

    def handle(self, *args: Any, email: str, name: str, admin: bool, **options: Any) -> None:
        # From the environment or the keyboard: an argument would stand in the shell's history.
        password = os.environ.get("ACCOUNT_PASSWORD") or getpass.getpass("Password: ")
        if len(password) > accounts.PASSWORD_MAX_LENGTH:
            raise CommandError(f"A password has at most {accounts.PASSWORD_MAX_LENGTH} characters.")
        try:
            validate_email(email)
            validate_password(password)
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        try:
            (accounts.create_admin if admin else accounts.create)(email=email, password=password, name=name)
        except EmailTaken:
            self.stdout.write(f"{email} has an account already.")
        except progress.UNAVAILABLE as failed:
            raise progress.apology(failed) from failed
        else:
            self.stdout.write(f"{email} can log in now.")

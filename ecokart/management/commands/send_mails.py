"""Send the mails that wait. Run it every few minutes; any number may run at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ecokart import post
from inventory import mails
from inventory.management import progress


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--parked", action="store_true", help="begin anew with those that were given up")

    def handle(self, *args: Any, parked: bool, **options: Any) -> None:
        try:
            if parked:
                mails.try_parked_again()
            swept = post.sweep()
        except progress.UNAVAILABLE as failed:
            raise progress.apology(failed) from failed
        self.stdout.write(f"Sent {swept.sent} mail(s); {swept.failed} could not be sent and wait for another try.")

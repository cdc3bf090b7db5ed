"""Give back what carts hold whose time is up. Run it every few minutes; any number may run at once."""

from typing import Any

from django.core.management.base import BaseCommand

from inventory import reservations
from inventory.management import progress


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            released = reservations.release_expired()
        except progress.UNAVAILABLE as failed:
            raise progress.apology(failed) from failed
        self.stdout.write(f"Released the units of {released} cart(s) whose hold had run out.")

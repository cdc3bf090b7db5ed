"""Make the tables that are missing, and wait until they can be used. Safe to repeat."""

from typing import Any

from django.core.management.base import BaseCommand

from inventory import tables
from inventory.management import progress


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        progress.show(tables.create(), self.stdout)

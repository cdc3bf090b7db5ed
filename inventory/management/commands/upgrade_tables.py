"""Bring tables and items of earlier versions up to date. Stop the first version before; safe to repeat."""

from typing import Any

from django.core.management.base import BaseCommand

from inventory import tables
from inventory.management import progress


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        progress.show(tables.upgrade(), self.stdout)

"""Fill the shop with the demo catalogue: 31 products with pictures and stock. What is there already stays as it is."""

from typing import Any

from django.core.management.base import BaseCommand

from inventory.demo import seeding
from inventory.management import progress


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        progress.show(seeding.seed(), self.stdout)

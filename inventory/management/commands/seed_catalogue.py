"""Fill the shop with the demo catalogue: 31 products with pictures and stock. What is there already stays as it is.

With --products, composed ones are added until there are that many, to try the shop at a size. The same --seed composes
the same products, so the command can be cut off and run again. It must not run twice at the same time.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inventory.demo import seeding
from inventory.management import progress


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--products", type=int, metavar="COUNT", help="how many products there shall be in all")
        parser.add_argument("--seed", type=int, default=1, metavar="NUMBER", help="what they are composed from")

    def handle(self, *args: Any, products: int | None, seed: int, **options: Any) -> None:
        steps = seeding.seed() if products is None else seeding.seed_many(products, seed_number=seed)
        progress.show(steps, self.stdout)

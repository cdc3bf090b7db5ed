"""Registers the core with Django, so that its commands are found."""

from django.apps import AppConfig

from inventory import metering


class InventoryConfig(AppConfig):
    name = "inventory"

    def ready(self) -> None:
        from inventory import transport  # It wants the SDK, which not everybody needs.

        # Before any client is made.
        metering.watch()
        transport.spare()

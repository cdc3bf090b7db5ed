"""Registers the core with Django, so that its commands are found."""

from django.apps import AppConfig

from inventory import metering


class InventoryConfig(AppConfig):
    name = "inventory"

    def ready(self) -> None:
        from inventory import dynamodb  # Its models want the settings.

        # Before any client is made.
        metering.watch()
        dynamodb.spare()

"""Registers the core with Django, so that its commands are found."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"

"""Registers the admin panel with Django."""

from django.apps import AppConfig


class AdminPanelConfig(AppConfig):
    name = "adminpanel"

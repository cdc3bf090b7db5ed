"""Registers the shop with Django."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "shop"

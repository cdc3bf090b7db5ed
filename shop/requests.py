"""The request as it reaches the shop's views."""

from django.http import HttpRequest

from inventory.models import User


class ShopRequest(HttpRequest):
    """With what the middleware adds: the account (read on first use) and the id that the visitor's cart goes by."""

    account: User | None
    cart_owner: str | None

"""The request as it reaches the shop's views."""

from django.http import HttpRequest

from inventory.models import User


class ShopRequest(HttpRequest):
    """With what the middleware adds: the account (read on first use), the id that the visitor's cart goes by, and the
    address that limits count by.
    """

    account: User | None
    address: str
    cart_owner: str | None

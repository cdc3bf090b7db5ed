"""The request as it reaches the shop's views."""

from django.http import HttpRequest

from inventory.models import User


class ShopRequest(HttpRequest):
    """With what the middleware adds: the account, read on first use, and the address that limits count by.

    Ask for the account's truth, never whether it is None.
    """

    account: User | None
    address: str


class AccountRequest(ShopRequest):
    """Of somebody who is logged in."""

    account: User

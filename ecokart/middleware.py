"""What happens around every page: who is asking, and what is said when the database cannot answer."""

from collections.abc import Callable
from typing import cast

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from inventory import accounts, dynamodb
from inventory.errors import Busy, InventoryError, Unsure
from inventory.models import User
from shop.requests import ShopRequest

GetResponse = Callable[[ShopRequest], HttpResponse]
RETRY_AFTER_SECONDS = 5


def who_is_asking(get_response: GetResponse) -> GetResponse:
    """Give the request ``account`` (read on first use) and ``cart_owner`` (an account's id, a guest's, or None)."""

    def middleware(request: ShopRequest) -> HttpResponse:
        account_id = request.session.get("account_id")
        # Ask for its truth, never whether it is None: it stands for what it will be.
        request.account = cast(
            "User | None", SimpleLazyObject(lambda: accounts.find(account_id) if account_id else None)
        )
        request.cart_owner = account_id or request.session.get("guest_id")
        return get_response(request)

    return middleware


def _refusal(request: ShopRequest, error: Exception) -> InventoryError | None:
    """What to say of an error that means that the database cannot answer; None for any other."""
    if isinstance(error, Busy | Unsure):
        return error
    if not dynamodb.is_unavailable(error):
        return None
    # Where something was to be changed, we do not know how far that went.
    return Busy() if request.method in {"GET", "HEAD"} else Unsure()


class busy_page:
    """Answer 503, with when to come back, where the database cannot answer. Everything else that fails is a bug."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: ShopRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: ShopRequest, error: Exception) -> HttpResponse | None:
        refusal = _refusal(request, error)
        if refusal is None:
            return None
        response = render(request, "503.html", {"sentence": refusal.sentence}, status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response

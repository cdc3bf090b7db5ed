"""What happens around every page: who is asking, and what is said when the database cannot answer."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import SimpleLazyObject

from inventory import accounts, dynamodb
from inventory.errors import Busy, InventoryError, Unsure
from inventory.models import User
from shop import parts
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


def no_body_for_head(get_response: GetResponse) -> GetResponse:
    """Answer HEAD with what GET's headers would be, and nothing else: gunicorn complains of a body otherwise."""

    def middleware(request: ShopRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "HEAD" and not response.streaming:
            response.content = b""
        return response

    return middleware


class Compression(GZipMiddleware):
    """Django's, which takes ``gzip;q=0`` for a wish."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if parts.accepts_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            return super().process_response(request, response)
        patch_vary_headers(response, ["Accept-Encoding"])
        return response


def keep_pages_private(get_response: GetResponse) -> GetResponse:
    """Say of every page that says nothing itself that it is its visitor's and asked for anew: it shows a cart."""

    def middleware(request: ShopRequest) -> HttpResponse:
        response = get_response(request)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return response

    return middleware


def page_for_405(get_response: GetResponse) -> GetResponse:
    """Give an address that only takes forms a page for whoever opens it by hand: Django answers with nothing."""

    def middleware(request: ShopRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 405 and not response.content:
            page = render(request, "405.html", status=405)
            page["Allow"] = response["Allow"]
            return page
        return response

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

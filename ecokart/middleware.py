"""What happens around every page: who is asking, and what is said when the database cannot answer."""

import math
import re
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import rotate_token
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.functional import SimpleLazyObject

from ecokart import post, visitors
from inventory import dynamodb, mails, pace, sessions
from inventory.errors import Busy, InventoryError, TooManyTries, Unsure
from inventory.models import User
from shop import parts
from shop.requests import ShopRequest

GetResponse = Callable[[ShopRequest], HttpResponse]
RETRY_AFTER_SECONDS = 5
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_LENGTH = re.compile("[0-9]{1,18}")
#: Asked for by machines, or kept by browsers for good.
_UNCOUNTED = re.compile(r"/healthz|/icons-[-\w]+\.svg")


def who_is_asking(get_response: GetResponse) -> GetResponse:
    """Give the request its ``account``: read on first use, and only that of a session that lives."""

    def middleware(request: ShopRequest) -> HttpResponse:
        # Ask for its truth, never whether it is None: it stands for what it will be.
        request.account = cast("User | None", SimpleLazyObject(lambda: _account(request)))
        return get_response(request)

    return middleware


def _account(request: ShopRequest) -> User | None:
    """Whose session this is. One that has ended is forgotten by the browser too: from here on it is a stranger's."""
    if "account_id" not in request.session:
        return None
    account = sessions.account(dict(request.session.items()))
    if account is None:
        request.session.flush()
        # A guest's id follows from it, so whoever knew the ended session must not know the new one.
        rotate_token(request)
    return account


def readable_query(get_response: GetResponse) -> GetResponse:
    """Refuse a query with too many fields here: else the page that says that something is wrong would fail over it."""

    def middleware(request: ShopRequest) -> HttpResponse:
        _ = request.GET  # Read once, kept, and refused by Django with a 400 if it must be.
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


def keep_pace(get_response: GetResponse) -> GetResponse:
    """Give the request the ``address`` that limits count by, and answer 429 where that asks too often.

    Static files do not get here.
    """

    def middleware(request: ShopRequest) -> HttpResponse:
        request.address = visitors.address(request)
        if settings.LIMITS and settings.REQUEST_LIMIT and not _UNCOUNTED.fullmatch(request.path_info):
            wait_seconds = pace.count(request.address, changes=request.method not in _SAFE)
            if wait_seconds:
                return _too_many(TooManyTries(wait_seconds))
        return get_response(request)

    return middleware


def _too_many(refusal: TooManyTries) -> HttpResponse:
    # Without the request: a page for many costs little, and asks for nobody's session.
    response = HttpResponse(render_to_string("429.html", {"sentence": refusal.sentence}), status=429)
    response["Retry-After"] = str(math.ceil(refusal.wait_seconds))
    return response


def keep_small(get_response: GetResponse) -> GetResponse:
    """Refuse what is larger than any form of the shop: Django would write the files in it down, whoever sends them."""

    def middleware(request: ShopRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not _LENGTH.fullmatch(length) or int(length) > settings.REQUEST_MAX_BYTES:
            return HttpResponse(render_to_string("413.html"), status=413)
        return get_response(request)

    return middleware


def keep_nothing(get_response: GetResponse) -> GetResponse:
    """Say of every page that says nothing itself that nobody may keep it: it may be somebody's own."""

    def middleware(request: ShopRequest) -> HttpResponse:
        response = get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
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


def send_mails(get_response: GetResponse) -> GetResponse:
    """Send what a request has written when it is done: what the mails tell is committed by then."""

    def middleware(request: ShopRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return get_response(request)
        with mails.collected() as ids:
            response = get_response(request)
        for mail_id in ids:
            post.send(mail_id)
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
    """Answer 503, with when to come back, where the database cannot answer, and 429 where somebody tried too often.

    Everything else that fails is a bug.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: ShopRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: ShopRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, TooManyTries):
            return _too_many(error)
        refusal = _refusal(request, error)
        if refusal is None:
            return None
        response = render(request, "503.html", {"sentence": refusal.sentence}, status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response

"""Pages that are made once and kept: what they show follows from catalogue, shown stock, address and language.

A view under ``@ready.page`` is called with ``Anybody``, a request that has an address and a language and nothing of a
visitor, so nothing of a visitor can get into what is kept. Where something of the visitor's belongs, ``{% slot %}``
leaves a mark, and the page is cut there; every answer fills the gaps. Whatever is uncertain is rendered plainly.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import re
import secrets
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.cache import get_conditional_response

from inventory import catalogue, live_stock
from shop import parts
from shop.parts import Part, Stored
from shop.requests import ShopRequest

P = ParamSpec("P")
V = TypeVar("V")
View = Callable[Concatenate[ShopRequest, P], HttpResponse]

#: From this many units on, a card shows no number.
MANY = 6
_LONGEST_QUERY = 300
_BADGE = {"units", "total_cents"}
#: Where a browser names one of these, it has the page already and asks whether that is still true.
_CONDITIONS = frozenset({"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"})
_PLACE = secrets.token_hex(16)
_MARK = re.compile(rf"<!--{_PLACE} (\w+)-->")
_MARK_IN_BYTES = re.compile(_MARK.pattern.encode())

logger = logging.getLogger(__name__)


class VisitorsOwn(Exception):
    """A page that is to be kept asked for something of a visitor outside of a slot."""


class _Meta(dict[str, Any]):
    """A request's META. Whoever asks it for the secret of a visitor's forms is a form outside of a slot."""

    def __contains__(self, name: object) -> bool:
        if name == "CSRF_COOKIE":
            raise VisitorsOwn
        return super().__contains__(name)


class Anybody(ShopRequest):
    """A request without a visitor: no cookies, no session, no account, no messages. The query is part of the key."""

    def __init__(self, request: ShopRequest) -> None:
        super().__init__()
        self.method = "GET"
        self.path, self.path_info = request.path, request.path_info
        self._host, self._scheme = _host(request), request.scheme
        self.META = _Meta(QUERY_STRING=request.META.get("QUERY_STRING", ""))
        self.GET = request.GET
        self.LANGUAGE_CODE = request.LANGUAGE_CODE

    def get_host(self) -> str:
        return self._host

    @property
    def scheme(self) -> str | None:
        return self._scheme


class Kept(Generic[V]):
    """What was used last, up to a number of bytes."""

    def __init__(self, share: float) -> None:
        self._share, self._lock = share, threading.Lock()
        self._values: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self.bytes = 0

    def get(self, key: Hashable) -> V | None:
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: V, *, size: int) -> None:
        with self._lock:
            self.bytes += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = (value, size)
            while self.bytes > settings.READY_PAGES_BYTES * self._share:
                self.bytes -= self._values.popitem(last=False)[1][1]

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self.bytes = 0

    def __len__(self) -> int:
        return len(self._values)


@dataclass(slots=True)
class _Page:
    """A page cut at its slots.

    ``shown`` has, for each product, the most units that make a difference, and the units; None: not to be kept.
    What was compared is not compared again while those numbers (``known_since``) are fresh, unless the stock has moved.
    """

    pieces: tuple[Part | str, ...]
    digest: bytes
    version: object
    shown: dict[str, tuple[int, int]] | None
    has_form: bool
    known_at: int = -1
    known_since: float = float("-inf")

    def is_true(self, version: object) -> bool:
        if self.shown is None or self.version != version:
            return False
        moves = live_stock.moves
        if self.known_at == moves and time.monotonic() - self.known_since <= live_stock.FRESH_SECONDS:
            return True
        units = live_stock.of(tuple(self.shown))
        is_true = all(min(units.get(one) or 0, most) == shown for one, (most, shown) in self.shown.items())
        if is_true:
            self.known_at, self.known_since = moves, live_stock.read_since(self.shown)
        return is_true


_pages: Kept[_Page] = Kept(0.5)
#: The same uncompressed, for those few who take nothing else.
_plain_pages: Kept[tuple[bytes | str, ...]] = Kept(0.15)
#: Parts of pages as text: cards, header, footer.
_fragments: Kept[str] = Kept(0.3)
_fillings: Kept[tuple[Part, Part]] = Kept(0.05)


def page(view: View[P]) -> View[P]:
    """Answer with a kept page where there is one that is true, and keep what the view makes where that may be kept."""

    @functools.wraps(view)
    def ready_or_plain(request: ShopRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not _is_ordinary(request):
            return view(request, *args, **kwargs)
        version = catalogue.version()
        address = (request.scheme or "", _host(request), request.path, request.META.get("QUERY_STRING", ""))
        key = (request.LANGUAGE_CODE, *address)
        found = _pages.get(key)
        if found is None or not found.is_true(version):
            found = _cut(view, request, version, *args, **kwargs)
            if found is None:
                return view(request, *args, **kwargs)
            if found.shown is not None:
                size = sum(piece.bytes_kept for piece in found.pieces if isinstance(piece, Part))
                _pages.put(key, found, size=size + sum(map(len, key)) + 200 * len(found.shown))
        return _filled(found, request)

    return cast("View[P]", ready_or_plain)


def showing(response: HttpResponse, units: Mapping[str, int], *, most: Mapping[str, int] | None = None) -> HttpResponse:
    """Say of which products a page shows the stock, so that it may be kept while that is true.

    A number above ``MANY`` makes no difference, or above ``most``, for a product that the page says more about.
    """
    limits = {**dict.fromkeys(units, MANY), **(most or {})}
    response.shown = {one: (limits[one], min(units[one], limits[one])) for one in units}  # type: ignore[attr-defined]
    return response


def mark(name: str) -> str:
    """What stands for a slot in a page that is to be cut. Nobody can write it: it is new in every process."""
    return f"<!--{_PLACE} {name}-->"


def fragment(key: Hashable, make: Callable[[], str]) -> str:
    """A part of a page as it was made before, or made now. The key says everything but the prefix of its links."""
    key = (get_script_prefix(), key)
    found = _fragments.get(key)
    if found is None:
        found = make()
        _fragments.put(key, found, size=sys.getsizeof(found) + 200)
    return found


def form(key: Hashable, make: Callable[[], str]) -> str:
    """Such a part with something left out: where it has marks, it has the fields of ``str.format``."""
    return fragment(key, lambda: _MARK.sub(r"{\1}", make().replace("{", "{{").replace("}", "}}")))


def bytes_kept() -> int:
    """The memory that all of it takes, up to READY_PAGES_BYTES."""
    return sum(kept.bytes for kept in (_pages, _plain_pages, _fragments, _fillings))


def forget() -> None:
    """Make everything anew."""
    for kept in (_pages, _plain_pages, _fragments, _fillings):
        kept.clear()


def _host(request: ShopRequest) -> str:
    """The host of a request that CommonMiddleware has let through: ``get_host`` would look through it once more."""
    return request.META.get("HTTP_HOST") or request.get_host()


def _is_ordinary(request: ShopRequest) -> bool:
    """Whether a visitor's own part of a page is what the slots know of, and nothing else."""
    badge = request.session.get("cart")
    return (
        settings.READY_PAGES_BYTES > 0
        and not settings.DEBUG
        and len(request.META.get("QUERY_STRING", "")) <= _LONGEST_QUERY
        and (badge is None or badge.keys() == _BADGE)
        and not len(get_messages(request))
    )


def _cut(view: View[P], request: ShopRequest, version: object, *args: P.args, **kwargs: P.kwargs) -> _Page | None:
    """What a view shows to anybody, cut at its slots; None where that is no page to give to a visitor."""
    try:
        response = view(Anybody(request), *args, **kwargs)
    except VisitorsOwn:
        logger.exception("A page shows something of its visitor outside of a slot and is not kept: %s", request.path)
        return None
    if response.status_code != 200 or response.cookies:
        return None
    cut = _MARK_IN_BYTES.split(response.content)
    pieces = tuple(piece.decode() if number % 2 else Part(piece) for number, piece in enumerate(cut))
    digest = parts.digest(piece for piece in pieces if isinstance(piece, Part))
    return _Page(pieces, digest, version, getattr(response, "shown", None), has_form=pieces.count("csrf") > 1)


def _filled(found: _Page, request: ShopRequest) -> HttpResponse:
    slots = _slots(request, has_form=found.has_form)
    etag = _etag(found.digest, slots)
    if not _CONDITIONS.isdisjoint(request.META):
        response = HttpResponse(headers={"ETag": etag, "Vary": "Accept-Encoding"})
        answer = get_conditional_response(request, etag=etag, response=response)
        if answer is not None and answer is not response:
            return answer
    if parts.accepts_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
        content = parts.gzipped(slots[piece] if isinstance(piece, str) else piece for piece in found.pieces)
        return HttpResponse(content, headers={"ETag": etag, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    content = b"".join([slots[piece].plain if isinstance(piece, str) else piece for piece in _plain(found)])
    return HttpResponse(content, headers={"ETag": etag})


def _plain(found: _Page) -> tuple[bytes | str, ...]:
    kept = _plain_pages.get(found.digest)
    if kept is None:
        kept = tuple(piece if isinstance(piece, str) else piece.plain for piece in found.pieces)
        _plain_pages.put(found.digest, kept, size=sum(map(len, kept)))
    return kept


def _slots(request: ShopRequest, *, has_form: bool) -> dict[str, Part]:
    """What is the visitor's on a page.

    ``has_form``: beside the one for the language, so that the visitor's secret has to live as long as the page.
    """
    badge = request.session.get("cart")
    if "CSRF_COOKIE" not in request.META:
        get_token(request)
    elif has_form:
        # What ``get_token`` does beside throwing dice for a mask, 32 times, which takes longer than the rest of this.
        request.META["CSRF_COOKIE_NEEDS_UPDATE"] = True
    # As it is: Django masks it with dice because of what is compressed together with it, which here is nothing.
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{request.META["CSRF_COOKIE"]}">'
    counted = (badge["units"], badge["total_cents"]) if badge else None
    prefix = request.META["SCRIPT_NAME"]
    cart, account = _fillings_of(prefix, request.LANGUAGE_CODE, counted, "account_id" in request.session)
    return {"csrf": Stored(token.encode()), "cart": cart, "account": account}


def _fillings_of(prefix: str, language: str, counted: tuple[int, int] | None, is_signed_in: bool) -> tuple[Part, Part]:
    """What many visitors have in common: the way to the cart, and to the account. ``prefix`` stands in its links."""
    key = (prefix, language, counted, is_signed_in)
    found = _fillings.get(key)
    if found is None:
        badge = {"units": counted[0], "total_cents": counted[1]} if counted else None
        found = _filling("cart", cart_badge=badge), _filling("account", signed_in=is_signed_in)
        _fillings.put(key, found, size=sum(part.bytes_kept for part in found))
    return found


def _filling(name: str, **context: Any) -> Part:
    return Part(render_to_string(f"shop/slots/{name}.html", context).encode())


def _etag(digest: bytes, slots: Mapping[str, Part]) -> str:
    """Weak, because the answer is the same page compressed or not."""
    found = hashlib.blake2b(digest, key=_etag_key(settings.SECRET_KEY), digest_size=16)
    for slot in slots.values():
        found.update(slot.deflated)
    return f'W/"{found.hexdigest()}"'


@functools.cache
def _etag_key(secret_key: str) -> bytes:
    return hashlib.sha256(b"ready page" + secret_key.encode()).digest()

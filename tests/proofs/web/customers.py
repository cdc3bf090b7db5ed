"""Customers and admins of a shop under gunicorn: HTTP/1.1 over connections that stay open, cookies, forms.

Cheap on purpose: a thousand of them share two cores with the shop that they visit. What they send can be built once
and sent over several connections at the same moment.
"""

from __future__ import annotations

import html
import http.client
import json
import re
import secrets
import string
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing

from ecokart import local
from inventory import accounts, clock, dynamodb, sessions
from tests.proofs import World

PATIENCE_SECONDS = 30
#: How long a connection may lie idle: longer than any proof takes, or the shop would close it under a customer's hands.
IDLE_SECONDS = 3600
#: What every order of a proof says of where the parcel goes.
ADDRESS = {
    "name": "Alice Adler",
    "email": "alice@example.com",
    "street": "Ulmenweg 1",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}
#: Enough for every process of the shop to get some of them.
_FIRST_LINES = 16
_SESSION_SALT = "django.contrib.sessions.backends.signed_cookies"
_SIGNS = string.ascii_letters + string.digits
_BROKEN = (OSError, http.client.HTTPException)

T = TypeVar("T")
R = TypeVar("R")


class NoAnswer(Exception):
    """No whole answer came: whoever asked cannot know what the shop did. ``sent`` is False where it heard nothing."""

    def __init__(self, why: object, *, sent: bool) -> None:
        super().__init__(f"{type(why).__name__}: {why}")
        self.sent = sent


class TooSlow(Exception):
    """A crowd was not through when its time was up."""


@dataclass(frozen=True)
class Shop:
    """A running shop. ``secret_key`` is what its cookies are signed with."""

    port: int
    secret_key: str
    process: local.Process


@contextmanager
def shop(
    world: World,
    application: str = "ecokart.wsgi",
    *,
    settings: str = "ecokart.settings",
    options: tuple[str, ...] = (),
) -> Iterator[Shop]:
    """The shop on a port of its own, on the proof's engine. Connections stay open as behind a load balancer."""
    environment = world.environment | {"DJANGO_SETTINGS_MODULE": settings}
    if settings == "ecokart.settings" and not Path(environment["STATIC_ROOT"]).exists():
        local.manage("collectstatic", "--noinput", environment=environment)
    port = local.free_port()
    stay_open = f"--keep-alive={IDLE_SECONDS}"
    with local.gunicorn(
        port, environment=environment, application=application, options=(stay_open, *options)
    ) as process:
        open_shop = Shop(port, environment["SECRET_KEY"], process)
        _warm_up(open_shop)
        yield open_shop


def _warm_up(open_shop: Shop) -> None:
    """Let every process meet its first questions: to make the SDK's clients, several at once, may outlast a rule."""
    visitor = Visitor(open_shop, owner_id="guest-first")
    first = [visitor.page("/products/"), visitor.page("/cart/"), visitor.page("/orders/")]
    first.append(visitor.form("/cart/add/", product_id="nothing", quantity=1))
    with ExitStack() as stack:
        lines = [stack.enter_context(Connection(open_shop)) for _ in range(_FIRST_LINES)]
        for request in first:
            at_once(lines, [request] * len(lines))


@dataclass(frozen=True)
class Request:
    """What a browser would send, ready to be sent any number of times over any connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body.decode()}".strip()


@dataclass(frozen=True)
class Answer:
    """What came back. ``location`` is where a redirect leads, or nothing; ``cookies`` are those that were set."""

    status: int
    location: str
    text: str
    cookies: tuple[str, ...] = field(repr=False)

    def hidden(self, name: str) -> str:
        """The value of a hidden field on this page, or nothing."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        return html.unescape(found[1]) if found else ""

    def alerts(self) -> list[str]:
        """The sentences in the boxes at the head of the page: what was refused, what was done."""
        boxes = re.findall(r'<(p|div|span) class="alert__body">(.*?)</\1>', self.text, re.DOTALL)
        return [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", words)).split()) for _, words in boxes]

    def messages(self) -> list[str]:
        """The sentences that came with a redirect, for the next page to show: the shop keeps them in a cookie."""
        found = [cookie for cookie in self.cookies if cookie.startswith("messages=")]
        content = found[-1].partition(";")[0].removeprefix("messages=").partition(":")[0] if found else ""
        if not content.strip('"'):
            return []
        packed = signing.b64_decode(content.removeprefix(".").encode())
        kept = json.loads(zlib.decompress(packed) if content.startswith(".") else packed)
        return [message[3] for message in kept]


class Connection:
    """One open line to the shop. ``send`` and ``receive`` are apart, so that several can be under way at once."""

    def __init__(self, shop: Shop) -> None:
        self._line = http.client.HTTPConnection(local.HOST, shop.port, timeout=PATIENCE_SECONDS)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def ask(self, request: Request) -> Answer:
        self.send(request)
        return self.receive()

    def send(self, request: Request) -> None:
        """Raises NoAnswer; the line is opened anew for the next request then."""
        try:
            if self._line.sock is None:
                self._line.connect()
        except OSError as failed:
            raise NoAnswer(failed, sent=False) from failed
        try:
            self._line.request(request.method, request.path, body=request.body or None, headers=request.headers)
        except _BROKEN as failed:
            self._line.close()
            raise NoAnswer(failed, sent=True) from failed

    def receive(self) -> Answer:
        """The answer to what was sent. Raises NoAnswer as ``send`` does."""
        try:
            answer = self._line.getresponse()
            body = answer.read()
        except _BROKEN as failed:
            self._line.close()
            raise NoAnswer(failed, sent=True) from failed
        cookies = tuple(answer.headers.get_all("Set-Cookie", ()))
        return Answer(answer.status, answer.headers.get("Location", ""), body.decode(), cookies)


_begun: dict[str, dict[str, str | int]] = {}


def _session(account_id: str) -> dict[str, str | int]:
    """What the cookie of an account says. All its visitors have one session while it lives: it has ten at the most.

    Nor is it old: what matters most is changed only by whoever has logged in a moment ago.
    """
    account = accounts.find(account_id)
    assert account is not None
    begun = _begun.get(account_id)
    found = sessions.find(account, begun) if begun else None
    if begun is None or found is None or clock.now() > found.since + sessions.FRESH / 2:
        begun = sessions.begin(account, kind="admin" if account.is_admin else "shop", device="")
        if account.is_admin:
            _show_factor(account_id, str(begun["sid"]))
        _begun[account_id] = begun
    return begun


def _show_factor(account_id: str, sid: str) -> None:
    account = accounts.find(account_id)
    assert account is not None
    with dynamodb.transaction() as tx:
        sessions.confirm(tx, account, sid, clock.now(), with_factor=True)


class Visitor:
    """Somebody with a browser: keeps cookies and knows how to send a form. Follows a redirect only when told to.

    A visitor may come with an ``owner_id`` (``guest-…`` or an account's id): the session cookie is then one that the
    shop would have given, for a ``session`` of its own or for one that all visitors of the account share, in which an
    admin has shown the second factor. The CSRF cookie is of the visitor's own making, as good as one from a page.
    """

    def __init__(
        self, shop: Shop, *, owner_id: str = "", session: dict[str, str | int] | None = None, language: str = "de"
    ) -> None:
        self.owner_id = owner_id
        self.cookies = {"csrftoken": "".join(secrets.choice(_SIGNS) for _ in range(32))}
        self._language = language
        if owner_id:
            if owner_id.startswith("guest-"):
                session = {"guest_id": owner_id}
            session = session or _session(owner_id)
            self.cookies["sessionid"] = signing.dumps(
                session, key=shop.secret_key, salt=_SESSION_SALT, serializer=JSONSerializer, compress=True
            )

    def page(self, path: str) -> Request:
        """To open a page."""
        return Request("GET", path, self._headers())

    def form(self, path: str, **fields: str | int) -> Request:
        """To send a form: its fields and the hidden one that every form has."""
        body = urlencode({"csrfmiddlewaretoken": self.cookies["csrftoken"], **fields}).encode()
        return Request("POST", path, self._headers() | {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def keep(self, answer: Answer) -> Answer:
        """Keep the cookies that came with an answer, as a browser does."""
        for cookie in answer.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "max-age=0" in cookie.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def open(self, connection: Connection, path: str) -> Answer:
        return self.keep(connection.ask(self.page(path)))

    def post(self, connection: Connection, path: str, **fields: str | int) -> Answer:
        return self.keep(connection.ask(self.form(path, **fields)))

    def follow(self, connection: Connection, answer: Answer) -> Answer:
        """The page that a redirect leads to; any other answer as it is."""
        return self.open(connection, answer.location) if answer.location else answer

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookies, "Accept-Language": self._language}


def session_of(shop: Shop, answer: Answer) -> dict[str, object]:
    """What a session cookie that came with an answer says; nothing where none did."""
    found = [cookie for cookie in answer.cookies if cookie.startswith("sessionid=")]
    value = found[-1].partition(";")[0].partition("=")[2].strip('"') if found else ""
    if not value:
        return {}
    said: dict[str, object] = signing.loads(value, key=shop.secret_key, salt=_SESSION_SALT, serializer=JSONSerializer)
    return said


def at_once(connections: Sequence[Connection], requests: Sequence[Request]) -> list[Answer | NoAnswer]:
    """Send each request over a connection of its own before any answer is read: they run side by side."""
    failed: dict[int, NoAnswer] = {}
    for number, (connection, request) in enumerate(zip(connections, requests, strict=False)):
        try:
            connection.send(request)
        except NoAnswer as lost:
            failed[number] = lost
    return [failed.get(number) or received(connections[number]) for number in range(len(requests))]


def received(connection: Connection) -> Answer | NoAnswer:
    """The answer to what was sent, or why there is none."""
    try:
        return connection.receive()
    except NoAnswer as lost:
        return lost


def crowd(
    shop: Shop, visits: Sequence[T], visit: Callable[[Connection, T], R], *, connections: int, seconds: float
) -> list[R]:
    """Make all visits over so many connections, one after the other on each. Results come in the visits' order.

    Raises TooSlow when a visit would begin after the time is up, and what a visit raises.
    """
    deadline = time.monotonic() + seconds
    mine = threading.local()
    opened: list[Connection] = []

    def one(what: T) -> R:
        if time.monotonic() > deadline:
            raise TooSlow(f"{len(visits)} visits over {connections} connections took more than {seconds:.0f} s")
        if not hasattr(mine, "connection"):
            mine.connection = Connection(shop)
            opened.append(mine.connection)
        return visit(mine.connection, what)

    with ThreadPoolExecutor(connections) as pool:
        try:
            return list(pool.map(one, visits))
        finally:
            pool.shutdown(cancel_futures=True)
            for connection in opened:
                connection.__exit__()

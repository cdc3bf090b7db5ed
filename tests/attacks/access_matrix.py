"""Who may open what: every address, by GET and by POST, and what it answers to five kinds of people.

The table is the document. An address without a row is wrong, even one with the name of another; so is a row without an
address, and each answer that is not as declared. What belongs to somebody (an order, an address in a book) is Alice's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, path, resolve, reverse

from ecokart import middleware
from inventory import accounts, addresses, orders, reservations
from inventory.models import User
from tests.attacks import people
from tests.attacks.web import Answer, Browser
from tests.proofs import Result, World

TITLE = "Access matrix: every address by GET and POST, for five kinds of people"
WANTED = "100 % as declared; an address without a row fails"
ENGINE = "dynoxide"

COLUMNS = ("stranger", "customer", "other customer", "admin without second factor", "admin")
METHODS = ("GET", "POST")
#: Where a redirect leads: to one of three doors, or on to wherever the work goes on.
LOG_IN, PANEL_LOG_IN, FACTOR, ELSEWHERE = "shop:login", "adminpanel:login", "adminpanel:second-factor", "elsewhere"
#: A status, or where a redirect leads.
Cell = int | str
#: What it answers to each of COLUMNS.
Row = tuple[Cell, Cell, Cell, Cell, Cell]


def _all(cell: Cell) -> Row:
    return (cell,) * 5


def _account(cell: Cell) -> Row:
    """For whoever has an account."""
    return (LOG_IN, cell, cell, cell, cell)


def _owner(cell: Cell) -> Row:
    """For whom it belongs to, whether or not one has to log in: to everybody else it is not there."""
    return (404, cell, 404, 404, 404)


def _admin(cell: Cell) -> Row:
    return (PANEL_LOG_IN, 403, 403, FACTOR, cell)


#: For each route what GET answers, and what POST does with the fields of FIELDS. A form that lacks some is a 422.
ROWS: dict[str, tuple[Row, Row]] = {
    "": (_all(200), _all(405)),
    "products/": (_all(200), _all(405)),
    "products/suggest/": (_all(200), _all(405)),
    "products/<key:product_id>/": (_all(200), _all(405)),
    "info/<slug:slug>/": (_all(200), _all(405)),
    "healthz": (_all(200), _all(405)),
    "icons-<slug:digest>.svg": (_all(200), _all(405)),
    "language/": (_all(ELSEWHERE), _all(ELSEWHERE)),
    # All but the stranger have something in their carts by then.
    "checkout/": ((ELSEWHERE, 200, 200, 200, 200), (ELSEWHERE, 422, 422, 422, 422)),
    # A cart is that of whoever asks: no address names it.
    "cart/": (_all(200), _all(405)),
    "cart/add/": (_all(405), _all(ELSEWHERE)),
    "cart/update/": (_all(405), _all(422)),
    "cart/remove/": (_all(405), _all(422)),
    "cart/extend/": (_all(405), _all(ELSEWHERE)),
    "cart/reserve/": (_all(405), _all(ELSEWHERE)),
    "orders/": (_all(200), _all(405)),
    "orders/<key:order_id>/": (_owner(200), _all(405)),
    "orders/<key:order_id>/cancel/": (_all(405), _owner(ELSEWHERE)),
    "account/": (_account(200), _all(405)),
    "account/register/": (
        (200, ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE),
        (422, ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE),
    ),
    "account/login/": (
        (200, ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE),
        (422, ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE),
    ),
    # Three that go by the key in a mail, whoever brings it. None is brought here.
    "account/verify/": (_all(410), _all(410)),
    "account/email/confirm/": (_all(410), _all(410)),
    "account/password/reset/": (_all(410), _all(410)),
    "account/verify/again/": (_all(405), _account(ELSEWHERE)),
    "account/password/": (_account(200), _account(422)),
    "account/password/forgotten/": (_all(200), _all(422)),
    "account/email/": (_account(200), _account(422)),
    "account/addresses/": (_account(200), _all(405)),
    "account/addresses/new/": (_account(200), _account(422)),
    "account/addresses/<key:address_id>/": ((LOG_IN, 200, 404, 404, 404), (LOG_IN, 422, 404, 404, 404)),
    "account/addresses/<key:address_id>/default/": (_all(405), (LOG_IN, ELSEWHERE, 404, 404, 404)),
    # What is not in one's own book is gone from it, however often that is asked for.
    "account/addresses/<key:address_id>/remove/": (_all(405), _account(ELSEWHERE)),
    "account/data/": (_account(200), _all(405)),
    "account/delete/": (_account(200), _account(422)),
    "account/logout/": (_all(405), _all(ELSEWHERE)),
    "account/sessions/end/": (_all(405), _account(ELSEWHERE)),
    "account/sessions/end-all/": (_all(405), _all(LOG_IN)),
    "admin/": (_admin(200), _admin(405)),
    "admin/login/": ((200, 200, 200, ELSEWHERE, ELSEWHERE), (422, 422, 422, ELSEWHERE, ELSEWHERE)),
    "admin/second-factor/": ((PANEL_LOG_IN, 403, 403, 200, ELSEWHERE), (PANEL_LOG_IN, 403, 403, 422, ELSEWHERE)),
    "admin/logout/": (_all(405), _all(PANEL_LOG_IN)),
    "admin/products/": (_admin(200), _admin(405)),
    "admin/products/new/": (_admin(200), _admin(422)),
    "admin/products/<key:product_id>/": (_admin(200), _admin(422)),
    "admin/products/<key:product_id>/archive/": (_admin(200), _admin(ELSEWHERE)),
    "admin/stock/": (_admin(200), _admin(405)),
    "admin/stock/proof/": (_admin(200), _admin(405)),
    "admin/stock/<key:product_id>/": (_admin(200), _admin(422)),
    "admin/accounts/": (_admin(200), _admin(422)),
    "admin/accounts/<key:account_id>/": (_admin(200), _admin(422)),
    "admin/audit/": (_admin(200), _admin(405)),
    "admin/orders/": (_admin(200), _admin(405)),
    "admin/orders/export/": (_admin(200), _admin(422)),
    "admin/orders/<key:order_id>/": (_admin(200), _admin(405)),
    "admin/orders/<key:order_id>/status/": (_admin(405), _admin(ELSEWHERE)),
}
#: What is sent where it takes little to be let do something.
FIELDS = {
    "language/": {"language": "en"},
    "cart/add/": {"product_id": "{product_id}", "quantity": "1"},
    "admin/products/<key:product_id>/archive/": {"version": "1"},
    "admin/orders/<key:order_id>/status/": {"status": "paid"},
}

#: Where each answer is: the route and the method.
Place = tuple[str, str]


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every address as the URL conf writes it, with its full name. One that is there twice comes twice."""
    resolver = resolver or get_resolver()
    space = f"{resolver.namespace}:" if resolver.namespace else ""
    for entry in resolver.url_patterns:
        where = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            yield where, f"{space}{entry.name}"
        else:
            yield from routes(entry, where)


def declared(column: str) -> dict[Place, Cell]:
    at = COLUMNS.index(column)
    return {(route, method): row[at] for route, rows in ROWS.items() for method, row in zip(METHODS, rows, strict=True)}


def undeclared() -> list[str]:
    """Addresses that have no row of their own, and rows that have no address."""
    there = Counter(route for route, _ in routes())
    missing = [f"{route!r} has no row" for route in (there - Counter(list(ROWS))).elements()]
    return missing + [f"the row {route!r} has no address" for route in ROWS if route not in there]


#: After these the session that was used has ended.
ENDS = {"account/logout/", "account/sessions/end/", "account/sessions/end-all/", "admin/logout/"}


class Town:
    """The people of the five columns, and what belongs to Alice."""

    def __init__(self) -> None:
        self.alice, self.bob, self.dana = people.a_customer("Alice"), people.a_customer("Bob"), people.an_admin()
        self.names = dict(routes())

    def answers(self, column: str) -> dict[Place, Cell]:
        """What each declared address answers to one of them, in the order of the table."""
        browser, things = self._browser(column), _Things(self)
        found: dict[Place, Cell] = {}
        for route, method in [(route, method) for route in ROWS if route in self.names for method in METHODS]:
            if route == "checkout/" and column != "stranger":
                reservations.reserve(self._who(column).id, things.product_id, quantity=1)
            answer = things.ask(browser, method, route)
            is_touched = method == "POST" and column not in {"customer", "admin"} and things.are_touched()
            found[route, method] = "Alice's things were changed" if is_touched else _cell(answer)
            browser = self._browser(column) if method == "POST" and route in ENDS else browser
        return found

    def _browser(self, column: str) -> Browser:
        if column == "stranger":
            return Browser()
        return people.browser_of(self._who(column), with_factor=column == "admin")

    def _who(self, column: str) -> User:
        return {"customer": self.alice, "other customer": self.bob}.get(column, self.dana)


class _Things:
    """What an address may be about: a product, and of Alice's an order and an address."""

    def __init__(self, town: Town) -> None:
        self._town, self._alice_id = town, town.alice.id
        self.product_id = people.a_product().id
        self._order_id = people.an_order(self._alice_id, people.a_product()).id
        contact = {"name": "Alice", "street": "Ulmenweg 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
        addresses.add(self._alice_id, contact)
        self._address_id = self._book()[-1]

    def ask(self, browser: Browser, method: str, route: str) -> Answer:
        about = {
            "product_id": self.product_id,
            "order_id": self._order_id,
            "address_id": self._address_id,
            "account_id": self._town.bob.id,
            "slug": "imprint",
            "digest": "any",
        }
        needed = {name: value for name, value in about.items() if f":{name}>" in route}
        where = reverse(self._town.names[route], kwargs=needed)
        assert resolve(where).route == route, f"{where} is not asked for by the row {route!r}"
        if method == "GET":
            return browser.get(where)
        return browser.post(where, {name: value.format(**about) for name, value in FIELDS.get(route, {}).items()})

    def _book(self) -> list[str]:
        alice = accounts.find(self._alice_id)
        return [one.id for one in alice.addresses] if alice else []

    def are_touched(self) -> bool:
        """Whether somebody has changed what is Alice's."""
        order = orders.find(self._order_id)
        return order is None or order.status != "pending" or self._address_id not in self._book()


def _cell(answer: Answer) -> Cell:
    if answer.status != 302:
        return answer.status
    where = urlsplit(answer.location).path
    return next((door for door in (LOG_IN, PANEL_LOG_IN, FACTOR) if reverse(door) == where), ELSEWHERE)


def prove(world: World) -> Result:
    return _compared(world)


def control(world: World) -> Result:
    """A shop in which the panel is open to whoever has a password, and another that believes in everybody: what is
    found must be in every column. And an address that nobody has declared, with the name of one that somebody has."""
    with _unlocked():
        opened = _compared(world)
    with mock.patch("adminpanel.access.has_second_factor", lambda _request: False):
        shut = _compared(world, columns=("admin",))
    urls = get_resolver()
    twin = path("healthz/everything/", lambda _request: HttpResponse("all"), name="healthz")
    with mock.patch.object(urls, "url_patterns", [*urls.url_patterns, twin]):
        forgotten = undeclared()
    parts = opened.parts | shut.parts | {"addresses": (len(ROWS), len(forgotten))}
    blind = [part for part, (_, wrong) in parts.items() if not wrong]
    wrong = opened.wrong + shut.wrong + forgotten
    return Result(f"{opened.ran}{'; blind: ' + ', '.join(blind) if blind else ''}", [] if blind else wrong, parts)


@contextmanager
def _unlocked() -> Iterator[None]:
    """Whoever comes to the panel is taken for an admin who has shown the second factor; orders open for everybody."""
    found, dana = middleware._account, people.an_admin()

    def believe(request: Any) -> User | None:
        return dana if request.path.startswith("/admin/") else found(request)

    with ExitStack() as stack:
        for what, instead in (
            ("ecokart.middleware._account", believe),
            ("adminpanel.access.has_second_factor", lambda _request: True),
            ("shop.views.orders._get_or_404", lambda _request, order_id, *, key: orders.find(order_id)),
        ):
            stack.enter_context(mock.patch(what, instead))
        yield


def _compared(world: World, *, columns: tuple[str, ...] = COLUMNS) -> Result:
    town = Town()
    parts: dict[str, tuple[int, int]] = {}
    wrong: list[str] = []
    for number, column in enumerate(columns):
        world.progress(number, len(columns))
        answers, wanted = town.answers(column), declared(column)
        found = [
            f"{method} /{route} answers {answers.get((route, method), 'nothing')} to the {column}, not {cell}"
            for (route, method), cell in wanted.items()
            if answers.get((route, method)) != cell
        ]
        parts[column] = (len(wanted), len(found))
        wrong += found
    missing = undeclared()
    cells = sum(tried for tried, _ in parts.values())
    ran = f"{cells} cells: {len(ROWS)} addresses by GET and POST, {len(columns)} kinds of people"
    return Result(ran, wrong + missing, parts | {"addresses": (len(ROWS), len(missing))})

"""Something done at a door or in the panel of which the audit log says nothing, and a trace taken away again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import pyotp
from django.test import override_settings

from inventory import accounts, audit, clock, passwords, second_factor, verification
from inventory.models import AuditEntry, Product, User, tables
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Browser

TITLE = "Traces"

_ALL_BUT_TRACES = [model for model in tables() if model is not AuditEntry]
PRODUCT = {
    "name": "N",
    "description": "D",
    "price": "1,00",
    "category": "shoes",
    "status": "draft",
    "low_stock_at": "1",
}
#: Something that somebody does, after which an event must stand in the log.
Deed = tuple[str, str, Callable[[], object]]


def attack(how_many: int) -> Cases:
    for what, event, do in [*_at_the_doors(), *_in_the_panel(), *_by_command()]:
        before = set(_entries())
        do()
        after = set(_entries())
        new = after - before
        yield what, "" if any(f'"{event}"' in entry for entry in new) else f"leaves no {event}"
        yield f"{what}: what was there before", "" if before <= after else "is changed"
    yield from _taken_away()


def _at_the_doors() -> Iterator[Deed]:
    alice = people.a_customer()
    browser = people.browser_of(alice)
    login = {"email": alice.email, "password": people.PASSWORD}
    wrong = {"email": alice.email, "password": "wrong horse 2"}
    new = {"password": "seven green frogs", "password_again": "seven green frogs"}
    person = {"name": "T", "email": f"t-{alice.email}", "password": people.PASSWORD, "password_again": people.PASSWORD}
    yield "a log-in", "login.succeeded", lambda: Browser().post("/account/login/", login)
    yield "a wrong password", "login.failed", lambda: Browser().post("/account/login/", wrong)
    yield "a wrong password at the panel", "login.failed", lambda: Browser().post("/admin/login/", wrong)
    yield "a new account", "account.created", lambda: Browser().post("/account/register/", person)
    yield (
        "another password",
        "account.password",
        lambda: browser.post("/account/password/", {"old": people.PASSWORD, **new}),
    )
    yield "a log-out everywhere", "login.ended_all", lambda: browser.post("/account/sessions/end-all/")
    yield "a log-out", "login.ended", lambda: people.browser_of(alice).post("/account/logout/")
    yield (
        "a password by mail",
        "account.reset",
        lambda: passwords.reset(alice.id, seen=passwords.state(_now(alice)), new="eight green frogs"),
    )
    yield "a confirmed address", "account.verified", lambda: _verify(people.a_customer())
    yield "another address", "account.email", lambda: _move(people.a_customer())
    asking = {"email": f"new-{alice.email}", "old": "eight green frogs"}
    yield (
        "another address asked for",
        "account.email_asked",
        lambda: people.browser_of(alice).post("/account/email/", asking),
    )
    yield (
        "a new password asked for",
        "login.reset_asked",
        lambda: Browser().post("/account/password/forgotten/", {"email": alice.email}),
    )
    yield "one session too many", "login.made_room", lambda: [people.browser_of(alice) for _ in range(11)]
    with_limits = override_settings(LIMITS=True)
    yield "guesses without end", "login.limited", with_limits(lambda: _guess("/account/login/", wrong))
    bob = people.a_customer()
    yield (
        "the end of an account",
        "account.deleted",
        lambda: people.browser_of(bob).post("/account/delete/", {"old": people.PASSWORD}),
    )


def _in_the_panel() -> Iterator[Deed]:
    dana = people.an_admin()
    factor = second_factor.begin(dana.id)
    door = people.browser_of(dana, with_factor=False)
    code = pyotp.TOTP(factor.secret).at(clock.now())
    path = "/admin/second-factor/"
    yield "a wrong code", "factor.failed", lambda: door.post(path, {"code": "no"})
    yield "the first code", "factor.set_up", lambda: door.post(path, {"code": code})
    later = pyotp.TOTP(factor.secret).at(clock.now().timestamp() + 30)
    yield (
        "the next code",
        "factor.passed",
        lambda: people.browser_of(dana, with_factor=False).post(path, {"code": later}),
    )
    yield "codes without end", "factor.limited", lambda: _guess(path, {"code": "no"}, by=_between(dana))
    panel, product = people.browser_of(dana), people.a_product()
    page = f"/admin/products/{product.id}/"
    yield "a new product", "product.created", lambda: panel.post("/admin/products/new/", PRODUCT)
    yield "another price", "product.saved", lambda: panel.post(page, {**PRODUCT, "version": _version(product)})
    yield "off the shelves", "product.saved", lambda: panel.post(f"{page}archive/", {"version": _version(product)})
    yield (
        "a delivery",
        "stock.adjusted",
        lambda: panel.post(f"/admin/stock/{product.id}/", {"change": "3", "reason": "received"}),
    )
    yield "orders taken out", "order.exported", lambda: panel.post("/admin/orders/export/", {"month": "2026-10"})
    yield from _with_accounts(panel)
    on_sale = people.a_product()
    for to, event in (("paid", "order.moved"), ("cancelled", "order.cancelled")):
        order = people.an_order(people.a_guest()[0], on_sale)
        yield (
            f"an order that becomes {to}",
            event,
            lambda order=order, to=to: panel.post(f"/admin/orders/{order.id}/status/", {"status": to}),
        )


def _with_accounts(panel: Browser) -> Iterator[Deed]:
    """What one admin does to another's account, on its page."""
    erin = people.an_admin()
    second_factor.begin(erin.id)
    page = f"/admin/accounts/{erin.id}/"
    events = {
        "reset": "factor.reset", "disable": "account.disabled", "enable": "account.enabled", "user": "account.role",
        "admin": "account.role",
    }  # fmt: skip
    for deed, event in events.items():
        yield (
            f"in the panel: {deed}",
            event,
            lambda deed=deed: panel.post(page, {"deed": deed, "seen": str(_now(erin).epoch)}),
        )


def _by_command() -> Iterator[Deed]:
    erin = people.an_admin()
    second_factor.begin(erin.id)
    by = accounts.OPERATOR
    yield "a factor taken away", "factor.reset", lambda: second_factor.reset(erin.id, by=by)
    yield "another role", "account.role", lambda: accounts.change_role(erin.id, role="user", by=by)
    yield "a disabled account", "account.disabled", lambda: accounts.disable(erin.id, by=by)
    yield "an account opened again", "account.enabled", lambda: accounts.enable(erin.id, by=by)


def _taken_away() -> Cases:
    """An admin against the log: it is there to be read."""
    panel = people.browser_of(people.an_admin())
    before = set(_entries())
    entry = AuditEntry.query(audit.this_month(), limit=1, consistent_read=True).next()
    names = {"month": entry.month, "time": entry.time, "id": entry.time, "delete": "1", "what": "login.failed"}
    for method in ("POST", "PUT", "PATCH", "DELETE", "PURGE"):
        for path in ("/admin/audit/", f"/admin/audit/{entry.time}/", "/admin/audit/delete/"):
            if method == "POST":
                panel.post(path, names)
            else:
                panel.send(method, path, query="delete=1", headers={"X-CSRFToken": panel.cookies.get("csrftoken", "")})
            yield f"{method} {path}", "" if before <= set(_entries()) else "an entry is gone"


def _guess(path: str, form: dict[str, str], *, by: Browser | None = None) -> None:
    for _ in range(7):
        (by or Browser()).post(path, form)


def _between(admin: User) -> Browser:
    """Logged in by password, before the second factor."""
    return people.browser_of(_now(admin), with_factor=False)


def _verify(user: User) -> None:
    verification.verify(user.id, user.email)


def _move(user: User) -> None:
    new = f"new-{user.email}"
    verification.ask_change(user, new, password=people.PASSWORD)
    verification.change(user.id, new)


def _version(product: Product) -> str:
    return str(Product.get(product.id, consistent_read=True).version)


def _now(user: User) -> User:
    found = accounts.find(user.id)
    assert found is not None
    return found


def _entries() -> list[str]:
    return people.everything(but=_ALL_BUT_TRACES)


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that writes nothing down."""
    with (
        mock.patch.object(audit, "write", lambda *_, **__: None),
        mock.patch.object(audit, "record", lambda *_, **__: None),
    ):
        yield

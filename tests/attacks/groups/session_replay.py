"""A cookie that somebody has copied, sent again after its session has ended: a hundred times after each way to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest import mock

from django.test import override_settings

from inventory import accounts, clock, farewell, passwords, sessions
from inventory.models import User
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Browser

TITLE = "Session replay"
REPLAYS = 100

#: Ends a session of somebody's; what it gives lasts as long as the replays.
Way = Callable[[Browser, User], AbstractContextManager[object] | None]


def _log_out(browser: Browser, owner: User) -> None:
    browser.post("/account/logout/")


def _log_out_everywhere(browser: Browser, owner: User) -> None:
    browser.post("/account/sessions/end-all/")


def _end_from_another_device(browser: Browser, owner: User) -> None:
    sid = next(one.sid for one in _as_stored(owner).sessions)
    people.browser_of(owner).post("/account/sessions/end/", {"session": sid})


def _get_a_new_password(browser: Browser, owner: User) -> None:
    passwords.change(_as_stored(owner), old=people.PASSWORD, new="seven green frogs")


def _reset_the_password(browser: Browser, owner: User) -> None:
    passwords.reset(owner.id, seen=passwords.state(_as_stored(owner)), new="seven green frogs")


def _get_disabled(browser: Browser, owner: User) -> None:
    accounts.disable(owner.id, by="attack")


def _get_another_role(browser: Browser, owner: User) -> None:
    accounts.change_role(owner.id, role="user" if owner.is_admin else "admin", by="attack")


def _delete_the_account(browser: Browser, owner: User) -> None:
    if owner.is_admin:
        # Another admin takes the role away first.
        accounts.change_role(owner.id, role="user", by="attack")
        farewell.delete(_as_stored(owner), password=people.PASSWORD)
        return
    browser.post("/account/delete/", {"old": people.PASSWORD})


def _replace_the_key(browser: Browser, owner: User) -> AbstractContextManager[object]:
    return override_settings(SECRET_KEY="another key " * 5, SECRET_KEY_FALLBACKS=[])


WAYS: dict[str, Way] = {
    "log-out": _log_out,
    "log-out everywhere": _log_out_everywhere,
    "ended from another device": _end_from_another_device,
    "a new password": _get_a_new_password,
    "a password set anew by mail": _reset_the_password,
    "disabled": _get_disabled,
    "another role": _get_another_role,
    "deleted": _delete_the_account,
    "another key": _replace_the_key,
}


def attack(how_many: int) -> Cases:
    for who, page, make in (
        ("a customer", "/account/", people.a_customer),
        ("an admin", "/admin/", people.an_admin),
    ):
        for way, end in WAYS.items():
            owner = make()
            browser = people.browser_of(owner)
            thief = browser.copy()
            if thief.copy().get(page).status != 200:
                yield f"{who}: before {way}", "the cookie opened nothing, so this proves nothing"
            with end(browser, owner) or nullcontext():
                for number in range(min(REPLAYS, how_many)):
                    answer = thief.copy().get(page)
                    yield f"{who}: {way}, replay {number}", "let in" if answer.status == 200 else ""


def _as_stored(owner: User) -> User:
    found = accounts.find(owner.id)
    assert found is not None
    return found


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that believes its cookies: each of them is good for seven days."""

    def believe(user: User, claims: sessions.Claims) -> Any:
        moment = clock.now()
        return sessions.Session(sid=claims["sid"], since=user.created_at, seen=moment, factor_at=moment)

    with mock.patch.object(sessions, "find", believe):
        yield

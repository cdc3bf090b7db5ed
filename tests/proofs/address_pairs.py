"""Every two addresses that change something, at the same moment, on the same product, cart and order; and the sweep.

What two requests do side by side has to be what they do one after the other, in one order or the other: the answers,
the stock, the carts, the orders, the movements. So each pair is first sent one after the other, both ways round, and
then side by side. The addresses are those of the URL configuration: one that takes a form and has no row here is found.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations_with_replacement, product

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation

from inventory import accounts, passwords, reservations
from inventory.errors import NoSuchAccount, NoSuchAddress, SessionEnded
from inventory.models import User
from tests.proofs import Result, World
from tests.proofs.web.customers import ADDRESS, Answer, Connection, NoAnswer, Request, Shop, Visitor, received, shop
from tests.proofs.web.scenes import CHANGED, PASSWORD, RESET, Scene

TITLE = "Every ordered pair of mutating addresses, in parallel"
WANTED = "0 anomalies"
ENGINE = "dynoxide"

GROUPS = 3
TIMES_EACH_STATE = 5
#: Pairs with a request that changes an account: how often, in one state, and how many in a small run.
TIMES_OTHERS, FEW = 1, 60
DELAYS_MILLISECONDS = (0, 0, 1, 2, 4)
#: The shop's own settings with the least work for a password: what is raced here are the writes, not bcrypt.
SETTINGS = "tests.settings"

Outcome = tuple[str, str, dict[str, object]]


@dataclass(frozen=True)
class Row:
    """A request that changes something. ``make`` builds it for a scene; the sweep is no request."""

    name: str
    address: str
    make: Callable[[Scene], Request | None]


def _product(scene: Scene, **changed: str) -> dict[str, str]:
    fields = {"name": scene.product.name, "description": "Läuft.", "price": "99,99", "category": "shoes"}
    return fields | {"status": "active", "low_stock_at": "5", "version": "1"} | changed


def _stock(scene: Scene, *, change: str, reason: str) -> Request:
    path = reverse("adminpanel:stock-detail", args=[scene.product.id])
    return scene.staff.form(path, change=change, reason=reason, form_id=uuid.uuid4().hex)


def _step(scene: Scene, status: str) -> Request:
    return scene.staff.form(reverse("adminpanel:order-status", args=[scene.order.id]), status=status)


def _cart(action: str, **fields: int) -> Callable[[Scene], Request]:
    return lambda scene: scene.guest.form(reverse(f"shop:cart-{action}"), product_id=scene.product.id, **fields)


def _own(scene: Scene, address: str, *arguments: str, **fields: str | int) -> Request:
    """What the account's owner sends."""
    return scene.customer.form(reverse(address, args=arguments), **fields)


def _book(scene: Scene, action: str, **fields: str) -> Request:
    """Something with the second address of the account's book."""
    return _own(scene, f"shop:address-{action}", scene.address_ids[1], **fields)


def _code(scene: Scene) -> Request:
    visitor, code = scene.candidate
    return visitor.form(reverse("adminpanel:second-factor"), code=code)


def _deed(scene: Scene, deed: str) -> Request:
    """What an admin does to the account, whose address is confirmed."""
    seen = scene.confirmed.epoch
    return scene.staff.form(reverse("adminpanel:account-detail", args=[scene.account.id]), deed=deed, seen=seen)


SALES = (
    Row("language", "set_language", lambda scene: scene.guest.form(reverse("set_language"), language="en")),
    Row("add", "shop:cart-add", _cart("add", quantity=1)),
    Row("three", "shop:cart-update", _cart("update", quantity=3)),
    Row("remove", "shop:cart-remove", _cart("remove", quantity=2)),
    Row("extend", "shop:cart-extend", _cart("extend")),
    Row("reserve", "shop:cart-reserve", _cart("reserve")),
    Row(
        "check out",
        "shop:checkout",
        lambda scene: scene.guest.form(reverse("shop:checkout"), checkout_token=scene.token, **ADDRESS),
    ),
    Row(
        "cancel",
        "shop:order-cancel",
        lambda scene: scene.guest.form(reverse("shop:order-cancel", args=[scene.order.id]), key=scene.order_key),
    ),
    Row(
        "register",
        "shop:register",
        lambda scene: scene.guest.form(
            reverse("shop:register"), name="Alice", email=scene.new_email, password=PASSWORD, password_again=PASSWORD
        ),
    ),
    Row(
        "log in",
        "shop:login",
        lambda scene: scene.guest.form(reverse("shop:login"), email=scene.account.email, password=PASSWORD),
    ),
    Row("log out", "shop:logout", lambda scene: scene.guest.form(reverse("shop:logout"))),
    Row(
        "admin: log in",
        "adminpanel:login",
        lambda scene: scene.guest.form(reverse("adminpanel:login"), email=scene.admin.email, password=PASSWORD),
    ),
    Row("admin: log out", "adminpanel:logout", lambda scene: scene.staff.form(reverse("adminpanel:logout"))),
    Row(
        "admin: new product",
        "adminpanel:product-new",
        lambda scene: scene.staff.form(reverse("adminpanel:product-new"), **_product(scene)),
    ),
    Row(
        "admin: lower the price",
        "adminpanel:product-detail",
        lambda scene: scene.staff.form(
            reverse("adminpanel:product-detail", args=[scene.product.id]), **_product(scene, price="89,99")
        ),
    ),
    Row(
        "admin: archive",
        "adminpanel:product-archive",
        lambda scene: scene.staff.form(reverse("adminpanel:product-archive", args=[scene.product.id]), version=1),
    ),
    Row("admin: receive", "adminpanel:stock-detail", lambda scene: _stock(scene, change="3", reason="received")),
    Row("admin: damaged", "adminpanel:stock-detail", lambda scene: _stock(scene, change="-2", reason="damaged")),
    Row("admin: paid", "adminpanel:order-status", lambda scene: _step(scene, "paid")),
    Row("admin: cancel", "adminpanel:order-status", lambda scene: _step(scene, "cancelled")),
    Row("sweep", "", lambda scene: None),
)
#: What changes an account. Pairs with one of these meet less often: most have nothing in common.
ACCOUNTS = (
    Row(
        "customer: add",
        "shop:cart-add",
        lambda scene: _own(scene, "shop:cart-add", product_id=scene.product.id, quantity=1),
    ),
    Row(
        "customer: check out",
        "shop:checkout",
        lambda scene: _own(scene, "shop:checkout", checkout_token=scene.customers_token, **ADDRESS),
    ),
    Row("customer: log out", "shop:logout", lambda scene: _own(scene, "shop:logout")),
    Row(
        "verify",
        "shop:verify",
        lambda scene: scene.guest.form(
            reverse("shop:verify"), key=scene.mail_key("verify", scene.account.id, scene.account.email)
        ),
    ),
    Row("verify again", "shop:verify-again", lambda scene: _own(scene, "shop:verify-again")),
    Row(
        "change the password",
        "shop:password-change",
        lambda scene: _own(scene, "shop:password-change", old=PASSWORD, password=CHANGED, password_again=CHANGED),
    ),
    Row(
        "forget the password",
        "shop:password-forgotten",
        lambda scene: scene.guest.form(reverse("shop:password-forgotten"), email=scene.account.email),
    ),
    Row(
        "reset the password",
        "shop:password-reset",
        lambda scene: scene.guest.form(
            reverse("shop:password-reset"),
            key=scene.mail_key("reset", scene.account.id, passwords.state(scene.account)),
            password=RESET,
            password_again=RESET,
        ),
    ),
    Row(
        "ask for another address",
        "shop:email-change",
        lambda scene: _own(scene, "shop:email-change", email=f"other-{scene.account.email}", old=PASSWORD),
    ),
    Row(
        "confirm another address",
        "shop:email-confirm",
        lambda scene: scene.guest.form(
            reverse("shop:email-confirm"), key=scene.mail_key("email", scene.account.id, scene.moving_to)
        ),
    ),
    Row("address: new", "shop:address-new", lambda scene: _own(scene, "shop:address-new", **ADDRESS)),
    Row("address: edit", "shop:address-edit", lambda scene: _book(scene, "edit", **ADDRESS | {"street": "Drei 3"})),
    Row("address: default", "shop:address-default", lambda scene: _book(scene, "default")),
    Row("address: remove", "shop:address-remove", lambda scene: _book(scene, "remove")),
    Row(
        "end a session", "shop:session-end", lambda scene: _own(scene, "shop:session-end", session=scene.other_session)
    ),
    Row("end all sessions", "shop:session-end-all", lambda scene: _own(scene, "shop:session-end-all")),
    Row("delete the account", "shop:account-delete", lambda scene: _own(scene, "shop:account-delete", old=PASSWORD)),
    Row("admin: second factor", "adminpanel:second-factor", _code),
    Row("admin: make an admin", "adminpanel:account-detail", lambda scene: _deed(scene, "admin")),
    Row("admin: disable", "adminpanel:account-detail", lambda scene: _deed(scene, "disable")),
    Row(
        "admin: find an account",
        "adminpanel:account-find",
        lambda scene: scene.staff.form(reverse("adminpanel:account-find"), email=scene.account.email),
    ),
    Row(
        "admin: export",
        "adminpanel:order-export",
        lambda scene: scene.staff.form(reverse("adminpanel:order-export"), month="2026-01"),
    ),
)
ROWS = SALES + ACCOUNTS
_DELETION = "delete the account"
# Of the control: what changes a cart, and only the cart's version keeps apart.
_CART_ROWS = tuple(row for row in ROWS if row.name in {"add", "three", "remove", "extend", "check out"})


def prove(world: World) -> Result:
    times = TIMES_EACH_STATE if world.full else 1
    found = _run(world, ROWS, application="ecokart.wsgi", times=times)
    return Result(found.ran, found.without_row + found.wrong)


def control(world: World) -> Result:
    """The same in a shop that does not ask whether a cart is still the one that it has read, and with rows missing."""
    found = _run(world, _CART_ROWS, application="tests.integration.versionless_wsgi", times=3)
    # Alone its requests do the right thing: what is found wrong has to come from their running side by side.
    alone = [sentence for sentence in found.wrong if " and then " in sentence]
    return Result(found.ran, [] if alone or not found.without_row else found.wrong)


@dataclass(frozen=True)
class Found:
    """What a run came to: addresses that take a form and have no row, and what was wrong with those that have."""

    ran: str
    without_row: list[str]
    wrong: list[str]


@dataclass(frozen=True)
class Pair:
    """Two rows in one kind of scene; ``delays`` are those with which the second follows the first, in milliseconds."""

    first: Row
    second: Row
    is_lapsed: bool
    delays: tuple[int, ...]


def _run(world: World, rows: Sequence[Row], *, application: str, times: int) -> Found:
    pairs = list(_pairs(world, rows, times))
    done, lock = [0], threading.Lock()

    def group(number: int) -> list[str]:
        found = []
        # An admin for each group: when one logs out, nobody else's session ends.
        with Stage(open_shop, staff[number]) as stage:
            for pair in pairs[number::GROUPS]:
                found += stage.try_out(pair)
                with lock:
                    done[0] += 1
                    world.progress(done[0], len(pairs))
        return found

    emails = [f"dana-{number}@example.com" for number in range(GROUPS)]
    staff = [accounts.create_admin(email=email, password=PASSWORD, name="Dana") for email in emails]
    strict = replace(world, environment=world.environment | {"ADMIN_SECOND_FACTOR": "1"})
    with shop(strict, application, settings=SETTINGS) as open_shop, ThreadPoolExecutor(GROUPS) as pool:
        without_row = list(_without_row(rows, Scene(open_shop, staff[0], is_lapsed=False), open_shop, staff[0]))
        wrong = [sentence for found in pool.map(group, range(GROUPS)) for sentence in found]
    tries = sum(len(pair.delays) * (2 - (pair.first is pair.second)) for pair in pairs)
    met = sum(
        2 - (one.first is one.second) for one in {(pair.first.name, pair.second.name): pair for pair in pairs}.values()
    )
    ran = f"{met} ordered pairs of {len(rows)} requests, {tries:,} times side by side"
    return Found(ran, without_row, wrong)


def _pairs(world: World, rows: Sequence[Row], times: int) -> Iterator[Pair]:
    """All pairs of what sells, and of the rest all in both states or, in a small run, some in one."""
    chance = random.Random(world.seed)
    pairs = list(combinations_with_replacement(rows, 2))
    others = [pair for pair in pairs if not set(pair) <= set(SALES)]
    left_out = set() if world.full else set(chance.sample(others, max(0, len(others) - FEW)))
    for first, second in pairs:
        is_other, is_sweep = (first, second) in others, "sweep" in (first.name, second.name)
        # A sweep finds something to do only where something has lapsed.
        states = (True, False) if world.full and not is_other else (chance.random() < 0.5 or is_sweep,)
        for is_lapsed in () if (first, second) in left_out else states:
            tries = min(times, TIMES_OTHERS) if is_other else times
            yield Pair(first, second, is_lapsed, tuple(chance.choice(DELAYS_MILLISECONDS) for _ in range(tries)))


class Stage:
    """Two connections and a sweeper, with which pairs are tried out."""

    def __init__(self, open_shop: Shop, staff: User) -> None:
        self._shop, self._staff, self._stack = open_shop, staff, ExitStack()

    def __enter__(self) -> Stage:
        self._lines = [self._stack.enter_context(Connection(self._shop)) for _ in range(2)]
        self._sweepers = self._stack.enter_context(ThreadPoolExecutor(2))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def try_out(self, pair: Pair) -> Iterator[str]:
        """Both one after the other, then side by side, both ways round; says what was different, or broken anyway."""
        allowed: list[Outcome] = []
        yield from self._alone(pair, allowed, turned=False)
        for delay, turned in product(pair.delays, (False, True)[: 1 if pair.first is pair.second else 2]):
            outcome, broken = self._meet(pair, turned=turned, delay=delay)
            if outcome not in allowed and len(allowed) == 1 and pair.first is not pair.second:
                # Only now, since most pairs come to the same whichever is first.
                yield from self._alone(pair, allowed, turned=True)
                allowed += _let_in(pair, allowed)
            for number, row in enumerate((pair.first, pair.second)):
                if outcome not in allowed and _was_refused(row, outcome[number]):
                    yield from self._alone(pair, allowed, turned=False, left_out=number, said=outcome[number])
            if outcome not in allowed:
                broken.append(f"came to {outcome}; one after the other they come to {allowed}")
            yield from (self._sentence(pair, turned, delay, what) for what in broken)

    def _alone(
        self, pair: Pair, allowed: list[Outcome], *, turned: bool, left_out: int | None = None, said: str = ""
    ) -> Iterator[str]:
        """What the two come to one after the other, or one without the other, goes into ``allowed``.

        The other has ``said`` why it was refused, and only with these words such an outcome is good.
        """
        outcome, broken = self._meet(pair, turned=turned, delay=None, left_out=left_out, said=said)
        first, second, state = outcome
        allowed.append(outcome)
        if pair.first is pair.second and left_out is None:
            # The same twice may also be answered twice as once.
            allowed += [(second, first, state), (first, first, state)]
        yield from (self._sentence(pair, turned, None, what) for what in broken)

    def _meet(
        self, pair: Pair, *, turned: bool, delay: int | None, left_out: int | None = None, said: str = ""
    ) -> tuple[Outcome, list[str]]:
        """Let the two requests meet in a new scene; ``delay`` is None for one after the other.

        The one that is ``left_out`` is not sent, though the scene is ready for it; what it ``said`` is its answer.
        """
        scene = Scene(self._shop, self._staff, is_lapsed=pair.is_lapsed)
        requests = [pair.first.make(scene), pair.second.make(scene)]
        answers: list[Answer | NoAnswer | None] = [None, None]
        waiting: list[tuple[int, Callable[[], Answer | NoAnswer | None]]] = []
        for number in (1, 0) if turned else (0, 1):
            if number == left_out:
                continue
            wait = self._start(scene, requests[number], self._lines[number])
            if delay is None:
                answers[number] = wait()
            else:
                waiting.append((number, wait))
                time.sleep(delay / 1000 if len(waiting) == 1 else 0)
        for number, wait in waiting:
            answers[number] = wait()
        for answer in answers:
            scene.meet_again(answer)
        state, broken = scene.look()
        scene.clear()
        first, second = (said if number == left_out else scene.words(answers[number]) for number in (0, 1))
        broken += [f"answered {words}" for words in (first, second) if words[0] == "5" or words.startswith("no answer")]
        return (first, second, state), broken

    def _start(self, scene: Scene, request: Request | None, line: Connection) -> Callable[[], Answer | NoAnswer | None]:
        """Begin one of the two; gives a way to wait for its answer."""
        if request is None:
            swept = self._sweepers.submit(reservations.release_expired, missing={scene.product.id: 99})

            def end() -> None:
                swept.result()

            return end
        try:
            line.send(request)
        except NoAnswer as failed:
            lost = failed
            return lambda: lost
        return partial(received, line)

    def _sentence(self, pair: Pair, turned: bool, delay: int | None, what: str) -> str:
        first, second = (pair.second, pair.first) if turned else (pair.first, pair.second)
        how = "and then" if delay is None else f"and {delay} ms later"
        return f"{first.name} {how} {second.name} ({'lapsed' if pair.is_lapsed else 'held'} carts): {what}"


def _let_in(pair: Pair, allowed: Sequence[Outcome]) -> Iterator[Outcome]:
    """Who deletes an account was let in before the other request ended the session, and goes on to the end.

    That is so only where the deletion is refused when it comes second: whatever else met it was before or after.
    """
    (first, second_late, one), (first_late, second, other) = allowed
    if pair.first.name == _DELETION and first_late != first:
        yield first, second, one
    if pair.second.name == _DELETION and second_late != second:
        yield first, second, other


def _was_refused(row: Row, words: str) -> bool:
    """Whether a request was told that it cannot be: nothing may have come of it then.

    Of those that sell this is asked only where an account went away under them. What else they refuse while somebody is
    faster has to be what they refuse afterwards.
    """
    with translation.override("de"):
        is_overtaken = any(str(error.says) in words for error in (SessionEnded, NoSuchAccount, NoSuchAddress))
    return is_overtaken or (row in ACCOUNTS and not row.name.startswith("customer: ") and words[0] == "4")


# Addresses without a row


def _without_row(rows: Sequence[Row], scene: Scene, open_shop: Shop, staff: User) -> Iterator[str]:
    """Send an empty form to every address: each that does not refuse it as a form has to have a row."""
    listed = {row.address for row in rows}
    known = {"product_id": scene.product.id, "order_id": scene.order.id, "slug": "imprint", "digest": "any"}
    known["address_id"] = known["account_id"] = "any"
    with Connection(open_shop) as line:
        for name, arguments in _addresses(get_resolver(), ""):
            if not arguments <= known.keys():
                yield f"{name} takes {arguments - known.keys()}, which this proof does not know"
                continue
            path = reverse(name, kwargs={argument: known[argument] for argument in arguments})
            # Logged in anew for each: some of them end the session.
            answer = line.ask(Visitor(open_shop, owner_id=staff.id).form(path))
            if answer.status != 405 and name not in listed:
                yield f"{name} ({path}) answers a form with {answer.status} and has no row"


def _addresses(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, set[str]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}", set(entry.pattern.converters)
        else:
            yield from _addresses(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)

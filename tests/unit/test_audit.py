"""The audit log: every admin change and every log-in is in it, written with it, and found again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from inventory import (
    accounts,
    audit,
    checkout,
    clock,
    farewell,
    orders,
    passwords,
    products,
    reservations,
    sessions,
    stock,
    verification,
)
from inventory.errors import Busy, InventoryError, NoSuchAccount, StockTooLow, Unsure, WrongPassword
from inventory.models import AuditEntry, Order, Product, User
from tests.unit import wire
from tests.unit.conftest import PASSWORD

ADMIN = "dana@example.com"


@pytest.fixture(autouse=True)
def _no_waiting(pauses: list[float]) -> None:
    """Second tries follow at once."""


@pytest.fixture
def order(product: Product, contact: checkout.Contact) -> Order:
    cart = reservations.reserve("guest-1", product.id, quantity=1)
    return checkout.place_order("guest-1", token=str(cart.order_id), contact=contact)


def told(**question: str) -> list[tuple[str, str, str | None]]:
    """Actor, event and target of what is found, newest first."""
    return [(one.actor, one.what, one.target) for one in audit.look(**question).entries]


def changes(**question: str) -> list[tuple[str, str, str]]:
    """What the newest entry says before and after."""
    return [(one.field, one.before, one.after) for one in audit.look(**question).entries[0].changes]


# What admins do


def test_a_saved_product_says_what_it_was_and_what_it_is(product: Product) -> None:
    products.save(product.id, version=1, by=ADMIN, price_cents=8999, name_en="Running shoe", sku=product.sku)

    target = f"product#{product.id}"
    assert told() == [(ADMIN, "product.saved", target)]
    assert sorted(changes()) == [
        ("price_cents", "99.99", "89.99"),
        ("translations", "", '{"en": {"M": {"name": {"S": "Running shoe"}}}}'),
    ]


def test_a_save_that_changes_nothing_is_no_entry(product: Product) -> None:
    products.save(product.id, version=1, by=ADMIN, name=product.name)

    assert told() == []


def test_a_created_and_an_archived_product_are_two_entries() -> None:
    product = products.create(by=ADMIN, name="Hat")

    products.archive(product.id, version=1, by=ADMIN)

    target = f"product#{product.id}"
    assert told() == [(ADMIN, "product.saved", target), (ADMIN, "product.created", target)]
    assert changes() == [("status", "active", "archived")]


def test_a_created_product_says_all_that_it_begins_with() -> None:
    products.create(by=ADMIN, name="Hat", price_cents=1_999, sku="EK-7", status="draft", name_en="Cap")

    said = {field: after for field, before, after in changes() if before == ""}
    assert len(said) == len(changes())
    assert (said["name"], said["price_cents"], said["sku"], said["status"]) == ("Hat", "19.99", "EK-7", "draft")
    assert "Cap" in said["translations"]


def test_a_stock_change_says_from_how_many_to_how_many_and_why(product: Product) -> None:
    stock.adjust(product.id, by=-2, reason="damaged", note="rain", who=ADMIN)

    assert told() == [(ADMIN, "stock.adjusted", f"product#{product.id}")]
    assert changes() == [("stock", "10", "8")]
    assert audit.look().entries[0].note == "damaged: rain"


@pytest.mark.parametrize(("by", "reason", "after"), [(5, "received", "14"), (-2, "damaged", "7")])
def test_a_stock_change_says_what_was_there_also_when_a_sale_was_faster(
    product: Product, contact: checkout.Contact, by: int, reason: str, after: str
) -> None:
    cart = reservations.reserve("guest-1", product.id, quantity=1)

    def a_sale() -> None:
        checkout.place_order("guest-1", token=str(cart.order_id), contact=contact)

    with wire.just_before("TransactWriteItems", a_sale):
        stock.adjust(product.id, by=by, reason=reason, note="", who=ADMIN)

    assert changes() == [("stock", "9", after)]
    assert Product.get(product.id, consistent_read=True).stock == int(after)


def test_an_orders_steps_say_from_where_to_where(order: Order) -> None:
    orders.advance(order, to="paid", by=ADMIN)
    orders.cancel(order, by=ADMIN, note="out of size", by_staff=True)

    target = f"order#{order.id}"
    assert told() == [(ADMIN, "order.cancelled", target), (ADMIN, "order.moved", target)]
    assert changes() == [("status", "paid", "cancelled")]


def test_what_a_customer_does_with_an_order_is_in_its_history_and_not_here(order: Order) -> None:
    orders.cancel(order, by="alice@example.com")

    assert told() == []


def test_who_may_come_in_and_who_said_so(alice: User) -> None:
    accounts.change_role(alice.id, role="admin", by=ADMIN)
    accounts.disable(alice.id, by=ADMIN)
    accounts.enable(alice.id, by=ADMIN)

    target = f"account#{alice.id}"
    assert told(target=target) == [
        (ADMIN, "account.enabled", target),
        (ADMIN, "account.disabled", target),
        (ADMIN, "account.role", target),
        (alice.id, "account.created", target),
    ]
    said = [
        [(one.field, one.before, one.after) for one in entry.changes] for entry in audit.look(target=target).entries
    ]
    assert said == [
        [("disabled", "yes", "no")],
        [("disabled", "no", "yes")],
        [("role", "user", "admin")],
        [("role", "", "user")],
    ]


@pytest.mark.parametrize(
    "again",
    [
        lambda one: accounts.enable(one, by=ADMIN),
        lambda one: accounts.change_role(one, role="user", by=ADMIN),
    ],
)
def test_what_is_so_already_is_no_entry_and_ends_no_session(alice: User, again: Callable[[str], None]) -> None:
    claims = sessions.begin(alice, kind="shop", device="")
    before = told()

    again(alice.id)

    assert told() == before
    assert sessions.account(claims)


def test_a_disabled_account_cannot_be_disabled_twice(alice: User) -> None:
    accounts.disable(alice.id, by=ADMIN)
    before = told()

    accounts.disable(alice.id, by=ADMIN)

    assert told() == before


# Log-ins


def test_log_ins_and_log_outs_are_told_by_id_for_customers_and_by_address_for_admins(alice: User, dana: User) -> None:
    claims = sessions.begin(alice, kind="shop", device="Firefox, Windows")
    sessions.end(alice.id, str(claims["sid"]))
    sessions.begin(dana, kind="admin", device="")
    sessions.end_all(dana.id)

    assert told(group="login") == [
        (ADMIN, "login.ended_all", f"account#{dana.id}"),
        (ADMIN, "login.succeeded", f"account#{dana.id}"),
        (alice.id, "login.ended", f"account#{alice.id}"),
        (alice.id, "login.succeeded", f"account#{alice.id}"),
    ]
    assert "Firefox, Windows" in audit.look(actor=alice.id, group="login").entries[1].note


def test_a_failed_log_in_is_told_with_a_masked_address_and_whose_account_it_is(alice: User) -> None:
    accounts.authenticate("nobody@example.com", "wrong horse 9")
    accounts.authenticate("Alice@example.com", "wrong horse 9")

    assert told(group="login") == [
        ("a…@example.com", "login.failed", f"account#{alice.id}"),
        ("n…@example.com", "login.failed", "address#n…@example.com"),
    ]


def test_a_wrong_password_at_the_owners_own_pages_is_a_failed_log_in(alice: User) -> None:
    with pytest.raises(WrongPassword):
        accounts.prove(alice, "wrong horse 9")

    assert told(group="login") == [("a…@example.com", "login.failed", f"account#{alice.id}")]


def test_a_failed_log_in_takes_the_same_calls_for_known_and_unknown_addresses(alice: User) -> None:
    """Else the time would tell who has an account."""
    calls = []
    for email in (alice.email, "nobody@example.com"):
        with wire.heard() as heard:
            accounts.authenticate(email, "wrong horse 9")
        calls.append([operation for operation, _ in heard])

    assert calls[0] == calls[1] == ["GetItem", "GetItem", "TransactWriteItems"]


def test_a_log_in_to_a_disabled_account_is_a_failed_one(alice: User) -> None:
    accounts.disable(alice.id, by=ADMIN)

    assert accounts.authenticate("alice@example.com", PASSWORD) is None
    assert told(group="login") == [("a…@example.com", "login.failed", f"account#{alice.id}")]


def test_the_session_that_made_room_for_an_eleventh_is_told(alice: User, later: Callable[..., None]) -> None:
    for number in range(sessions.MOST + 1):
        assert "login.made_room" not in [what for _, what, _ in told(group="login")]
        sessions.begin(alice, kind="shop", device=f"Firefox {number}")
        later(minutes=1)

    (entry,) = [one for one in audit.look(group="login").entries if one.what == "login.made_room"]
    assert (entry.actor, entry.target, entry.note) == (alice.id, f"account#{alice.id}", "shop · Firefox 0")


def test_sessions_that_had_ended_by_themselves_made_no_room(dana: User, later: Callable[..., None]) -> None:
    for _ in range(sessions.MOST):
        sessions.begin(dana, kind="admin", device="")
    later(hours=3)

    sessions.begin(dana, kind="admin", device="")

    assert {what for _, what, _ in told(group="login")} == {"login.succeeded"}


def test_who_asks_for_a_new_password_is_told_the_same_whether_there_is_an_account(alice: User) -> None:
    passwords.ask_reset("Nobody@example.com")
    passwords.ask_reset("alice@example.com")

    assert told(group="login") == [
        ("a…@example.com", "login.reset_asked", f"account#{alice.id}"),
        ("n…@example.com", "login.reset_asked", "address#n…@example.com"),
    ]


def test_a_reset_whose_answer_is_lost_is_asked_for_once(alice: User) -> None:
    with wire.losing_answers():
        passwords.ask_reset("alice@example.com")

    assert len(told(group="login")) == 1


@pytest.mark.parametrize("address", ["adler@example.com", "bob@example.com"])
def test_who_asks_for_another_address_is_told_with_both_masked(alice: User, bob: User, address: str) -> None:
    verification.ask_change(alice, address, password=PASSWORD)

    assert told()[0] == (alice.id, "account.email_asked", f"account#{alice.id}")
    assert changes() == [("email", "a…@example.com", f"{address[0]}…@example.com")]


def test_a_session_in_use_writes_no_entries(alice: User, later: Callable[..., None]) -> None:
    claims = sessions.begin(alice, kind="shop", device="")
    later(minutes=6)

    sessions.account(claims)

    assert len(told(group="login")) == 1


@pytest.mark.parametrize("trouble", [wire.losing_requests, lambda: wire.cancelling("TransactionConflict")])
def test_a_failed_log_in_is_refused_even_where_it_cannot_be_written_down(
    alice: User, trouble: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    with trouble():
        assert accounts.authenticate("alice@example.com", "wrong horse 9") is None

    assert told(group="login") == []
    assert "login.failed" in caplog.text


def test_what_an_owner_does_with_the_account_is_told(alice: User) -> None:
    passwords.change(alice, old=PASSWORD, new="seven green frogs")
    verification.verify(alice.id, "alice@example.com")
    verification.ask_change(alice, "adler@example.com", password="seven green frogs")
    changed = verification.change(alice.id, "adler@example.com")
    passwords.reset(alice.id, seen=passwords.state(changed), new="eight green frogs")
    farewell.delete(changed, password="eight green frogs")

    target = f"account#{alice.id}"
    assert told(target=target, group="account") == [
        (alice.id, "account.deleted", target),
        (alice.id, "account.reset", target),
        (alice.id, "account.email", target),
        (alice.id, "account.email_asked", target),
        (alice.id, "account.verified", target),
        (alice.id, "account.password", target),
        (alice.id, "account.created", target),
    ]
    (change,) = audit.look(target=target, group="account").entries[2].changes
    assert (change.field, change.before, change.after) == ("email", "a…@example.com", "a…@example.com")


def test_an_operators_doing_is_told_as_that() -> None:
    user = accounts.create(email="c@example.com", password=PASSWORD, name="Charlie")

    assert told() == [(accounts.OPERATOR, "account.created", f"account#{user.id}")]


# With what it tells about, or not at all


@pytest.mark.parametrize(
    "change",
    [
        lambda product: stock.adjust(product.id, by=3, reason="received", note="", who=ADMIN),
        lambda product: products.save(product.id, version=1, by=ADMIN, name="Hat"),
        lambda product: products.create(by=ADMIN, name="Hat"),
    ],
)
def test_without_the_change_there_is_no_entry_and_without_the_entry_no_change(
    product: Product, change: Callable[[Product], object]
) -> None:
    before = len(list(Product.scan()))

    with wire.losing_requests(times=99), pytest.raises((Busy, Unsure)):
        change(product)

    assert told() == []
    after = Product.get(product.id, consistent_read=True)
    assert (after.stock, after.version, len(list(Product.scan()))) == (product.stock, 1, before)


def test_a_refused_change_is_no_entry(product: Product) -> None:
    with pytest.raises(StockTooLow):
        stock.adjust(product.id, by=-99, reason="damaged", note="", who=ADMIN)
    with pytest.raises(InventoryError):
        products.save(product.id, version=7, by=ADMIN, name="Hat")
    with pytest.raises(NoSuchAccount):
        accounts.disable("nobody", by=ADMIN)

    assert told() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda product, order: stock.adjust(product.id, by=3, reason="received", note="", who=ADMIN),
        lambda product, order: products.save(product.id, version=1, by=ADMIN, name="Hat"),
        lambda product, order: orders.advance(order, to="paid", by=ADMIN),
    ],
)
def test_a_change_whose_answer_is_lost_is_one_entry(
    product: Product, order: Order, change: Callable[[Product, Order], object]
) -> None:
    with wire.losing_answers():
        change(product, order)

    assert len(told()) == 1


# Who is refused again and again does not fill it


def test_an_event_is_the_first_of_its_kind_once_in_a_window(later: Callable[..., None]) -> None:
    with time_machine.travel("2026-11-27T12:00:00+00:00"):
        asked = [audit.is_first("login.limited", who, seconds=900) for who in ("one", "one", "another", "one")]
    with time_machine.travel("2026-11-27T12:15:00+00:00"):
        asked.append(audit.is_first("login.limited", "one", seconds=900))

    assert asked == [True, False, True, False, True]


def test_where_nobody_can_tell_whether_it_is_the_first_a_line_in_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with wire.losing_requests("UpdateItem", times=99):
        assert not audit.is_first("login.limited", "one", seconds=900)

    assert "login.limited" in caplog.text


# Looking


def fill(number: int, *, actor: str = ADMIN, target: str = "product#1", what: str = "product.saved") -> None:
    for _ in range(number):
        audit.record(what, by=actor, target=target)


@pytest.mark.parametrize("question", [{}, {"actor": ADMIN}, {"target": "product#1"}, {"group": "product"}])
@pytest.mark.parametrize("number", [0, 1, 3, 4, 7, 9])
def test_every_entry_is_on_one_page(question: dict[str, str], number: int) -> None:
    fill(number)
    fill(2, actor="somebody", target="order#2", what="order.moved")

    found, older = [], ""
    while True:
        page = audit.look(**question, before=older, limit=3)
        found += [entry.time for entry in page.entries]
        if page.older is None:
            break
        older = page.older

    assert len(found) == len(set(found)) == number + (0 if question else 2)
    assert found == sorted(found, reverse=True)


def test_it_is_asked_by_month(later: Callable[..., None]) -> None:
    fill(1)
    month = audit.this_month()
    later(days=31)
    fill(2, actor="somebody")

    assert [len(told(**question)) for question in ({}, {"month": month}, {"actor": ADMIN, "month": month})] == [2, 1, 1]
    assert told(actor=ADMIN) == [(ADMIN, "product.saved", "product#1")]
    assert told(actor=ADMIN, month=audit.this_month()) == []
    first = audit.look(month=month).entries[0].time
    assert told(actor=ADMIN, month=month, before=f"{first}~") == [(ADMIN, "product.saved", "product#1")]


def test_who_and_what_it_is_about_may_be_asked_together() -> None:
    fill(1)
    fill(1, actor="somebody")
    fill(1, target="product#2")

    assert told(actor=ADMIN, target="product#1") == [(ADMIN, "product.saved", "product#1")]


def test_the_months_before() -> None:
    assert [audit.month_before(month) for month in ("2026-11", "2026-01", "2024-03")] == [
        "2026-10",
        "2025-12",
        "2024-02",
    ]


def test_no_look_scans() -> None:
    fill(1)

    with wire.heard() as calls:
        for question in ({}, {"actor": ADMIN}, {"target": "product#1"}, {"group": "login"}):
            told(**question)

    assert {name for name, _ in calls} == {"Query"}


# What is kept, and how long


def test_log_ins_are_kept_for_half_a_year_and_changes_for_three() -> None:
    fill(1)
    audit.record("login.failed", by="a…@example.com")

    login, change = (entry.delete_at - clock.now() for entry in audit.look().entries)
    assert timedelta(days=179) < login < timedelta(days=181)
    assert timedelta(days=1094) < change < timedelta(days=1096)


@pytest.mark.parametrize(
    ("email", "masked"),
    [("Alice@Example.com ", "a…@example.com"), ("a@b.c", "a…@b.c"), ("", "…@"), ("no address", "…@no address")],
)
def test_a_masked_address_is_recognised_by_its_owner_only(email: str, masked: str) -> None:
    assert audit.masked(email) == masked


def test_long_texts_are_cut(product: Product) -> None:
    products.save(product.id, version=1, by=ADMIN, description="x" * 5_000)

    ((_, _, after),) = changes()
    assert len(after) == 500
    assert after.endswith("…")


def test_an_event_of_a_later_version_is_shown_by_its_name() -> None:
    assert AuditEntry(what="moon.landed").label == "moon.landed"


def test_an_entry_knows_when_it_happened(product: Product) -> None:
    """Its key has more than a time in it, so that two of one moment are two."""
    at = clock.now().replace(microsecond=250_000) + timedelta(minutes=1)
    with time_machine.travel(at, tick=False):
        products.save(product.id, version=1, by=ADMIN, description="Neu")

    assert audit.look(actor=ADMIN).entries[0].at == at


def test_every_event_has_a_group() -> None:
    assert {event.partition(".")[0] for event in AuditEntry.EVENTS} == set(audit.GROUPS)

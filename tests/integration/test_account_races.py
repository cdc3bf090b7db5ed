"""Races for addresses, passwords and mails on a real server, in threads. Each begins with its control."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from inventory import accounts, addresses, dynamodb, farewell, mails, passwords, reservations, staff, verification
from inventory.errors import (
    AccountChanged,
    Busy,
    EmailTaken,
    InventoryError,
    LinkUsed,
    NoSuchAccount,
    SessionEnded,
    WrongPassword,
)
from inventory.models import EmailGuard, Mail, Product, User
from tests.integration.test_races import assert_promises, race, won

RUNNERS = 6
PASSWORD = "correct horse 1"


@pytest.fixture
def email() -> str:
    """An address that nobody has."""
    return f"race-{uuid.uuid4().hex}@example.com"


@pytest.fixture
def customers() -> list[User]:
    return [
        accounts.create(email=f"customer-{uuid.uuid4().hex}@example.com", password=PASSWORD, name=f"Customer {number}")
        for number in range(RUNNERS)
    ]


def now(user: User) -> User:
    found = accounts.find(user.id)
    assert found is not None
    return found


def with_address(email: str) -> list[str]:
    """Every account that says that this address is its own."""
    return [user.id for user in User.scan(User.email == email, consistent_read=True)]


class Together:
    """Lets so many threads wait for each other between their look and their write, as bad luck would."""

    def __init__(self, runners: int = RUNNERS) -> None:
        self.meet = threading.Barrier(runners)

    def __call__(self) -> None:
        self.meet.wait(timeout=30)


# One address, one account


def test_the_race_for_an_address_is_real(email: str) -> None:
    """If whoever looks first and writes then does not open several accounts here, the tests below prove nothing."""
    together = Together()

    def naive(number: int) -> bool:
        if accounts.find_by_email(email) is not None:
            raise EmailTaken
        together()
        user = User(str(uuid.uuid4()), email=email, password="", name=str(number))
        EmailGuard(EmailGuard.key(email), user_id=user.id).save()
        user.save()
        return True

    assert len(won(race(naive, runners=RUNNERS))) > 1
    assert len(with_address(email)) > 1


def test_of_many_who_register_one_address_one_gets_it(email: str) -> None:
    results = race(lambda _: accounts.register(email=email, password=PASSWORD, name="R").id, runners=RUNNERS)

    assert with_address(email) == won(results)
    assert {type(result) for result in results} <= {str, EmailTaken, Busy}


def test_the_race_for_a_new_address_is_real(email: str, customers: list[User]) -> None:
    together = Together()

    def naive(number: int) -> bool:
        if accounts.find_by_email(email) is not None:
            raise EmailTaken
        together()
        EmailGuard(EmailGuard.key(email), user_id=customers[number].id).save()
        customers[number].update([User.email.set(email)])
        return True

    race(naive, runners=RUNNERS)

    assert len(with_address(email)) > 1


def test_of_many_who_change_to_one_address_one_gets_it(email: str, customers: list[User]) -> None:
    for user in customers:
        verification.ask_change(user, email, password=PASSWORD)

    results = race(lambda number: verification.change(customers[number].id, email).id, runners=RUNNERS)

    assert with_address(email) == won(results)
    assert accounts.find_by_email(email).id == won(results)[0]  # type: ignore[union-attr]
    for user in customers:
        assert accounts.find_by_email(now(user).email).id == user.id  # type: ignore[union-attr]


def test_an_address_that_is_registered_while_it_is_changed_to_has_one_account(
    email: str, customers: list[User]
) -> None:
    verification.ask_change(customers[0], email, password=PASSWORD)

    def run(number: int) -> str:
        if number % 2:
            return accounts.register(email=email, password=PASSWORD, name="R").id
        return verification.change(customers[0].id, email).id

    assert len({*won(race(run, runners=RUNNERS))}) == 1
    assert len(with_address(email)) == 1


def test_an_account_that_is_deleted_while_its_address_changes_leaves_no_address(
    email: str, customers: list[User]
) -> None:
    """Whichever comes first: an address never leads to an account that is gone, nor is one left over."""
    for user in customers:
        new = f"{user.id}-{email}"
        verification.ask_change(user, new, password=PASSWORD)

        def run(number: int, user: User = user, new: str = new) -> Any:
            if number:
                return farewell.delete(user, password=PASSWORD)
            return verification.change(user.id, new)

        race(run, runners=2)

        left = accounts.find(user.id)
        guards = [guard.id for guard in EmailGuard.scan(EmailGuard.user_id == user.id, consistent_read=True)]
        assert guards == ([EmailGuard.key(left.email)] if left else [])


# One link, one password


def test_the_race_for_a_link_is_real(customers: list[User]) -> None:
    user, together = customers[0], Together()
    seen = passwords.state(user)

    def naive(number: int) -> int:
        passwords.find_for_reset(user.id, seen=seen)
        together()
        user_now = User(user.id)
        user_now.update([User.password.set(f"hash {number}")])
        return number

    assert len(won(race(naive, runners=RUNNERS))) > 1


def test_a_link_that_is_used_by_many_at_once_sets_one_password(customers: list[User]) -> None:
    user = customers[0]
    seen = passwords.state(user)

    results = race(
        lambda number: (passwords.reset(user.id, seen=seen, new=f"green frogs {number}"), number)[1], runners=RUNNERS
    )

    (winner,) = won(results)
    opening = [n for n in range(RUNNERS) if accounts.authenticate(user.email, f"green frogs {n}")]
    assert opening == [winner]
    assert {type(result) for result in results} <= {int, LinkUsed, Busy}
    assert now(user).epoch == user.epoch + 1


def test_a_password_changed_while_a_link_is_used_is_one_of_the_two(customers: list[User]) -> None:
    for user in customers:
        seen = passwords.state(user)

        def run(number: int, user: User = user, seen: str = seen) -> int:
            if number:
                passwords.change(user, old=PASSWORD, new="changed frogs")
            else:
                passwords.reset(user.id, seen=seen, new="reset frogs 1")
            return number

        results = race(run, runners=2)

        opens = [bool(accounts.authenticate(user.email, word)) for word in ("reset frogs 1", "changed frogs")]
        assert [number for number, does in enumerate(opens) if does] == won(results)
        assert {type(result) for result in results} <= {int, LinkUsed, SessionEnded, WrongPassword, Busy}


# Always an admin left


@pytest.fixture
def admins() -> list[User]:
    return [
        accounts.create_admin(email=f"admin-{uuid.uuid4().hex}@example.com", password=PASSWORD, name="Dana")
        for _ in range(RUNNERS)
    ]


def each_takes_the_role_of_the_next(admins: list[User]) -> list[Any]:
    def run(number: int) -> int:
        victim = admins[(number + 1) % RUNNERS]
        accounts.change_role(victim.id, role="user", by=staff.Admin(admins[number], seen=0))
        return number

    return race(run, runners=RUNNERS)


def test_the_race_for_the_last_admin_is_real(admins: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    """If nobody asks in the write itself whether who writes is still an admin."""
    together = Together()
    monkeypatch.setattr(dynamodb.transaction, "check", lambda *_, **__: together())

    each_takes_the_role_of_the_next(admins)

    assert [now(admin).role for admin in admins] == ["user"] * RUNNERS


def test_of_admins_who_take_the_role_from_one_another_at_least_one_is_left(admins: list[User]) -> None:
    results = each_takes_the_role_of_the_next(admins)

    left = [admin for admin in admins if now(admin).role == "admin"]
    assert left
    assert len(left) == RUNNERS - len(won(results))
    assert {type(result) for result in results} <= {int, SessionEnded, AccountChanged, Busy}


# One mail, one sender


@pytest.fixture
def mail(email: str) -> Mail:
    mails.write_one("no-account", to=email, about={})
    (written,) = Mail.scan(Mail.to == email, consistent_read=True)
    return written


def test_the_race_for_a_mail_is_real(mail: Mail) -> None:
    together, sent = Together(), itertools.count()

    def naive(_: int) -> None:
        if any(one == mail.id for one in mails.due()):
            together()
            next(sent)
            mails.remove(mail)

    race(naive, runners=RUNNERS)

    assert next(sent) > 1


def test_a_mail_that_many_sweeps_find_is_sent_by_one(mail: Mail) -> None:
    sent = itertools.count()

    def sweep(_: int) -> None:
        claimed = mails.claim(mail.id)
        if claimed:
            next(sent)
            mails.remove(claimed)

    race(sweep, runners=RUNNERS)

    assert next(sent) == 1
    assert mail.id not in mails.due()


# The book, and the end


def test_a_book_that_many_devices_write_at_once_loses_nothing(customers: list[User]) -> None:
    def add(number: int) -> int:
        fields = {"name": "A", "street": f"Street {number}", "postal_code": "10115", "city": "B", "country": "DE"}
        addresses.add(customers[0].id, fields)
        return number

    added = won(race(add, runners=RUNNERS))

    assert sorted(one.street for one in now(customers[0]).addresses) == sorted(f"Street {n}" for n in added)


def test_whoever_shops_while_they_delete_their_account_strands_no_units(
    make_product: Callable[..., Product], customers: list[User]
) -> None:
    product, user = make_product(stock=20), customers[0]

    def run(number: int) -> Any:
        if number == 0:
            return farewell.delete(user, password=PASSWORD)
        return reservations.reserve(user.id, product.id, quantity=1)

    results = race(run, runners=RUNNERS)

    assert {type(result) for result in results if isinstance(result, InventoryError)} <= {Busy, NoSuchAccount}
    assert_promises(product.id)
    found = dynamodb.get(Product, product.id)
    assert found
    # Whoever was faster made the deletion begin anew; whoever was slower found the cart closed.
    assert found.reserved == 0 or accounts.find(user.id) is not None

"""The book of addresses: the first is the default, none is lost, and there is room for ten."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventory import accounts, addresses
from inventory.errors import NoSuchAddress, TooManyAddresses
from inventory.models import SavedAddress, User
from tests.unit import wire

Home = dict[str, str]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)


def at(street: str) -> Home:
    return {"name": "Alice Adler", "street": street, "postal_code": "10115", "city": "Berlin", "country": "DE"}


def book(user: User) -> list[SavedAddress]:
    found = accounts.find(user.id)
    assert found is not None
    return found.addresses


def streets(user: User) -> list[str]:
    return [one.street for one in book(user)]


@pytest.fixture
def filled(alice: User) -> list[SavedAddress]:
    for street in ("One 1", "Two 2", "Three 3"):
        addresses.add(alice.id, at(street))
    return book(alice)


def test_what_is_added_stands_in_the_book(alice: User):
    addresses.add(alice.id, {**at("One 1"), "email": "is not part of it", "checkout_token": "nor this"})

    (one,) = book(alice)
    assert addresses.fields(one) == at("One 1")
    assert addresses.find(accounts.find(alice.id), one.id).street == "One 1"
    assert addresses.find(accounts.find(alice.id), "another") is None


def test_an_account_of_an_earlier_version_has_a_book(alice: User):
    User(alice.id).update([User.addresses.remove()])

    addresses.add(alice.id, at("One 1"))

    assert streets(alice) == ["One 1"]


def test_the_same_address_stands_there_once(alice: User, filled: list[SavedAddress]):
    addresses.add(alice.id, at("Two 2"))

    assert [one.as_dict() for one in book(alice)] == [one.as_dict() for one in filled]


def test_an_address_is_changed_where_it_stands(alice: User, filled: list[SavedAddress]):
    addresses.change(alice.id, filled[1].id, at("Two 22"))

    assert streets(alice) == ["One 1", "Two 22", "Three 3"]
    assert [one.id for one in book(alice)] == [one.id for one in filled]


def test_the_default_is_on_top_and_the_others_stay_in_order(alice: User, filled: list[SavedAddress]):
    addresses.make_default(alice.id, filled[2].id)

    assert streets(alice) == ["Three 3", "One 1", "Two 2"]


def test_an_address_is_taken_out(alice: User, filled: list[SavedAddress]):
    addresses.remove(alice.id, filled[0].id)
    addresses.remove(alice.id, filled[0].id)

    assert streets(alice) == ["Two 2", "Three 3"]


def test_what_is_gone_can_neither_be_changed_nor_preferred(alice: User, filled: list[SavedAddress]):
    for change in (
        lambda: addresses.change(alice.id, "gone", at("One 1")),
        lambda: addresses.make_default(alice.id, "gone"),
        lambda: addresses.add("nobody", at("One 1")),
    ):
        with pytest.raises(NoSuchAddress):
            change()

    assert [one.as_dict() for one in book(alice)] == [one.as_dict() for one in filled]


def test_the_book_has_room_for_ten(alice: User):
    for number in range(addresses.MOST):
        addresses.add(alice.id, at(f"Street {number}"))

    with pytest.raises(TooManyAddresses, match="10"):
        addresses.add(alice.id, at("One more 1"))

    assert len(book(alice)) == addresses.MOST


@pytest.mark.parametrize("is_new", [True, False])
def test_two_who_write_at_once_lose_nothing(alice: User, is_new: bool):
    if not is_new:
        addresses.add(alice.id, at("One 1"))

    with wire.just_before("TransactWriteItems", lambda: addresses.add(alice.id, at("Two 2"))):
        addresses.add(alice.id, at("Three 3"))

    assert streets(alice) == [*([] if is_new else ["One 1"]), "Two 2", "Three 3"]


@pytest.mark.parametrize("losing", [wire.losing_requests, wire.losing_answers])
def test_an_address_is_added_once_whatever_gets_lost(alice: User, losing: Callable[[], object]):
    with losing():
        addresses.add(alice.id, at("One 1"))

    assert streets(alice) == ["One 1"]


def test_an_account_that_is_gone_gets_no_book(alice: User):
    with wire.just_before("TransactWriteItems", lambda: User(alice.id).delete()), pytest.raises(NoSuchAddress):
        addresses.add(alice.id, at("One 1"))

    assert accounts.find(alice.id) is None

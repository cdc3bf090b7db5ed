"""What admins may do to one another's accounts, and what the shop never loses: its last admin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventory import accounts, audit, dynamodb, second_factor, sessions, staff
from inventory.errors import AccountChanged, AddressNotConfirmed, NoSuchAccount, OwnAccount, SessionEnded
from inventory.models import SecondFactor, User
from tests.unit import wire
from tests.unit.conftest import PASSWORD


@pytest.fixture
def erin() -> User:
    """Another admin."""
    erin = accounts.create_admin(email="erin@example.com", password=PASSWORD, name="Erin")
    second_factor.begin(erin.id)
    return erin


def now(user: User) -> User:
    found = accounts.find(user.id)
    assert found is not None
    return found


Deed = Callable[[User, staff.By], None]
DEEDS: dict[str, Deed] = {
    "role": lambda user, by: accounts.change_role(user.id, role="user", by=by),
    "disable": lambda user, by: accounts.disable(user.id, by=by),
    "factor": lambda user, by: second_factor.reset(user.id, by=by),
}
each_deed = pytest.mark.parametrize("do", DEEDS.values(), ids=DEEDS)


@each_deed
def test_an_admin_is_named_and_the_others_sessions_end(dana: User, erin: User, do: Deed) -> None:
    sessions.begin(erin, kind="admin", device="")

    do(erin, staff.Admin(dana, seen=now(erin).epoch))

    entry = audit.look(target=audit.account(erin.id)).entries[0]
    assert (entry.actor, entry.what.partition(".")[0]) == ("dana@example.com", entry.what.partition(".")[0])
    assert now(erin).sessions == []


@each_deed
def test_nobody_does_it_to_their_own_account(erin: User, do: Deed) -> None:
    before = now(erin)

    with pytest.raises(OwnAccount):
        do(erin, staff.Admin(erin, seen=before.epoch))

    assert now(erin).attribute_values == before.attribute_values


@each_deed
def test_a_page_that_shows_what_was_before_decides_nothing(dana: User, erin: User, do: Deed) -> None:
    seen = now(erin).epoch
    sessions.end_all(erin.id)

    with pytest.raises(AccountChanged):
        do(erin, staff.Admin(dana, seen=seen))

    assert (now(erin).role, now(erin).disabled_at) == ("admin", None)


@each_deed
@pytest.mark.parametrize("lost", ["role", "disable"])
def test_who_is_no_admin_any_more_when_it_is_written_changes_nothing(
    dana: User, erin: User, do: Deed, lost: str
) -> None:
    """Two admins at the same moment: the second one was let in before the first one's write."""
    DEEDS[lost](dana, accounts.OPERATOR)

    with pytest.raises(SessionEnded):
        do(erin, staff.Admin(dana, seen=now(erin).epoch))

    assert (now(erin).role, now(erin).disabled_at) == ("admin", None)


@each_deed
def test_it_is_safe_to_repeat_when_an_answer_is_lost(dana: User, erin: User, do: Deed) -> None:
    with wire.losing_answers():
        do(erin, staff.Admin(dana, seen=now(erin).epoch))

    assert now(erin).epoch == 1
    assert len([one for one in audit.look(target=audit.account(erin.id)).entries if one.actor == dana.email]) == 1


def test_a_change_between_the_look_and_the_write_is_noticed(
    dana: User, erin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted, others = staff.admitted, iter([lambda: accounts.disable(erin.id, by="manage.py")])

    def late(tx: dynamodb.transaction, by: staff.By, user: User) -> str:
        name = admitted(tx, by, user)
        next(others, lambda: None)()
        return name

    monkeypatch.setattr(staff, "admitted", late)

    with pytest.raises(AccountChanged):
        accounts.change_role(erin.id, role="user", by=staff.Admin(dana, seen=0))
    assert now(erin).role == "admin"


def test_an_address_that_nobody_confirmed_lets_no_stranger_into_the_panel(dana: User, alice: User) -> None:
    with pytest.raises(AddressNotConfirmed):
        accounts.change_role(alice.id, role="admin", by=staff.Admin(dana, seen=0))
    assert now(alice).role == "user"

    alice.update([User.verified_at.set(alice.created_at)])
    accounts.change_role(alice.id, role="admin", by=staff.Admin(dana, seen=0))
    assert now(alice).role == "admin"


def test_an_operator_knows_whom_they_let_in(alice: User) -> None:
    accounts.change_role(alice.id, role="admin", by=accounts.OPERATOR)

    assert now(alice).role == "admin"


def test_an_account_of_the_first_version_has_no_epoch_and_changes_all_the_same(dana: User, alice: User) -> None:
    alice.update([User.epoch.remove()])

    accounts.disable(alice.id, by=staff.Admin(dana, seen=0))

    assert now(alice).disabled_at is not None


def test_who_is_gone_is_no_account(dana: User) -> None:
    with pytest.raises(NoSuchAccount):
        accounts.disable("nobody", by=staff.Admin(dana, seen=0))


def test_a_factor_counts_as_set_up_after_its_first_code(dana: User) -> None:
    nothing = second_factor.is_set_up(dana.id)
    factor = second_factor.begin(dana.id)
    begun = second_factor.is_set_up(dana.id)
    factor.update([SecondFactor.confirmed_at.set(dana.created_at)])

    assert (nothing, begun, second_factor.is_set_up(dana.id)) == (False, False, True)

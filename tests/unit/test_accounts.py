"""One account for each e-mail address, and who may log in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import bcrypt
import pytest
from django.contrib.auth.hashers import identify_hasher, make_password

from inventory import accounts, dynamodb
from inventory.errors import Busy, EmailTaken, Unsure, WrongPassword
from inventory.models import EmailGuard, User
from tests.hashers import QuickBCryptSHA256PasswordHasher
from tests.unit import wire

PASSWORD = "correct horse 1"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)


def all_accounts() -> list[User]:
    """Every account in the table: what counts guards is not one."""
    return list(User.scan(User.email.exists()))


def old_account(password: bytes, *, prefix: bytes = b"2a", stored: str | None = None) -> User:
    """An account as the first version wrote it, with a plain bcrypt hash of the first 72 bytes."""
    plain = bcrypt.hashpw(password[:72], bcrypt.gensalt(4, prefix=prefix)).decode()
    user = User(
        "user-123", email="old@example.com", password=plain if stored is None else stored, role="admin", name="Olga"
    )
    user.save()
    EmailGuard(EmailGuard.key("old@example.com"), user_id=user.id).save()
    return user


def stored_password() -> str:
    return dynamodb.get(User, "user-123").password


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Of each hash that is computed, how much work it is; today's is of cost 8."""
    done: list[int] = []

    def counted(real: Callable[[bytes, bytes], Any]) -> Callable[[bytes, bytes], Any]:
        def hashed(password: bytes, salt: bytes) -> Any:
            answer = real(password, salt)
            done.append(2 ** int(salt.split(b"$")[2]))
            return answer

        return hashed

    monkeypatch.setattr(QuickBCryptSHA256PasswordHasher, "rounds", 8)
    monkeypatch.setattr(bcrypt, "hashpw", counted(bcrypt.hashpw))
    monkeypatch.setattr(bcrypt, "checkpw", counted(bcrypt.checkpw))
    accounts._hash_of_nobody.cache_clear()
    accounts._hash_of_nobody()
    done.clear()
    yield done
    accounts._hash_of_nobody.cache_clear()


# Registering


def test_register_opens_a_customers_account():
    user = accounts.register(email="alice@example.com", password=PASSWORD, name="Alice")

    found = accounts.find(user.id)
    assert (found.email, found.name, found.role, found.is_admin) == ("alice@example.com", "Alice", "user", False)


def test_create_admin_opens_an_admins_account():
    assert accounts.find(accounts.create_admin(email="d@example.com", password=PASSWORD, name="Dana").id).is_admin


def test_the_password_is_stored_as_a_bcrypt_hash_only(alice: User):
    stored = dynamodb.get(User, alice.id).password

    assert PASSWORD not in stored
    assert identify_hasher(stored).algorithm == "bcrypt_sha256"


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@EXAMPLE.COM", "  Alice@Example.com\t"])
def test_register_refuses_an_address_that_has_an_account(alice: User, email: str):
    with pytest.raises(EmailTaken):
        accounts.register(email=email, password="another horse 2", name="Charlie")

    assert [user.id for user in all_accounts()] == [alice.id]
    assert accounts.authenticate("alice@example.com", "another horse 2") is None


def test_an_admin_cannot_be_made_out_of_a_customer(alice: User):
    with pytest.raises(EmailTaken):
        accounts.create_admin(email=alice.email, password="another horse 2", name="Charlie")

    assert not accounts.find(alice.id).is_admin


def test_of_two_who_register_one_address_at_once_one_gets_it():
    def charlie_is_faster() -> None:
        accounts.register(email="alice@example.com", password="another horse 2", name="Charlie")

    with wire.just_before("TransactWriteItems", charlie_is_faster), pytest.raises(EmailTaken):
        accounts.register(email="Alice@Example.com", password=PASSWORD, name="Alice")

    assert [user.name for user in all_accounts()] == ["Charlie"]
    assert accounts.authenticate("alice@example.com", PASSWORD) is None


def test_different_addresses_are_different_accounts(alice: User, bob: User):
    assert alice.id != bob.id
    assert accounts.find_by_email("bob@example.com").id == bob.id


def test_register_tries_again_when_others_are_in_the_way():
    with wire.cancelling("TransactionConflict", "None", times=3):
        user = accounts.register(email="alice@example.com", password=PASSWORD, name="Alice")

    assert [one.id for one in all_accounts()] == [user.id]


def test_register_that_never_gets_through_leaves_the_address_free():
    with wire.cancelling("TransactionConflict", "None", times=99), pytest.raises(Busy):
        accounts.register(email="alice@example.com", password=PASSWORD, name="Alice")

    assert accounts.find_by_email("alice@example.com") is None
    assert accounts.register(email="alice@example.com", password=PASSWORD, name="Alice")


def test_register_finds_out_that_it_worked_when_the_answer_is_lost():
    with wire.losing_answers():
        user = accounts.register(email="alice@example.com", password=PASSWORD, name="Alice")

    assert accounts.authenticate("alice@example.com", PASSWORD).id == user.id


@pytest.mark.parametrize("losing", [wire.losing_requests, wire.losing_answers])
def test_register_opens_one_account_whatever_gets_lost(losing: Callable[[], Any]):
    with losing():
        user = accounts.register(email="alice@example.com", password=PASSWORD, name="Alice")

    assert [account.id for account in all_accounts()] == [user.id]


def test_register_is_unsure_while_no_answer_comes(pauses: list[float]):
    with wire.losing_requests(times=99), pytest.raises(Unsure):
        accounts.register(email="alice@example.com", password=PASSWORD, name="Alice")

    assert all_accounts() == []


# Logging in


@pytest.mark.parametrize("email", ["alice@example.com", "Alice@Example.COM", " alice@example.com "])
def test_authenticate_knows_the_address_in_any_case(alice: User, email: str):
    assert accounts.authenticate(email, PASSWORD).id == alice.id


@pytest.mark.parametrize(
    "password",
    ["", "wrong", "Correct horse 1", "correct horse 1 ", "correct horse 1\0", "correct horse", "\0", PASSWORD * 200],
)
def test_authenticate_refuses_any_other_password(alice: User, password: str):
    assert accounts.authenticate("alice@example.com", password) is None


@pytest.mark.parametrize(
    "email", ["", "nobody@example.com", "alice", "email#alice@example.com", "alice@example.com\0", "a" * 2000]
)
def test_authenticate_knows_nobody_else(alice: User, email: str):
    assert accounts.authenticate(email, PASSWORD) is None


@pytest.mark.parametrize(
    "password",
    ["pässwört größer 1", "🐎🔋📎 stable", "with\0nul inside", "a" * 72 + "b", "x" * accounts.PASSWORD_MAX_LENGTH],
)
def test_who_registered_with_a_password_gets_in_with_just_that(password: str):
    user = accounts.register(email="alice@example.com", password=password, name="Alice")

    assert accounts.authenticate("alice@example.com", password).id == user.id
    assert accounts.authenticate("alice@example.com", password[:-1]) is None
    assert accounts.authenticate("alice@example.com", password[:-1] + "?") is None


def test_a_huge_password_costs_no_hashing(alice: User, monkeypatch: pytest.MonkeyPatch):
    accounts.authenticate("warm-up@example.com", PASSWORD)
    monkeypatch.setattr(accounts, "check_password", pytest.fail)
    monkeypatch.setattr("bcrypt.checkpw", pytest.fail)

    assert accounts.authenticate("alice@example.com", "x" * 5000) is None


def test_an_unknown_address_takes_the_work_of_a_wrong_password(monkeypatch: pytest.MonkeyPatch):
    """Else the time would tell who has an account."""
    compared: list[str] = []
    monkeypatch.setattr(accounts, "check_password", lambda password, stored: compared.append(stored))

    accounts.authenticate("nobody@example.com", PASSWORD)

    assert [identify_hasher(stored).algorithm for stored in compared] == ["bcrypt_sha256"]


def test_the_hash_of_nobody_opens_no_account(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(accounts, "check_password", lambda password, stored: True)

    assert accounts.authenticate("nobody@example.com", PASSWORD) is None


def test_a_guard_whose_account_is_gone_lets_nobody_in(alice: User):
    alice.delete()

    assert accounts.authenticate("alice@example.com", PASSWORD) is None


# Accounts of the first version


@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
def test_an_old_hash_lets_its_owner_in_and_is_stored_anew(prefix: bytes):
    old_account(b"old secret", prefix=prefix)

    user = accounts.authenticate("old@example.com", "old secret")

    assert (user.id, user.role, user.name) == ("user-123", "admin", "Olga")
    assert identify_hasher(stored_password()).algorithm == "bcrypt_sha256"
    assert user.password == stored_password()
    assert accounts.authenticate("old@example.com", "old secret").id == "user-123"


@pytest.mark.parametrize("password", ["", "old secre", "old secret\0", "old secret?", "OLD SECRET", "x" * 5000])
def test_an_old_hash_refuses_any_other_password_and_stays_as_it_is(password: str):
    before = old_account(b"old secret").password

    assert accounts.authenticate("old@example.com", password) is None
    assert stored_password() == before


@pytest.mark.parametrize("password", ["x" * 73, "x" * 200, "ü" * 50, "ü" * 35 + "x€"])
def test_an_old_hash_of_a_long_password_lets_its_owner_in(password: str):
    """The first version cut at 72 bytes, in the middle of a letter if need be."""
    old_account(password.encode())

    assert accounts.authenticate("old@example.com", password).id == "user-123"
    assert accounts.authenticate("old@example.com", password).id == "user-123"


def test_an_end_that_nobody_checked_does_not_become_the_password():
    before = old_account(b"x" * 80).password

    accounts.authenticate("old@example.com", "x" * 79 + "y")

    assert stored_password() == before


@pytest.mark.parametrize("stored", ["$2a$10$...", "$2a$", "$2b$99$" + "a" * 53, "$2a$10$" + "!" * 53])
def test_a_damaged_old_hash_lets_nobody_in(stored: str):
    old_account(b"", stored=stored)

    assert accounts.authenticate("old@example.com", "old secret") is None


@pytest.mark.parametrize("stored", ["", "old secret", "!", "md5$x$y"])
def test_what_is_no_hash_lets_nobody_in(stored: str):
    old_account(b"", stored=stored)

    assert accounts.authenticate("old@example.com", "old secret") is None


@pytest.mark.parametrize("trouble", [wire.losing_requests, lambda: wire.cancelling("TransactionConflict")])
def test_an_old_hash_that_cannot_be_stored_anew_now_still_lets_its_owner_in(trouble):
    before = old_account(b"old secret").password

    with trouble():
        user = accounts.authenticate("old@example.com", "old secret")

    assert user.id == "user-123"
    assert stored_password() == before


def test_a_password_that_was_changed_meanwhile_is_not_overwritten():
    user = old_account(b"old secret")

    def changed() -> None:
        User(user.id).update([User.password.set("changed")])

    with wire.just_before("TransactWriteItems", changed):
        assert accounts.authenticate("old@example.com", "old secret").id == user.id

    assert stored_password() == "changed"


# Nobody can tell by the time whose password is stored how


def _plain(cost: int) -> str:
    return bcrypt.hashpw(b"old secret", bcrypt.gensalt(cost, prefix=b"2a")).decode()


def _of_fewer_rounds(cost: int) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuickBCryptSHA256PasswordHasher, "rounds", cost)
        return make_password("old secret")


OLD_HASHES = [
    *(pytest.param(partial(_plain, cost), id=f"plain-{cost}") for cost in (4, 5, 7, 8)),
    *(pytest.param(partial(_of_fewer_rounds, cost), id=f"today's-{cost}") for cost in (4, 7, 8)),
    pytest.param(lambda: f"bcrypt${_plain(5)}", id="django's"),
    pytest.param(lambda: "$2a$10$...", id="damaged"),
    pytest.param(lambda: f"$2b$99${'a' * 53}", id="impossible"),
    pytest.param(lambda: "!", id="none"),
]


@pytest.mark.parametrize("stored", OLD_HASHES)
@pytest.mark.parametrize("check", [accounts.authenticate, lambda _email, password: _refused(password)])
def test_a_wrong_password_is_as_much_work_as_an_unknown_address(
    rounds: list[int], stored: Callable[[], str], check: Callable[[str, str], object]
) -> None:
    old_account(b"", stored=stored())
    rounds.clear()

    assert check("old@example.com", "wrong secret") is None
    known = sum(rounds)
    rounds.clear()
    accounts.authenticate("nobody@example.com", "wrong secret")

    assert known == sum(rounds) == 2**8


def _refused(password: str) -> None:
    with pytest.raises(WrongPassword):
        accounts.prove(accounts.find("user-123"), password)


@pytest.mark.parametrize("password", ["old secret", "x" * 80])
def test_a_disabled_account_with_an_old_hash_takes_no_less_work(rounds: list[int], password: str) -> None:
    user = old_account(password.encode())
    accounts.disable(user.id, by="dana@example.com")
    rounds.clear()

    assert accounts.authenticate("old@example.com", password) is None
    assert sum(rounds) >= 2**8


def test_a_hash_of_fewer_rounds_is_stored_anew(rounds: list[int]) -> None:
    old_account(b"", stored=_of_fewer_rounds(4))

    assert accounts.authenticate("old@example.com", "old secret").id == "user-123"
    assert "$08$" in stored_password()
    assert accounts.authenticate("old@example.com", "old secret").id == "user-123"


# Finding


@pytest.mark.parametrize("user_id", ["", "nobody", "email#alice@example.com"])
def test_find_gives_none_for_what_is_no_account(alice: User, user_id: str):
    assert accounts.find(user_id) is None


def test_find_by_email_asks_no_index_that_could_be_behind(alice: User):
    with wire.heard() as calls:
        found = accounts.find_by_email(" Alice@example.com")

    assert found.id == alice.id
    assert [(name, params["ConsistentRead"]) for name, params in calls] == [("GetItem", True)] * 2

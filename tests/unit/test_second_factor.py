"""The second factor: codes count once, guesses are few, and every try is written down."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pyotp
import pytest
import time_machine

from inventory import accounts, audit, clock, dynamodb, farewell, second_factor, sessions
from inventory.errors import Busy, NoSecondFactor, SessionEnded, TooManyCodes, Unsure, WrongCode
from inventory.models import SecondFactor, User
from tests.unit import wire
from tests.unit.conftest import PASSWORD


@pytest.fixture(autouse=True)
def _ten_past(pauses: list[float]) -> Iterator[None]:
    """Ten seconds into a half minute, so that none ends between making a code and sending it. Nobody waits."""
    with time_machine.travel("2026-11-27T12:00:10+00:00"):
        yield


@pytest.fixture
def admin(dana: User) -> User:
    """Dana, logged in by password."""
    account = sessions.account(sessions.begin(dana, kind="admin", device=""))
    assert account is not None
    return account


@pytest.fixture
def codes(admin: User, later: Callable[..., None]) -> list[str]:
    """Dana's recovery codes: the factor was set up a minute ago."""
    second_factor.begin(admin.id)
    codes = second_factor.prove(admin, now(admin))
    later(minutes=1)
    return codes


def now(user: User, *, seconds: int = 0) -> str:
    """What the app shows, or will show."""
    at = int(clock.now().timestamp()) + seconds
    code: str = pyotp.TOTP(stored(user).secret).at(at)
    return code


def wrong(user: User) -> str:
    """Six digits that fit no moment near."""
    near = {now(user, seconds=seconds) for seconds in (-60, -30, 0, 30, 60)}
    return next(code for code in map("{:06}".format, range(10)) if code not in near)


def stored(user: User) -> SecondFactor:
    return SecondFactor.get(SecondFactor.key(user.id), consistent_read=True)


def is_through(user: User) -> bool:
    found = accounts.find(user.id)
    assert found is not None
    return any(session.factor_at for session in found.sessions)


# Setting it up


def test_a_secret_waits_for_its_first_code_and_stays_the_same_meanwhile(admin: User) -> None:
    first, second = second_factor.begin(admin.id), second_factor.begin(admin.id)

    assert first.secret == second.secret
    assert first.confirmed_at is None
    assert len(first.secret) == 32


def test_two_who_open_the_page_at_once_see_one_secret(admin: User) -> None:
    began: list[SecondFactor] = []

    with wire.just_before("TransactWriteItems", lambda: began.append(second_factor.begin(admin.id))):
        began.append(second_factor.begin(admin.id))

    assert began[0].secret == began[1].secret


def test_the_app_learns_issuer_and_address(admin: User) -> None:
    factor = second_factor.begin(admin.id)

    address = second_factor.address(factor, admin.email)

    assert address.startswith("otpauth://totp/Ecokart:dana%40example.com?secret=")
    assert "issuer=Ecokart" in address


def test_the_first_code_sets_it_up_lets_the_session_through_and_gives_ten_codes(admin: User) -> None:
    second_factor.begin(admin.id)

    codes = second_factor.prove(admin, now(admin))

    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert all(re.fullmatch("([A-Z2-7]{6}-){3}[A-Z2-7]{6}", code) for code in codes)
    assert is_through(admin)
    assert stored(admin).confirmed_at is not None


def test_recovery_codes_are_kept_as_digests(admin: User, codes: list[str]) -> None:
    kept = str(stored(admin).to_dynamodb_dict())

    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]


def test_a_wrong_first_code_sets_nothing_up(admin: User) -> None:
    second_factor.begin(admin.id)

    with pytest.raises(WrongCode):
        second_factor.prove(admin, wrong(admin))

    assert stored(admin).confirmed_at is None
    assert not is_through(admin)


# Showing it


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_clock_may_be_half_a_minute_off(admin: User, codes: list[str], seconds: int) -> None:
    assert second_factor.prove(admin, now(admin, seconds=seconds)) == []


@pytest.mark.parametrize("seconds", [-90, 90])
def test_a_clock_may_not_be_further_off(admin: User, codes: list[str], seconds: int) -> None:
    with pytest.raises(WrongCode):
        second_factor.prove(admin, now(admin, seconds=seconds))


def test_a_code_with_blanks_is_read(admin: User, codes: list[str]) -> None:
    code = now(admin)

    assert second_factor.prove(admin, f" {code[:3]} {code[3:]} ") == []


def test_a_code_counts_once(admin: User, codes: list[str]) -> None:
    code = now(admin)
    second_factor.prove(admin, code)

    for _ in range(second_factor.FREE_TRIES - 1):
        with pytest.raises(WrongCode):
            second_factor.prove(admin, code)


def test_after_a_code_the_one_before_it_counts_no_more(admin: User, codes: list[str]) -> None:
    before, code = now(admin, seconds=-30), now(admin)
    second_factor.prove(admin, code)

    with pytest.raises(WrongCode):
        second_factor.prove(admin, before)


def test_of_two_who_send_one_code_at_once_one_gets_in(admin: User, codes: list[str]) -> None:
    code = now(admin)

    with wire.just_before("TransactWriteItems", lambda: second_factor.prove(admin, code)), pytest.raises(WrongCode):
        second_factor.prove(admin, code)


def test_a_recovery_code_counts_once_however_it_is_written(admin: User, codes: list[str]) -> None:
    second_factor.prove(admin, codes[3].lower().replace("-", " "))

    with pytest.raises(WrongCode):
        second_factor.prove(admin, codes[3])
    assert second_factor.prove(admin, codes[4]) == []
    assert len(stored(admin).codes) == second_factor.RECOVERY_CODES - 2


@pytest.mark.parametrize("code", ["", "0", "ünïcödé", "\x00", "9" * 5_000, "-"])
def test_what_is_no_code_is_wrong(admin: User, codes: list[str], code: str) -> None:
    with pytest.raises(WrongCode):
        second_factor.prove(admin, code)


@pytest.mark.parametrize("lost", [wire.losing_requests, wire.losing_answers])
def test_a_code_whose_answer_is_lost_counts_and_gives_its_recovery_codes(
    admin: User, lost: Callable[[], object]
) -> None:
    second_factor.begin(admin.id)

    with lost():
        codes = second_factor.prove(admin, now(admin))

    assert len(codes) == second_factor.RECOVERY_CODES
    assert second_factor.prove(admin, codes[0]) == []


def test_a_later_code_whose_answer_is_lost_counts_once(admin: User, codes: list[str]) -> None:
    with wire.losing_answers():
        assert second_factor.prove(admin, now(admin)) == []


def test_a_wrong_code_whose_answer_is_lost_is_one_wrong_code(admin: User, codes: list[str]) -> None:
    with wire.losing_answers(), pytest.raises(WrongCode):
        second_factor.prove(admin, wrong(admin))

    assert stored(admin).failures == 1


def test_without_the_database_nobody_is_through(admin: User, codes: list[str]) -> None:
    again = sessions.account(sessions.begin(admin, kind="admin", device=""))

    with wire.losing_requests(times=99), pytest.raises((Busy, Unsure)):
        second_factor.prove(again, now(admin))

    assert [bool(one.factor_at) for one in accounts.find(admin.id).sessions] == [True, False]


def test_a_session_that_has_ended_is_not_let_through(admin: User, codes: list[str]) -> None:
    sessions.end_all(admin.id)

    with pytest.raises(SessionEnded):
        second_factor.prove(admin, now(admin))
    with pytest.raises(SessionEnded):
        second_factor.prove(accounts.find(admin.id), now(admin))


def test_an_account_without_one_has_none_to_show(admin: User) -> None:
    with pytest.raises(NoSecondFactor):
        second_factor.prove(admin, "123456")


# Guessing


def guess(user: User) -> type[Exception]:
    try:
        second_factor.prove(user, wrong(user))
    except (WrongCode, TooManyCodes) as refused:
        return type(refused)
    raise AssertionError("a wrong code was right")


def test_after_five_wrong_codes_one_waits_twice_as_long_each_time(
    admin: User, codes: list[str], later: Callable[..., None]
) -> None:
    assert [guess(admin) for _ in range(7)] == [WrongCode] * 5 + [TooManyCodes] * 2
    waits = []
    for _ in range(9):
        with pytest.raises(TooManyCodes) as refused:
            second_factor.prove(admin, now(admin))
        waits.append(refused.value.wait_seconds)
        later(seconds=refused.value.wait_seconds + 1)
        assert guess(admin) is WrongCode

    assert [round(wait, -1) for wait in waits] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_right_code_after_the_wait_forgives_the_wrong_ones(
    admin: User, codes: list[str], later: Callable[..., None]
) -> None:
    for _ in range(5):
        guess(admin)
    later(seconds=31)

    second_factor.prove(admin, now(admin))

    assert stored(admin).failures == 0
    assert [guess(admin) for _ in range(5)] == [WrongCode] * 5


def test_guesses_at_once_are_judged_one_after_the_other(admin: User, codes: list[str]) -> None:
    """Each finds that another was faster, reads again, and is at the end refused unread."""
    for _ in range(4):
        guess(admin)

    def others() -> None:
        assert guess(admin) is WrongCode

    with wire.just_before("TransactWriteItems", others), pytest.raises(TooManyCodes):
        second_factor.prove(admin, now(admin))


def test_the_sentence_says_for_how_long(admin: User, codes: list[str]) -> None:
    for _ in range(5):
        guess(admin)

    with pytest.raises(TooManyCodes, match="30"):
        second_factor.prove(admin, now(admin))


# Written down, and taken away


def test_codes_that_nobody_looked_at_are_told_once_an_hour(
    admin: User, codes: list[str], later: Callable[..., None]
) -> None:
    def told() -> list[tuple[str, str | None]]:
        return [(one.actor, one.target) for one in audit.look(group="factor").entries if one.what == "factor.limited"]

    assert [guess(admin) for _ in range(9)] == [WrongCode] * 5 + [TooManyCodes] * 4
    assert told() == [("dana@example.com", f"account#{admin.id}")]
    later(hours=1)

    assert [guess(admin) for _ in range(3)] == [WrongCode] + [TooManyCodes] * 2
    assert len(told()) == 2


def test_every_try_is_in_the_audit_log(admin: User, codes: list[str]) -> None:
    guess(admin)
    second_factor.prove(admin, now(admin))
    second_factor.prove(admin, codes[0])
    second_factor.reset(admin.id, by="manage.py")

    found = [(entry.actor, entry.what) for entry in audit.look(group="factor").entries]
    assert found == [
        ("manage.py", "factor.reset"),
        ("dana@example.com", "factor.recovered"),
        ("dana@example.com", "factor.passed"),
        ("dana@example.com", "factor.failed"),
        ("dana@example.com", "factor.set_up"),
    ]


def test_a_reset_ends_all_sessions_and_the_old_codes(admin: User, codes: list[str]) -> None:
    before = stored(admin).secret

    second_factor.reset(admin.id, by="manage.py")

    after = stored(admin)
    assert (after.secret == before, after.confirmed_at, list(after.codes)) == (False, None, [])
    assert accounts.find(admin.id).sessions == []


@pytest.mark.parametrize("user_id", ["nobody", "email#dana@example.com"])
def test_what_is_not_there_cannot_be_reset(dana: User, user_id: str) -> None:
    with pytest.raises(NoSecondFactor):
        second_factor.reset(user_id, by="manage.py")


def test_a_reset_is_safe_to_repeat(admin: User, codes: list[str]) -> None:
    with wire.losing_answers():
        second_factor.reset(admin.id, by="manage.py")

    assert stored(admin).confirmed_at is None


def test_it_goes_with_its_account(admin: User, codes: list[str]) -> None:
    accounts.change_role(admin.id, role="user", by="manage.py")

    farewell.delete(admin, password=PASSWORD)

    assert dynamodb.get(SecondFactor, SecondFactor.key(admin.id)) is None


def test_who_was_an_admin_without_one_can_go_too(dana: User) -> None:
    accounts.change_role(dana.id, role="user", by="manage.py")

    farewell.delete(dana, password=PASSWORD)

    assert accounts.find(dana.id) is None


# The password again


def test_a_password_typed_again_keeps_a_session_fresh(admin: User, later: Callable[..., None]) -> None:
    session = admin.session
    assert session is not None
    assert sessions.is_fresh(session)
    later(minutes=16)
    assert not sessions.is_fresh(session)

    sessions.confirm_password(admin.id, session.sid)

    found = accounts.find(admin.id)
    assert found is not None
    assert sessions.is_fresh(found.sessions[0])
    assert found.sessions[0].factor_at is None


def test_a_session_of_before_there_was_freshness_is_not_fresh() -> None:
    assert not sessions.is_fresh(sessions.Session(confirmed_at=None))


@pytest.mark.parametrize("user_id", ["nobody", ""])
def test_nobody_confirms_what_has_ended(admin: User, user_id: str) -> None:
    with pytest.raises(SessionEnded):
        sessions.confirm_password(user_id or admin.id, "nobody's")

"""Sessions: begun at log-in, listed, and ended at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventory import accounts, devices, dynamodb, sessions
from inventory.errors import Busy, NoSuchAccount, SessionEnded, Unsure
from inventory.models import User
from tests.unit import wire

Claims = dict[str, str | int]


@pytest.fixture(autouse=True)
def _no_waiting(pauses: list[float]) -> None:
    """Second tries follow at once."""


def begin(user: User, *, device: str = "") -> Claims:
    return sessions.begin(user, kind="shop", device=device)


def is_live(claims: Claims) -> bool:
    return sessions.account(claims) is not None


def stored(user: User) -> User:
    found = accounts.find(user.id)
    assert found is not None
    return found


def disable(user_id: str) -> None:
    accounts.disable(user_id, by="test")


# Beginning


def test_a_session_lives_from_log_in_on_and_knows_its_device(alice: User) -> None:
    claims = begin(alice, device="Firefox, Windows")

    account = sessions.account(claims)
    assert account is not None
    assert account.id == alice.id
    assert account.session is not None
    assert (account.session.device, account.session.kind) == ("Firefox, Windows", "shop")
    assert len(str(claims["sid"])) * 4 == 128


def test_an_account_has_ten_sessions_and_the_one_seen_longest_ago_makes_room(
    alice: User, later: Callable[..., None]
) -> None:
    first, second, *_ = [begin(alice) for _ in range(sessions.MOST)]
    later(minutes=6)
    assert is_live(first)

    newest = begin(alice)

    assert len(stored(alice).sessions) == sessions.MOST
    assert (is_live(first), is_live(second), is_live(newest)) == (True, False, True)


def test_sessions_whose_time_is_up_make_room_first(alice: User, later: Callable[..., None]) -> None:
    begin(alice)
    later(days=8)

    new = begin(alice)

    assert [one.sid for one in stored(alice).sessions] == [new["sid"]]


@pytest.mark.parametrize("change", [disable, sessions.end_all, lambda one: User(one).delete()])
def test_nobody_logs_in_with_what_was_true_a_moment_ago(alice: User, change: Callable[[str], None]) -> None:
    with wire.just_before("TransactWriteItems", lambda: change(alice.id)), pytest.raises(SessionEnded):
        begin(alice)

    assert not (found := accounts.find(alice.id)) or found.sessions == []


def test_two_log_ins_at_once_are_two_sessions(alice: User) -> None:
    began: list[Claims] = []

    with wire.just_before("TransactWriteItems", lambda: began.append(begin(alice))):
        began.append(begin(alice))

    assert all(map(is_live, began))
    assert len(stored(alice).sessions) == 2


@pytest.mark.parametrize("lost", [wire.losing_requests, wire.losing_answers])
def test_a_log_in_whose_answer_is_lost_is_one_session(alice: User, lost: Callable[..., object]) -> None:
    with lost():
        claims = begin(alice)

    assert [one.sid for one in stored(alice).sessions] == [claims["sid"]]


def test_an_account_of_before_there_were_sessions_logs_in(alice: User) -> None:
    User(alice.id).update([User.epoch.remove(), User.sessions.remove(), User.session_moves.remove()])

    claims = begin(stored(alice))

    assert is_live(claims)


# Living


def test_a_session_lasts_seven_days_and_no_longer_however_often_it_is_used(
    alice: User, later: Callable[..., None]
) -> None:
    claims = begin(alice)

    for _ in range(6):
        later(days=1)
        assert is_live(claims)
    later(hours=23)
    assert is_live(claims)
    later(hours=2)

    assert not is_live(claims)
    assert not is_live({**claims, "iat": int(claims["iat"]) + 10**6})


def test_an_admins_session_ends_two_hours_after_its_last_use(dana: User, later: Callable[..., None]) -> None:
    claims = begin(dana)

    for _ in range(3):
        later(minutes=100)
        assert is_live(claims)
    later(minutes=121)

    assert not is_live(claims)


def test_its_last_use_is_written_down_now_and_then_and_not_with_every_request(
    alice: User, later: Callable[..., None]
) -> None:
    claims = begin(alice)
    with wire.heard() as calls:
        assert is_live(claims)
    later(minutes=6)
    with wire.heard() as calls_later:
        assert is_live(claims)
        assert is_live(claims)

    assert [name for name, _ in calls] == ["GetItem"]
    assert [name for name, _ in calls_later] == ["GetItem", "TransactWriteItems", "GetItem"]


@pytest.mark.parametrize("trouble", [wire.losing_requests, lambda: wire.cancelling("TransactionConflict")])
def test_who_cannot_be_noted_now_is_let_in_all_the_same(
    alice: User, later: Callable[..., None], trouble: Callable[[], object]
) -> None:
    claims = begin(alice)
    later(minutes=6)

    with trouble():
        assert is_live(claims)


def test_noting_a_use_brings_no_ended_session_back(alice: User, later: Callable[..., None]) -> None:
    claims = begin(alice)
    later(minutes=6)

    with wire.just_before("TransactWriteItems", lambda: sessions.end_all(alice.id)):
        sessions.account(claims)

    assert not is_live(claims)
    assert stored(alice).sessions == []


def test_live_lists_what_lives_with_the_latest_used_on_top(alice: User, later: Callable[..., None]) -> None:
    begin(alice, device="old")
    later(days=6)
    begin(alice, device="phone")
    later(minutes=1)
    begin(alice, device="laptop")
    later(days=2)

    assert [one.device for one in sessions.live(stored(alice))] == ["laptop", "phone"]


# Ending


def test_a_session_that_is_ended_is_over_and_the_others_go_on(alice: User) -> None:
    here, there = begin(alice), begin(alice)

    sessions.end(alice.id, str(here["sid"]))

    assert (is_live(here), is_live(there)) == (False, True)


def test_ending_what_is_no_session_changes_nothing(alice: User) -> None:
    claims = begin(alice)

    with wire.heard() as calls:
        sessions.end(alice.id, "nobody's")
        sessions.end("nobody", str(claims["sid"]))

    assert [name for name, _ in calls] == ["GetItem", "GetItem"]
    assert is_live(claims)


def test_all_sessions_end_at_once(alice: User, bob: User) -> None:
    hers, his = [begin(alice), begin(alice)], begin(bob)

    sessions.end_all(alice.id)

    assert [is_live(one) for one in hers] == [False, False]
    assert is_live(his)
    assert is_live(begin(stored(alice)))


def test_ending_the_sessions_of_nobody_is_no_error() -> None:
    sessions.end_all("nobody")

    assert accounts.find("nobody") is None


def test_whoever_cannot_be_logged_out_is_told(alice: User) -> None:
    claims = begin(alice)

    with wire.losing_requests(times=99), pytest.raises((Busy, Unsure)):
        sessions.end(alice.id, str(claims["sid"]))

    assert is_live(claims)


# What an account may still do


def test_a_disabled_account_is_out_at_once_and_stays_out_until_it_is_opened_again(alice: User) -> None:
    claims = begin(alice)

    accounts.disable(alice.id, by="test")

    assert not is_live(claims)
    assert accounts.authenticate("alice@example.com", "correct horse 1") is None
    with pytest.raises(SessionEnded):
        begin(stored(alice))
    accounts.enable(alice.id, by="test")
    assert not is_live(claims)
    assert accounts.authenticate("alice@example.com", "correct horse 1").id == alice.id


def test_a_session_that_a_disabled_account_should_not_have_is_none(alice: User) -> None:
    claims = begin(alice)

    User(alice.id).update([User.disabled_at.set(stored(alice).created_at)])

    assert not is_live(claims)


def test_a_changed_role_ends_what_began_under_the_old_one(alice: User) -> None:
    claims = begin(alice)

    accounts.change_role(alice.id, role="admin", by="test")

    assert stored(alice).is_admin
    assert not is_live(claims)


@pytest.mark.parametrize("change", [disable, lambda one: accounts.enable(one, by="test")])
def test_what_is_no_account_cannot_be_changed(alice: User, change: Callable[[str], None]) -> None:
    with pytest.raises(NoSuchAccount):
        change("email#alice@example.com")

    assert dynamodb.get(User, "nobody") is None


# Devices

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
_LIKE_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{_WINDOWS}; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox, Windows"),
        (f"{_WINDOWS}) {_LIKE_CHROME} Safari/537.36", "Chrome, Windows"),
        (f"{_WINDOWS}) {_LIKE_CHROME} Safari/537.36 Edg/131.0.0.0", "Edge, Windows"),
        (f"{_WINDOWS}) {_LIKE_CHROME} Safari/537.36 OPR/116.0.0.0", "Opera, Windows"),
        (f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {_LIKE_CHROME} Mobile Safari/537.36", "Chrome, Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Version/18.1 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
            " Safari/605.1.15",
            "Safari, macOS",
        ),
        ("curl/8.5.0", ""),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Linux"),
        ("", ""),
        ("x" * 10_000 + " Firefox/133.0", ""),
        ("<script>alert(1)</script> Firefox/1", "Firefox"),
    ],
)
def test_a_device_is_named_by_browser_and_system(user_agent: str, name: str) -> None:
    assert devices.name(user_agent) == name

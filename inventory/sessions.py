"""Who is logged in, where, and until when.

A session is written down with its account, so that it can be ended: a signed cookie alone would be good until it
expires, in anybody's hands. The cookie says which session it is of (``Claims``); what counts is what the account says.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from inventory import audit, clock, dynamodb
from inventory.errors import SessionEnded
from inventory.models import Session, User

#: What a cookie says of a session: ``account_id``, ``sid``, ``epoch`` and ``iat``, the second in which it began.
Claims = Mapping[str, Any]

MOST = 10
LIFE = timedelta(seconds=settings.SESSION_COOKIE_AGE)
ADMIN_IDLE = timedelta(hours=2)
#: For how long whoever has shown who they are may change what matters most without showing it again.
FRESH = timedelta(minutes=15)
#: How far behind ``seen`` may be. A session that is used all day costs twelve writes an hour, not one for each page.
SEEN_EVERY = timedelta(minutes=5)


def begin(user: User, *, kind: str, device: str) -> dict[str, str | int]:
    """Log an account in on one device; gives what the cookie has to say.

    An account has ten sessions at the most: the one that was seen longest ago makes room. Raises SessionEnded when the
    account was disabled, or all its sessions ended (a new password), since it was read; and Busy.
    """
    moment = clock.now()
    new = Session(sid=secrets.token_hex(16), kind=kind, device=device, since=moment, seen=moment)
    new.confirmed_at = moment

    def with_new(now: User) -> list[Session]:
        if now.epoch != user.epoch or now.disabled_at:
            raise SessionEnded
        others = [one for one in now.sessions if one.sid != new.sid and one.since + LIFE > moment]
        return [*sorted(others, key=lambda one: one.seen)[-(MOST - 1) :], new]

    if not _rewrite(user.id, with_new, "login.succeeded", told=new):
        raise SessionEnded
    return {"account_id": user.id, "sid": new.sid, "epoch": user.epoch, "iat": int(moment.timestamp())}


def account(claims: Claims) -> User | None:
    """The account that a cookie's session belongs to, as it stands now, with its ``session``; None if that has ended.

    One read, and now and then a write that says that the session is in use.
    """
    if not _may_live(claims):
        return None
    user = dynamodb.get(User, claims["account_id"])
    session = find(user, claims) if user else None
    if user is None or session is None:
        return None
    user.session = session
    _note_use(user, session)
    return user


def find(user: User, claims: Claims) -> Session | None:
    """The session of an account that a cookie speaks of, if it lives."""
    found = next((one for one in user.sessions if one.sid == claims["sid"]), None)
    if found is None or user.epoch != claims["epoch"] or user.disabled_at:
        return None
    moment, idle = clock.now(), ADMIN_IDLE if user.is_admin else LIFE
    return found if moment < min(found.since + LIFE, found.seen + idle) else None


def live(user: User) -> list[Session]:
    """An account's sessions that live, the latest used on top."""
    claims = ({"sid": one.sid, "epoch": user.epoch} for one in user.sessions)
    found = [session for one in claims if (session := find(user, one))]
    return sorted(found, key=lambda one: one.seen, reverse=True)


def is_fresh(session: Session) -> bool:
    """Whether its owner has shown a moment ago that it is them."""
    return session.confirmed_at is not None and clock.now() < session.confirmed_at + FRESH


def confirm(tx: dynamodb.transaction, user: User, sid: str, moment: datetime, *, with_factor: bool) -> None:
    """Note, in somebody's transaction, that a session's owner has shown who they are. Raises SessionEnded."""
    session = find(user, {"sid": sid, "epoch": user.epoch})
    if session is None:
        raise SessionEnded
    session.seen = session.confirmed_at = moment
    if with_factor:
        session.factor_at = moment
    _write(tx, user, user.sessions)


@dynamodb.retry_while_busy
def confirm_password(user_id: str, sid: str) -> None:
    """Note that a session's owner has typed the password again. Raises SessionEnded, and Busy."""
    user = dynamodb.get(User, user_id)
    if user is None:
        raise SessionEnded
    with dynamodb.transaction() as tx:
        confirm(tx, user, sid, clock.now(), with_factor=False)
        audit.write(tx, "login.confirmed", by=audit.name_of(user), target=audit.account(user_id))


def end(user_id: str, sid: str) -> None:
    """End one session. One that has ended, or never was, is no error. Raises Busy."""
    _rewrite(user_id, lambda now: [one for one in now.sessions if one.sid != sid], "login.ended")


@dynamodb.retry_while_busy
def end_all(user_id: str) -> None:
    """Log an account out everywhere. Raises Busy."""
    user = dynamodb.get(User, user_id)
    if user is None:
        return
    with dynamodb.transaction() as tx:
        tx.update(User(user_id), all_ended(), condition=User.email.exists(), otherwise=dynamodb.contended)
        audit.write(tx, "login.ended_all", by=audit.name_of(user), target=audit.account(user_id))


def all_ended() -> list[Action]:
    """What ends all sessions of an account: for the write that changes its password, role, or whether it is open."""
    return [User.epoch.add(1), User.sessions.set([]), User.session_moves.add(1)]


def none_ended(user: User) -> Condition:
    """True in the table as long as not all sessions of this account have ended since it was read."""
    same: Condition = User.epoch == user.epoch
    if user.epoch == 0:
        same = User.email.exists() & (User.epoch.does_not_exist() | same)
    return same


def _may_live(claims: Claims) -> bool:
    """Whether a cookie is worth a read. One from before there were such sessions has no ``sid``."""
    account_id = str(claims.get("account_id", ""))
    if not account_id or "#" in account_id or not {"sid", "epoch", "iat"} <= set(claims.keys()):
        return False
    return clock.now() < datetime.fromtimestamp(claims["iat"], UTC) + LIFE


@dynamodb.retry_while_busy
def _rewrite(user_id: str, change: Callable[[User], list[Session]], what: str, *, told: Session | None = None) -> bool:
    """Write the list that ``change`` makes of an account's sessions. False where there is no such account."""
    user = dynamodb.get(User, user_id)
    if user is None:
        return False
    wanted = change(user)
    if [one.sid for one in wanted] != [one.sid for one in user.sessions]:
        by, target = audit.name_of(user), audit.account(user_id)
        made_room = [one for one in live(user) if one not in wanted] if told else []
        with dynamodb.transaction() as tx:
            _write(tx, user, wanted)
            audit.write(tx, what, by=by, target=target, note=_where(told))
            for one in made_room:
                audit.write(tx, "login.made_room", by=by, target=target, note=_where(one))
    return True


def _where(session: Session | None) -> str:
    return f"{session.kind} · {session.device}" if session else ""


def _write(tx: dynamodb.transaction, user: User, wanted: list[Session]) -> None:
    actions = [User.sessions.set(wanted), User.session_moves.add(1)]
    tx.update(User(user.id), actions, condition=_unmoved(user), otherwise=dynamodb.contended)


def _unmoved(user: User) -> Condition:
    """True in the table as long as nobody has written this account's sessions since it was read."""
    same: Condition = User.session_moves == user.session_moves
    if user.session_moves == 0:
        same = User.email.exists() & (User.session_moves.does_not_exist() | same)
    return same


def _note_use(user: User, session: Session) -> None:
    moment = clock.now()
    if moment < session.seen + SEEN_EVERY:
        return
    session.seen = moment
    try:
        with dynamodb.transaction() as tx:
            _write(tx, user, user.sessions)
    except (dynamodb.Contention, dynamodb.OutcomeUnknown):
        return  # Whoever was faster has said it, or the next request does.

"""The second factor of an admin: the code that an app shows for half a minute, or one of ten codes for emergencies.

Every try is a conditional write: a code counts once, whoever sends it how often, and of any number of tries at the same
moment no more are judged than one after the other would be.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.crypto import constant_time_compare
from pynamodb.expressions.update import Action

from inventory import audit, clock, dynamodb, sessions, staff
from inventory.errors import NoSecondFactor, SessionEnded, TooManyCodes, WrongCode
from inventory.models import SecondFactor, User

ISSUER = "Ecokart"
RECOVERY_CODES = 10
#: After so many wrong codes one has to wait, twice as long after each further one.
FREE_TRIES = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_STEP_SECONDS = 30
_TOLD_EVERY = 3600


@dataclass
class _Try:
    """One try, however often it is sent. ``new_codes`` are for whoever sets the factor up."""

    moment: datetime
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    new_codes: list[str] = field(default_factory=lambda: [_recovery_code() for _ in range(RECOVERY_CODES)])


@dynamodb.retry_while_busy
def begin(user_id: str) -> SecondFactor:
    """The account's second factor: as it is, or a new secret that waits for its first code. Raises Busy."""
    found = dynamodb.get(SecondFactor, SecondFactor.key(user_id))
    if found is not None:
        return found
    new = _new(user_id)
    with dynamodb.transaction() as tx:
        tx.put(new, condition=SecondFactor.id.does_not_exist(), otherwise=dynamodb.contended)
    return new


def address(factor: SecondFactor, email: str) -> str:
    """What the app reads from the QR code."""
    import pyotp  # Only admins pay for it.

    return pyotp.TOTP(factor.secret).provisioning_uri(name=email, issuer_name=ISSUER)


def prove(user: User, code: str) -> list[str]:
    """Let the session that ``user`` was read for through, for a right code.

    Gives the recovery codes when this was the first code of a new secret, the only time that anybody sees them; else
    nothing. Raises WrongCode, for a code that was used before too; TooManyCodes; NoSecondFactor; SessionEnded; Busy.
    """
    if user.session is None:
        raise SessionEnded
    attempt = _Try(clock.now())
    try:
        is_first = _prove(user.id, user.session.sid, code, attempt)
    except TooManyCodes:
        if audit.is_first("factor.limited", user.id, seconds=_TOLD_EVERY):
            audit.record("factor.limited", by=audit.name_of(user), target=audit.account(user.id))
        raise
    return attempt.new_codes if is_first else []


def is_set_up(user_id: str) -> bool:
    """Whether an account has shown a first code, so that there is a factor that can get lost."""
    found = dynamodb.get(SecondFactor, SecondFactor.key(user_id))
    return found is not None and found.confirmed_at is not None


def reset(user_id: str, *, by: staff.By) -> None:
    """Take a lost second factor away: it is set up anew at the next log-in. All sessions end.

    Raises NoSecondFactor, what ``staff.admitted`` raises, and Busy.
    """
    _reset(user_id, _new(user_id), by=by)


@dynamodb.retry_while_busy
def _reset(user_id: str, new: SecondFactor, *, by: staff.By) -> None:
    factor, user = dynamodb.get(SecondFactor, SecondFactor.key(user_id)), dynamodb.get(User, user_id)
    if factor is None or user is None:
        raise NoSecondFactor
    if factor.secret == new.secret:
        return  # An earlier try has happened after all.
    with dynamodb.transaction() as tx:
        name, same = staff.admitted(tx, by, user), sessions.none_ended(user)
        tx.put(new, condition=SecondFactor.id.exists(), otherwise=dynamodb.contended)
        tx.update(User(user_id), sessions.all_ended(), condition=same, otherwise=dynamodb.contended)
        audit.write(tx, "factor.reset", by=name, target=audit.account(user_id))


@dynamodb.retry_while_busy
def _prove(user_id: str, sid: str, code: str, attempt: _Try) -> bool:
    factor, user = dynamodb.get(SecondFactor, SecondFactor.key(user_id)), dynamodb.get(User, user_id)
    if factor is None or user is None:
        raise NoSecondFactor
    if factor.last_try == attempt.id:
        return _as_judged(factor, attempt)
    if factor.blocked_until and attempt.moment < factor.blocked_until:
        raise TooManyCodes(factor.blocked_until - attempt.moment)
    passed = _passed(factor, code, attempt)
    with dynamodb.transaction() as tx:
        what, actions = passed or _failed(factor, attempt)
        actions = [*actions, SecondFactor.tries.add(1), SecondFactor.last_try.set(attempt.id)]
        unmoved = SecondFactor.tries == factor.tries
        tx.update(SecondFactor(factor.id), actions, condition=unmoved, otherwise=dynamodb.contended)
        if passed:
            sessions.confirm(tx, user, sid, attempt.moment, with_factor=True)
        audit.write(tx, what, by=audit.name_of(user), target=audit.account(user_id))
    if not passed:
        raise WrongCode
    return factor.confirmed_at is None


def _as_judged(factor: SecondFactor, attempt: _Try) -> bool:
    """What an earlier try has come to after all."""
    if factor.failures:
        raise WrongCode
    return factor.confirmed_at == attempt.moment


def _passed(factor: SecondFactor, code: str, attempt: _Try) -> tuple[str, list[Action]] | None:
    """The event and the updates for a right code; None for a wrong one."""
    actions: list[Action] = [SecondFactor.failures.set(0), SecondFactor.blocked_until.remove()]
    if step := _step(factor, code, attempt.moment):
        actions.append(SecondFactor.last_step.set(step))
        if factor.confirmed_at:
            return "factor.passed", actions
        actions += [SecondFactor.confirmed_at.set(attempt.moment), _codes(map(_digest, attempt.new_codes))]
        return "factor.set_up", actions
    digest, kept = _digest(code), [str(one) for one in factor.codes]
    if any(constant_time_compare(digest, one) for one in kept):
        return "factor.recovered", [*actions, _codes(one for one in kept if one != digest)]
    return None


def _codes(digests: Iterable[str]) -> Action:
    return SecondFactor.codes.set(list(digests))  # type: ignore[arg-type]


def _failed(factor: SecondFactor, attempt: _Try) -> tuple[str, list[Action]]:
    failures = factor.failures + 1
    actions: list[Action] = [SecondFactor.failures.set(failures)]
    if failures >= FREE_TRIES:
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(failures - FREE_TRIES, 10))
        actions.append(SecondFactor.blocked_until.set(attempt.moment + wait))
    return "factor.failed", actions


def _step(factor: SecondFactor, code: str, moment: datetime) -> int | None:
    """The half minute that a code is of, if that was not used yet. One before and after count: clocks differ."""
    import pyotp

    digits, now = re.sub(r"\s", "", code), int(moment.timestamp()) // _STEP_SECONDS
    totp = pyotp.TOTP(factor.secret)
    fitting = [step for step in (now - 1, now, now + 1) if constant_time_compare(totp.generate_otp(step), digits)]
    return next((step for step in fitting if step > factor.last_step), None)


def _new(user_id: str) -> SecondFactor:
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    return SecondFactor(SecondFactor.key(user_id), secret=secret)


def _recovery_code() -> str:
    """120 bits in four groups that one can write down."""
    signs = base64.b32encode(secrets.token_bytes(15)).decode()
    return "-".join(re.findall(".{6}", signs))


def _digest(code: str) -> str:
    """What is kept of a recovery code. It is too long to be guessed, so no slow hash is needed."""
    signs = re.sub(r"[^A-Z2-7]", "", code.upper())
    return hashlib.sha256(signs.encode()).hexdigest()

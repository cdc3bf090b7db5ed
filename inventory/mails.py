"""Mails that are to be sent: each is written in the transaction of what it tells about, and removed when it is sent.

So none is lost: what a process leaves that dies in between, a sweep sends. One may come twice, when a process dies
after sending and before removing. What a mail says and how it travels is not known here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.conf import settings
from django.utils.translation import get_language
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from inventory import clock, dynamodb
from inventory.models import Mail

#: How often a mail is tried. The pauses between the tries grow: the last one is made a day and a half after the first.
TRIES = 10
#: How long whoever tries has a mail for themselves: longer than any try takes.
LEASE = timedelta(minutes=2)
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)
#: How long a mail that was tried too often waits for an operator.
PARKED_FOR = timedelta(days=30)

#: Puts an entry of the audit log into a mail's transaction.
Told = Callable[[dynamodb.transaction], None]

_written: ContextVar[list[str] | None] = ContextVar("written", default=None)


@contextmanager
def collected() -> Iterator[list[str]]:
    """The ids of the mails that are written in this block, to be sent after it. Some may not have come to be."""
    ids: list[str] = []
    token = _written.set(ids)
    try:
        yield ids
    finally:
        _written.reset(token)


def spoken() -> str:
    """The language of whoever is asking."""
    return (get_language() or settings.LANGUAGE_CODE).partition("-")[0]


def write(tx: dynamodb.transaction, kind: str, *, to: str, about: dict[str, str], language: str = "") -> None:
    """Add a mail to a transaction. Where no language is said, it is that of whoever is asking."""
    mail = _made(kind, to=to, about=about, language=language or spoken())
    tx.put(mail, condition=Mail.id.does_not_exist(), otherwise=dynamodb.contended)


def write_one(kind: str, *, to: str, about: dict[str, str], told: Told | None = None) -> None:
    """Write a mail that tells of nothing else that is written, but for an entry of the audit log. Raises Busy."""
    _put(_made(kind, to=to, about=about, language=spoken()), told)


def claim(mail_id: str) -> Mail | None:
    """Have a mail for oneself for a while; None when it is sent, not due, or somebody else is about to send it."""
    now = clock.now()
    mail = Mail(mail_id)
    actions: list[Action] = [Mail.due_at.set(now + LEASE), Mail.tries.add(1)]
    return mail if _updated(mail, actions, condition=Mail.due_at <= now) else None


def remove(mail: Mail) -> None:
    """A mail that was sent goes. If that cannot be written now, it is sent again: twice is better than never."""
    try:
        mail.delete()
    except PynamoDBException as failed:
        if not dynamodb.is_unavailable(failed):
            raise


def put_off(mail: Mail) -> bool:
    """Let a mail that could not be sent wait for its next try. True if there is none: it is parked."""
    now = clock.now()
    if is_last := mail.tries >= TRIES:
        actions: list[Action] = [Mail.due_at.remove(), Mail.delete_at.set(now + PARKED_FOR)]
    else:
        pause = min(_FIRST_PAUSE * 4 ** (mail.tries - 1), _LONGEST_PAUSE)
        actions = [Mail.due_at.set(now + pause)]
    _updated(mail, actions, condition=Mail.tries == mail.tries)
    return is_last


def due() -> list[str]:
    """The ids of all mails that may be tried now, the longest waiting first."""
    now = clock.now()
    with dynamodb.reading():
        # The table holds what waits and nothing else, so it is as good as empty.
        found = list(Mail.scan(Mail.due_at <= now, consistent_read=True))
    return [mail.id for mail in sorted(found, key=lambda mail: mail.written_at)]


def oldest_wait() -> timedelta:
    """How long the mail that waits longest has waited. Parked ones count no more."""
    with dynamodb.reading():
        moments = [mail.written_at for mail in Mail.scan(Mail.due_at.exists(), consistent_read=True)]
    return clock.now() - min(moments) if moments else timedelta(0)


def try_parked_again() -> int:
    """Let those mails that were tried too often begin anew; gives how many."""
    with dynamodb.reading():
        parked = list(Mail.scan(Mail.due_at.does_not_exist(), consistent_read=True))
    actions: list[Action] = [Mail.due_at.set(clock.now()), Mail.tries.set(0), Mail.delete_at.remove()]
    return sum(_updated(mail, actions, condition=Mail.tries >= TRIES) for mail in parked)


def _made(kind: str, *, to: str, about: dict[str, str], language: str) -> Mail:
    mail = Mail(str(uuid.uuid4()), kind=kind, to=to, language=language, about=about, due_at=clock.now())
    ids = _written.get()
    if ids is not None:
        ids.append(mail.id)
    return mail


@dynamodb.retry_while_busy
def _put(mail: Mail, told: Told | None) -> None:
    with dynamodb.transaction() as tx:
        tx.put(mail, condition=Mail.id.does_not_exist(), otherwise=lambda _: dynamodb.AlreadyDone())
        if told:
            told(tx)


def _updated(mail: Mail, actions: list[Action], *, condition: Condition) -> bool:
    """Whether a change happened. Not where its condition failed, or no answer came: a sweep sees it later."""
    try:
        mail.update(actions, condition=condition)
    except PynamoDBException as failed:
        refused = dynamodb.error_code(failed) == "ConditionalCheckFailedException"
        if not refused and not dynamodb.is_unavailable(failed):
            raise
        return False
    return True

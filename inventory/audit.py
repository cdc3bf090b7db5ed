"""The audit log: who did what, written with it, only ever added to.

A rule that changes something for an admin, or lets somebody in, puts an entry into its own transaction (``write``):
both are there or neither is. What has no write of its own, such as a log-in that fails, is written by ``record``.
"""

from __future__ import annotations

import functools
import logging
import operator
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _
from pynamodb.expressions.condition import Condition

from inventory import clock, counters, dynamodb
from inventory.attributes import iso
from inventory.models import AuditEntry, Change, User

logger = logging.getLogger(__name__)

#: The groups of what can happen (``AuditEntry.EVENTS``).
GROUPS = {
    "product": _("Products"),
    "stock": _("Stock"),
    "order": _("Orders"),
    "account": _("Accounts"),
    "factor": _("Second factors"),
    "login": _("Log-ins"),
}
#: How long an entry is kept. Changes as long as somebody may ask for them in the books; log-ins half a year.
KEPT = timedelta(days=3 * 365)
LOGINS_KEPT = timedelta(days=180)
_LONGEST = 500
_EARLIEST = "2"
_LOST = "An entry for the audit log could not be written: %s"


@dataclass(frozen=True)
class Page:
    """Some entries, newest first. ``older`` is the key from which the next page goes on, if any."""

    entries: list[AuditEntry]
    older: str | None


def write(
    tx: dynamodb.transaction,
    what: str,
    *,
    by: str,
    target: str = "",
    changes: Iterable[tuple[str, str, str]] = (),
    note: str = "",
) -> None:
    """Put an entry of this moment into somebody's transaction. ``changes`` are (field, before, after)."""
    moment = clock.now()
    entry = AuditEntry(
        moment.strftime("%Y-%m"),
        # What follows the moment keeps two of one moment apart.
        f"{iso(moment)}#{secrets.token_hex(4)}",
        actor=by or "?",
        what=what,
        target=target or None,
        changes=[Change(field=field, before=_short(before), after=_short(after)) for field, before, after in changes],
        note=_short(note),
        delete_at=moment + (LOGINS_KEPT if what.startswith("login.") else KEPT),
    )
    tx.put(entry, condition=AuditEntry.month.does_not_exist(), otherwise=dynamodb.contended)


def is_first(what: str, who: str, *, seconds: int) -> bool:
    """Whether an event is somebody's first in this window, for those that anybody can cause as often as they like.

    Where the database cannot tell it is not recorded, and a line in the log says so.
    """
    try:
        counters.add(f"told-{what}", who, seconds=seconds, below=1)
    except counters.Full:
        return False
    except dynamodb.Contention:
        logger.warning(_LOST, what)
        return False
    return True


def record(what: str, *, by: str, target: str = "", note: str = "") -> None:
    """Write an entry of its own. Where the database cannot take it now, a line in the log says so and life goes on."""
    try:
        with dynamodb.transaction() as tx:
            write(tx, what, by=by, target=target, note=note)
    except (dynamodb.Contention, dynamodb.OutcomeUnknown):
        logger.warning(_LOST, what)


def name_of(user: User) -> str:
    """What an account goes by: an admin by address, as in movements and orders, a customer by the account's id."""
    return user.email if user.is_admin else user.id


def masked(email: str) -> str:
    """An address that only its owner recognises: ``a…@example.com``."""
    name, _at, domain = email.strip().lower().rpartition("@")
    return f"{name[:1]}…@{domain}"[:_LONGEST]


def account(user_id: str) -> str:
    """An account as a target."""
    return f"account#{user_id}"


def whose(address: str, user: User | None) -> str:
    """The account at an address as a target, or the address where there is none.

    An entry that has no target is written a little faster, which would tell who has no account.
    """
    return account(user.id) if user else f"address#{masked(address)}"


def look(
    *,
    actor: str = "",
    target: str = "",
    group: str = "",
    month: str = "",
    before: str = "",
    limit: int = 25,
) -> Page:
    """A page of entries, newest first: of one actor, about one target, of one group, of one month.

    Without actor and target it is one month's, this one's unless another is asked for. Never scans.
    """
    wanted: list[Condition] = [AuditEntry.what.startswith(f"{group}.")] if group else []
    if actor and target:
        wanted.append(AuditEntry.target == target)
    month = month if actor or target else month or before[:7] or this_month()
    # The key from which it goes on is found once more and left out.
    found = [entry for entry in _query(actor, target, month, before, wanted, limit + 2) if entry.time != before]
    return Page(found[:limit], found[limit - 1].time if len(found) > limit else None)


def this_month() -> str:
    """``2026-11``, in UTC."""
    return clock.now().strftime("%Y-%m")


def month_before(month: str) -> str:
    """``2026-10`` for ``2026-11``."""
    return (datetime.fromisoformat(f"{month}-01") - timedelta(days=1)).strftime("%Y-%m")


def _query(
    actor: str, target: str, month: str, before: str, wanted: list[Condition], limit: int
) -> Iterable[AuditEntry]:
    span: Condition | None = AuditEntry.time.startswith(month) if month else None
    if before:
        span = AuditEntry.time.between(month or _EARLIEST, before)
    filters = functools.reduce(operator.and_, wanted) if wanted else None
    if actor:
        return AuditEntry.actor_index.query(actor, span, filters, scan_index_forward=False, limit=limit)
    if target:
        return AuditEntry.target_index.query(target, span, filters, scan_index_forward=False, limit=limit)
    return AuditEntry.query(month, span, filters, scan_index_forward=False, limit=limit, consistent_read=True)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""Who changes other people's accounts: an operator by a command, or an admin in the panel."""

from __future__ import annotations

from dataclasses import dataclass

from inventory import audit, dynamodb
from inventory.errors import AccountChanged, OwnAccount, SessionEnded
from inventory.models import User


@dataclass(frozen=True)
class Admin:
    """An admin who changes an account. ``seen`` is the ``epoch`` that it had on the page that they decided by."""

    account: User
    seen: int


#: A command goes by its name.
By = str | Admin


def admitted(tx: dynamodb.transaction, by: By, user: User) -> str:
    """What the audit log calls whoever changes an account in this transaction. An operator may change any.

    An admin may not change their own (OwnAccount), nor one that has changed since they looked (AccountChanged), and
    must be an admin when it is written (SessionEnded): of two who take the role from one another, one is too late. So
    there is always one left.
    """
    if isinstance(by, str):
        return by
    if by.account.id == user.id:
        raise OwnAccount
    if by.seen != user.epoch:
        raise AccountChanged
    still = (User.role == "admin") & User.disabled_at.does_not_exist()
    tx.check(User, by.account.id, condition=still, otherwise=lambda _: SessionEnded())
    return audit.name_of(by.account)

"""Another password: changed by whoever knows the old one, or set anew by whoever reads the account's mail."""

from __future__ import annotations

import hashlib

from django.contrib.auth.hashers import make_password

from inventory import accounts, audit, clock, dynamodb, mails, sessions
from inventory.errors import LinkUsed, SessionEnded
from inventory.models import User


def change(user: User, *, old: str, new: str) -> User:
    """Give an account another password and end all its sessions; gives it as a session may begin for it then.

    Raises WrongPassword; SessionEnded when the password was changed, or all sessions ended, elsewhere in this moment;
    and Busy.
    """
    known = accounts.prove(user, old)
    known.epoch = user.epoch
    try:
        _set(known, new=make_password(new))
    except LinkUsed:
        raise SessionEnded from None
    known.epoch += 1
    return known


def ask_reset(email: str) -> None:
    """Write a mail that leads to a new password. Raises Busy.

    An address without an account gets a mail that says so: whoever asks learns nothing, and it takes as long.
    """
    address = accounts.normalised(email)
    user = accounts.find_by_email(address)

    def told(tx: dynamodb.transaction) -> None:
        audit.write(tx, "login.reset_asked", by=audit.masked(address), target=audit.whose(address, user))

    if user is None:
        mails.write_one("no-account", to=address, about={}, told=told)
    else:
        mails.write_one("reset-password", to=user.email, about=accounts.who(user, state=state(user)), told=told)


def reset(user_id: str, *, seen: str, new: str) -> User:
    """Give an account another password for a link that was sent when it was in the state ``seen``.

    All its sessions end, and its address is right: the link came there. Raises LinkUsed when its password or address
    has changed since, which the first use does; and Busy.
    """
    user = find_for_reset(user_id, seen=seen)
    _set(user, new=make_password(new), is_verified=True)
    return user


def find_for_reset(user_id: str, *, seen: str) -> User:
    """The account that a link is still good for. Raises LinkUsed."""
    user = accounts.find(user_id)
    if user is None or state(user) != seen:
        raise LinkUsed
    return user


def state(user: User) -> str:
    """A digest of what a link to a new password depends on: once either changes, no earlier link opens anything."""
    return hashlib.sha256(f"{user.password} {user.email}".encode()).hexdigest()[:32]


@dynamodb.retry_while_busy
def _set(seen: User, *, new: str, is_verified: bool = False) -> None:
    user = accounts.find(seen.id)
    if user is not None and user.password == new:
        return  # An earlier try has happened after all.
    if user is None or (user.password, user.epoch) != (seen.password, seen.epoch):
        raise LinkUsed
    # Who knew the password of before may have asked for an address of their own.
    actions = [User.password.set(new), User.new_email.remove(), *sessions.all_ended()]
    if is_verified and user.verified_at is None:
        actions.append(User.verified_at.set(clock.now()))
    with dynamodb.transaction() as tx:
        same = (User.password == seen.password) & sessions.none_ended(user)
        tx.update(User(user.id), actions, condition=same, otherwise=dynamodb.contended)
        mails.write(tx, "password-changed", to=user.email, about=accounts.who(user))
        what = "account.reset" if is_verified else "account.password"
        audit.write(tx, what, by=audit.name_of(user), target=audit.account(user.id))

"""That an e-mail address is its account's: shown once by a mail to it, and changed only to one that was shown so."""

from __future__ import annotations

from inventory import accounts, audit, clock, dynamodb, limits, mails, sessions
from inventory.errors import EmailTaken, LinkUsed, SessionEnded
from inventory.models import EmailGuard, User


def send_again(user: User) -> None:
    """Write another mail that asks whether the address is right. Raises Busy."""
    if user.verified_at is None:
        mails.write_one("verify-address", to=user.email, about=accounts.who(user))


@dynamodb.retry_while_busy
def verify(user_id: str, email: str) -> User:
    """Note that whoever reads this address wants this account. Raises LinkUsed when it is no longer the account's."""
    user = accounts.find(user_id)
    if user is None or user.email != email:
        raise LinkUsed
    if user.verified_at is None:
        actions = [User.verified_at.set(clock.now())]
        with dynamodb.transaction() as tx:
            tx.update(User(user.id), actions, condition=User.email == email, otherwise=dynamodb.contended)
            audit.write(tx, "account.verified", by=audit.name_of(user), target=audit.account(user_id))
    return user


def ask_change(user: User, email: str, *, password: str) -> None:
    """Ask by mail whether an account's new address is right; until that is answered, the old one counts.

    An address that has an account already is asked in the same way; it is its owner who is told, and nobody else.
    Where it was written to too often lately nothing happens, which nobody is told. Raises WrongPassword, SessionEnded
    when the account is gone or was shut to whoever asks in this moment, and Busy.
    """
    known, address = accounts.prove(user, password), accounts.normalised(email)
    if limits.may_be_mailed(address):
        _ask(known, address)


@dynamodb.retry_while_busy
def _ask(seen: User, address: str) -> None:
    user = accounts.find(seen.id)
    # Whoever has just been shut out, by a new password, must not leave an address of their own behind.
    if user is None or (user.password, user.epoch) != (seen.password, seen.epoch):
        raise SessionEnded
    taken = accounts.find_by_email(address) is not None
    kind = "address-taken" if taken else "verify-new-address"
    about = {"email": address} if taken else accounts.who(user, by_name=False, email=address)
    same = (User.email == user.email) & (User.password == user.password) & sessions.none_ended(user)
    actions = [User.new_email.remove() if taken else User.new_email.set(address)]
    with dynamodb.transaction() as tx:
        tx.update(User(user.id), actions, condition=same, otherwise=dynamodb.contended)
        mails.write(tx, kind, to=address, about=about)
        changes = [("email", audit.masked(user.email), audit.masked(address))]
        audit.write(tx, "account.email_asked", by=audit.name_of(user), target=audit.account(user.id), changes=changes)


@dynamodb.retry_while_busy
def change(user_id: str, email: str) -> User:
    """Give an account the new address that it was asked about, and tell the old one.

    Raises LinkUsed when the account wants another one by now, and EmailTaken when somebody else has it by now.
    """
    user = accounts.find(user_id)
    if user is not None and user.email == email:
        return user  # An earlier try has happened after all, or the link is used again.
    if user is None or user.new_email != email:
        raise LinkUsed
    old, new = (EmailGuard(EmailGuard.key(address), user_id=user.id) for address in (user.email, email))
    same = (User.email == user.email) & (User.new_email == email)
    actions = [User.email.set(email), User.new_email.remove(), User.verified_at.set(clock.now())]
    with dynamodb.transaction() as tx:
        tx.put(new, condition=EmailGuard.id.does_not_exist(), otherwise=lambda _: EmailTaken())
        tx.delete(old, condition=EmailGuard.user_id == user.id, otherwise=dynamodb.contended)
        tx.update(User(user.id), actions, condition=same, otherwise=dynamodb.contended)
        mails.write(tx, "email-changed", to=user.email, about=accounts.who(user, email=email))
        changes = [("email", audit.masked(user.email), audit.masked(email))]
        audit.write(tx, "account.email", by=audit.name_of(user), target=audit.account(user_id), changes=changes)
    user.email, user.new_email = email, None
    return user

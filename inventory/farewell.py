"""The end of an account: the person goes, and what the law wants kept stays."""

from __future__ import annotations

from inventory import accounts, audit, carts, dynamodb, mails, orders, reservations
from inventory.errors import WrongPassword
from inventory.models import EmailGuard, SecondFactor, User


def delete(user: User, *, password: str) -> None:
    """Close an account for good. Raises WrongPassword, and Busy.

    The units in its cart go back on the shelf. Its orders keep what an invoice needs and lose the e-mail address, those
    that are under way when they have arrived. The account itself goes last, in one transaction with its address, its
    book and its sessions: whatever stops this before, the owner can log in and ask again, and it goes on from there.
    """
    _remove(accounts.prove(user, password))


@dynamodb.retry_while_busy
def _remove(known: User) -> None:
    user = accounts.find(known.id)
    if user is None:
        return  # An earlier try has happened after all.
    if user.password != known.password:
        raise WrongPassword
    cart = reservations.clear(user.id)
    orders.forget_customer(user.id)
    guard = EmailGuard(EmailGuard.key(user.email))
    same = (User.password == user.password) & (User.email == user.email)
    factor = dynamodb.get(SecondFactor, SecondFactor.key(user.id)) if user.is_admin else None
    with dynamodb.transaction() as tx:
        # Who still shops meanwhile is faster, and all of this begins anew, or finds the cart closed.
        carts.close(tx, cart)
        if factor:
            tx.delete(factor, condition=SecondFactor.id.exists(), otherwise=dynamodb.contended)
        tx.delete(guard, condition=EmailGuard.user_id == user.id, otherwise=dynamodb.contended)
        tx.delete(User(user.id), condition=same, otherwise=dynamodb.contended)
        mails.write(tx, "account-deleted", to=user.email, about=accounts.who(user))
        audit.write(tx, "account.deleted", by=audit.name_of(user), target=audit.account(user.id))

"""The end of an account: the person goes, and what the law wants kept stays."""

from __future__ import annotations

from inventory import accounts, audit, carts, dynamodb, mails, orders, reservations
from inventory.errors import OwnAccount
from inventory.models import EmailGuard, SecondFactor, User


def delete(user: User, *, password: str) -> None:
    """Close an account for good. Raises WrongPassword, OwnAccount for an admin's, and Busy.

    The units in its cart go back on the shelf. Its orders keep what an invoice needs and lose the e-mail address, those
    that are under way when they have arrived. The account itself goes last, in one transaction with its address, its
    book and its sessions: whatever stops this before, the owner can log in and ask again, and it goes on from there. A
    password or a role that is changed meanwhile does not stop it: half of an account would be gone then.
    """
    known = accounts.prove(user, password)
    if known.is_admin:
        raise OwnAccount
    _remove(known.id)


@dynamodb.retry_while_busy
def _remove(user_id: str) -> None:
    user = accounts.find(user_id)
    if user is None:
        return  # An earlier try has happened after all.
    cart = reservations.clear(user.id)
    # What was ordered a moment ago may not be in the index yet; its id is one that the cart had.
    orders.forget_customer(user.id, beside=[str(one) for one in (*cart.offers, cart.order_id) if one])
    guard = EmailGuard(EmailGuard.key(user.email))
    # Whoever was an admin once has one.
    factor = dynamodb.get(SecondFactor, SecondFactor.key(user.id))
    with dynamodb.transaction() as tx:
        # Who still shops meanwhile is faster, and all of this begins anew, or finds the cart closed.
        carts.close(tx, cart)
        if factor:
            tx.delete(factor, condition=SecondFactor.id.exists(), otherwise=dynamodb.contended)
        tx.delete(guard, condition=EmailGuard.user_id == user.id, otherwise=dynamodb.contended)
        tx.delete(User(user.id), condition=User.email == user.email, otherwise=dynamodb.contended)
        mails.write(tx, "account-deleted", to=user.email, about=accounts.who(user))
        audit.write(tx, "account.deleted", by=audit.name_of(user), target=audit.account(user.id))

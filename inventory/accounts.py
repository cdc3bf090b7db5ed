"""Accounts: one for each e-mail address, with a bcrypt password and a role."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from datetime import datetime

import bcrypt
from django.contrib.auth.hashers import check_password, get_hasher, identify_hasher, make_password
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from inventory import audit, clock, dynamodb, mails, reservations, sessions, staff
from inventory.dynamodb import Raw
from inventory.errors import AddressNotConfirmed, EmailTaken, InventoryError, NoSuchAccount, WrongPassword
from inventory.lines import Notice
from inventory.models import EmailGuard, User

# The first version's hashes are plain bcrypt, which reads 72 bytes of a password and no more.
_PLAIN_BCRYPT = ("$2a$", "$2b$", "$2y$")
_BCRYPT_BYTES = 72
PASSWORD_MAX_LENGTH = 1024
_NOBODY = "nobody"
#: Who did it, as far as the audit log can know: somebody who may run commands.
OPERATOR = "manage.py"

#: An event of the audit log, the update that it stands for, and (field, before, after).
_Change = tuple[str, Action, list[tuple[str, str, str]]]


def register(*, email: str, password: str, name: str) -> User:
    """Open a customer's account and ask by mail whether its address is right.

    Raises EmailTaken when the address has an account, and Busy; nothing is written then.
    """
    return _create(email=email, password=password, name=name, role="user")


def tell_owner(email: str) -> None:
    """Tell whose address it is that somebody wanted an account for it. Raises Busy."""
    address = normalised(email)
    mails.write_one("address-taken", to=address, about={"email": address})


def create(*, email: str, password: str, name: str) -> User:
    """Open a customer's account for an operator, who knows the address to be right. Raises as ``register`` does."""
    return _create(email=email, password=password, name=name, role="user", verified_at=clock.now(), by=OPERATOR)


def create_admin(*, email: str, password: str, name: str) -> User:
    """Open an admin's account in the same way."""
    return _create(email=email, password=password, name=name, role="admin", verified_at=clock.now(), by=OPERATOR)


def authenticate(email: str, password: str) -> User | None:
    """The account with this address and password, or None: an unknown address takes as long as a wrong password.

    A password that is stored in an earlier form is stored anew in today's. A disabled account has no way in.
    """
    return _let_in(find_by_email(email), password, email=email)


def prove(user: User, password: str) -> User:
    """The account as it stands now, for whoever knows its password. Raises WrongPassword."""
    # By its id: that its address has just become another one makes no password wrong.
    known = _let_in(find(user.id), password, email=user.email)
    if known is None:
        raise WrongPassword
    return known


def enter(user: User, *, kind: str, device: str, guest_id: str | None) -> tuple[dict[str, str | int], list[Notice]]:
    """Log an account in on a device, and put the cart of the guest who was there into the account's.

    Gives what the cookie has to say, and what happened to the cart. Raises what ``sessions.begin`` and
    ``reservations.join`` raise; then nobody is logged in.
    """
    begun = sessions.begin(user, kind=kind, device=device)
    try:
        # Afterwards, so that the cart of a guest who is refused stays theirs.
        notices = reservations.join(guest_id, user.id) if guest_id else []
    except InventoryError:
        sessions.end(user.id, str(begun["sid"]))
        raise
    return begun, notices


def disable(user_id: str, *, by: staff.By) -> None:
    """Close an account for whoever uses it, at once: its sessions end, and no new one begins.

    Raises NoSuchAccount, what ``staff.admitted`` raises, and Busy; so do ``enable`` and ``change_role``.
    """

    def change(user: User) -> _Change | None:
        changes = [("disabled", "no", "yes")]
        return None if user.disabled_at else ("account.disabled", User.disabled_at.set(clock.now()), changes)

    _change(user_id, change, by=by)


def enable(user_id: str, *, by: staff.By) -> None:
    """Open a disabled account again. Its sessions of before stay ended."""

    def change(user: User) -> _Change | None:
        changes = [("disabled", "yes", "no")]
        return ("account.enabled", User.disabled_at.remove(), changes) if user.disabled_at else None

    _change(user_id, change, by=by)


def change_role(user_id: str, *, role: str, by: staff.By) -> None:
    """Make an account a customer's (``user``) or an ``admin``'s. All its sessions end.

    Raises AddressNotConfirmed where an admin would let somebody in who may be a stranger; an operator knows who it is.
    """

    def change(user: User) -> _Change | None:
        if role == "admin" and not user.verified_at and isinstance(by, staff.Admin):
            raise AddressNotConfirmed
        return None if user.role == role else ("account.role", User.role.set(role), [("role", user.role, role)])

    _change(user_id, change, by=by)


def _let_in(known: User | None, password: str, *, email: str) -> User | None:
    user = _with_password(known, password)
    if user is None or user.disabled_at:
        audit.record("login.failed", by=audit.masked(email), target=audit.whose(email, known))
        return None
    return user


def _with_password(user: User | None, password: str) -> User | None:
    # Django writes the name of its hasher in front of a plain hash.
    stored = (user.password if user else _hash_of_nobody()).removeprefix("bcrypt$")
    if len(password) > PASSWORD_MAX_LENGTH:
        return None
    is_plain = stored.startswith(_PLAIN_BCRYPT)
    fits = _fits_plain_bcrypt(password, stored) if is_plain else check_password(password, stored)
    if user is None or not fits:
        return None
    if is_plain and len(password.encode()) > _BCRYPT_BYTES:
        # Plain bcrypt has not read the end of so long a password. It may be wrong, so it must not be stored as right.
        return user
    return _with_hash_of_today(user, password) if is_plain or _is_old(stored) else user


def find(user_id: str) -> User | None:
    """The account as it stands now, or None."""
    return dynamodb.get(User, user_id) if user_id and "#" not in user_id else None


def find_by_email(email: str) -> User | None:
    """The account with this address, through its guard item: never stale, unlike an index."""
    guard = dynamodb.get(EmailGuard, EmailGuard.key(normalised(email)))
    if guard is None:
        # An address that nobody has takes a second read too, and items to make something of: the time would tell.
        find(_NOBODY)
        for model, raw in _items_of_nobody():
            model.from_raw_data(raw)
        return None
    return find(guard.user_id)


def who(user: User, *, by_name: bool = True, **more: str) -> dict[str, str]:
    """What a mail about an account needs to know.

    Its name only where its address is known to be right: nobody gets mail with words that a stranger chose for a name.
    """
    name = user.name if by_name and user.verified_at else ""
    return {"user": user.id, "name": name, "email": user.email, **more}


def normalised(email: str) -> str:
    """The form in which addresses are compared: without blanks around, in small letters."""
    return email.strip().lower()


def _create(
    *, email: str, password: str, name: str, role: str, verified_at: datetime | None = None, by: str = ""
) -> User:
    hashed = make_password(password)
    new = User(str(uuid.uuid4()), email=normalised(email), password=hashed, role=role, name=name)
    new.verified_at = verified_at
    return _add(new, by=by or new.id)


@dynamodb.retry_while_busy
def _change(user_id: str, change: Callable[[User], _Change | None], *, by: staff.By) -> None:
    """Change what decides who may come in, and end whatever began under what was before. None: it is so already."""
    user = find(user_id)
    if user is None:
        raise NoSuchAccount
    wanted = change(user)
    if wanted is None:
        return
    what, action, changes = wanted
    with dynamodb.transaction() as tx:
        name, same = staff.admitted(tx, by, user), sessions.none_ended(user)
        tx.update(User(user_id), [action, *sessions.all_ended()], condition=same, otherwise=dynamodb.contended)
        audit.write(tx, what, by=name, target=audit.account(user_id), changes=changes)


@dynamodb.retry_while_busy
def _add(user: User, *, by: str) -> User:
    def taken(found: EmailGuard | None) -> Exception:
        return dynamodb.AlreadyDone() if found and found.user_id == user.id else EmailTaken()

    guard = EmailGuard(EmailGuard.key(user.email), user_id=user.id)
    with dynamodb.transaction() as tx:
        tx.put(guard, condition=EmailGuard.id.does_not_exist(), otherwise=taken)
        tx.put(user, condition=User.id.does_not_exist(), otherwise=dynamodb.contended)
        if user.verified_at is None:
            mails.write(tx, "verify-address", to=user.email, about=who(user))
        changes = [("role", "", user.role)]
        audit.write(tx, "account.created", by=by, target=audit.account(user.id), changes=changes)
    return user


@functools.cache
def _hash_of_nobody() -> str:
    """A hash that nobody's password has, so that there is something to compare with."""
    return make_password(uuid.uuid4().hex)


@functools.cache
def _items_of_nobody() -> list[tuple[type[Model], Raw]]:
    """Such items as the table has of everybody."""
    guard = EmailGuard(EmailGuard.key(_NOBODY), user_id=_NOBODY)
    user = User(_NOBODY, email=_NOBODY, password=_hash_of_nobody(), role="user", name=_NOBODY)
    return [(type(item), item.serialize()) for item in (guard, user)]


def _fits_plain_bcrypt(password: str, stored: str) -> bool:
    """Whether a password fits a plain hash; as much work as with a hash of today, or the time would tell whose is old.

    A hash of cost ``c`` is 2 to the power of ``c`` rounds. With one more of each cost up to today's it is as many.
    """
    secret = password.encode()[:_BCRYPT_BYTES]
    try:
        fits, cost = bcrypt.checkpw(secret, stored.encode()), int(stored[4:6])
    except ValueError:
        # What is stored only begins like a hash: nobody's password fits.
        check_password(password, _hash_of_nobody())
        return False
    for each in range(cost, int(_hash_of_nobody().split("$")[3])):
        bcrypt.hashpw(secret, bcrypt.gensalt(each))
    return fits


def _is_old(stored: str) -> bool:
    written_with, today = identify_hasher(stored), get_hasher()
    return written_with.algorithm != today.algorithm or today.must_update(stored)


def _with_hash_of_today(user: User, password: str) -> User:
    """The account with its password stored in today's form. If that does not work now, the next log-in does it."""
    old, new = user.password, make_password(password)
    try:
        with dynamodb.transaction() as tx:
            tx.update(
                User(user.id),
                [User.password.set(new)],
                condition=User.password == old,
                otherwise=dynamodb.contended,
            )
    except (dynamodb.Contention, dynamodb.OutcomeUnknown):
        return user
    user.password = new
    return user

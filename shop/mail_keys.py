"""The signed keys in mails: each opens one thing, for one account, for a while."""

from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner

#: What a key is for, and how long it is good from when its mail is sent.
LIVES = {"verify": timedelta(days=1), "email": timedelta(days=1), "reset": timedelta(hours=1)}


def make(purpose: str, *about: str) -> str:
    """A key that says ``about`` whom and what it is."""
    return _signer(purpose).sign_object([*about])


def read(purpose: str, key: str) -> tuple[str, str] | None:
    """The two things that a key is about; None when we have not made it for this, or its time is up."""
    try:
        one, other = _signer(purpose).unsign_object(key, max_age=LIVES[purpose])
    except (BadSignature, ValueError):
        return None
    return one, other


def _signer(purpose: str) -> TimestampSigner:
    return TimestampSigner(salt=f"mail.{purpose}")

"""Django's signed session cookie. What a process has found well signed it does not work out again at each page.

To check a signature takes twice as long as all else that is done for a session, and who turns pages sends the same
cookie each time. Only that a cookie is ours is remembered, by all of its letters and by the keys that sign. How old it
may be is judged at each request; what it says is read anew, so nothing that one request changes is seen by another; and
whether the session lives that it speaks of is said by its account (``inventory/sessions.py``), not here.
"""

from __future__ import annotations

import functools
import time
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import signed_cookies
from django.core import signing

_SALT = "django.contrib.sessions.backends.signed_cookies"
#: Some 500 bytes each; beyond, whoever came longest ago is checked anew.
_REMEMBERED = 1024


class SessionStore(signed_cookies.SessionStore):
    def load(self) -> dict[str, Any]:
        """What the cookie says. Nothing where it is not ours or too old: the visitor gets another one then."""
        cookie = self.session_key or ""
        try:
            said, signed_at = _opened(cookie, settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))
            if time.time() - signed_at > settings.SESSION_COOKIE_AGE:
                raise signing.SignatureExpired
            found: dict[str, Any] = self.serializer().loads(said)
        except (signing.BadSignature, ValueError):
            self.create()
            return {}
        return found


class _AsItIs:
    def loads(self, data: bytes) -> bytes:
        return data


@functools.lru_cache(maxsize=_REMEMBERED)
def _opened(cookie: str, *_keys: object) -> tuple[bytes, int]:
    """What stands in a cookie, and in which second it was signed; both are signed.

    Raises BadSignature where that was not with one of the keys, which is not remembered.
    """
    said: bytes = signing.loads(cookie, serializer=_AsItIs, salt=_SALT)  # type: ignore[arg-type]
    return said, signing.b62_decode(cookie.rsplit(":", 2)[1])

"""Django's mail backend for Amazon SES, on the SDK that is there anyway.

A client is made with the first mail and kept: to make one for each takes longer than to send it.
"""

from __future__ import annotations

import email.encoders
import functools
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    """Sends each mail as it is. Raises what the SDK raises."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            _client().send_raw_email(
                Source=settings.MAIL_FROM,
                Destinations=message.recipients(),
                RawMessage={"Data": _in_ascii(message)},
            )
        return len(email_messages)


def _in_ascii(message: EmailMessage) -> bytes:
    """The mail as it travels. SES takes nothing of eight bits, as Django writes an umlaut."""
    mail = message.message()
    for part in mail.walk():
        if part["Content-Transfer-Encoding"] == "8bit":
            del part["Content-Transfer-Encoding"]
            email.encoders.encode_quopri(part)
    return mail.as_bytes()


@functools.cache
def _client() -> Any:
    import botocore.session
    from botocore.config import Config

    # A customer waits for it, and what is not sent now is sent later.
    patience = Config(connect_timeout=1, read_timeout=settings.EMAIL_TIMEOUT, retries={"total_max_attempts": 1})
    return botocore.session.get_session().create_client("ses", region_name=settings.AWS_REGION, config=patience)

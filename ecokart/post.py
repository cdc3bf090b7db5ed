"""Sending the mails that rules have written: right after the request that wrote them, and by a sweep what is left."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.conf import settings

from ecokart import letters
from inventory import dynamodb, mails

logger = logging.getLogger(__name__)
#: A sweep begins no mail after that many seconds: a function of half a minute runs it.
SWEEP_SECONDS = 20.0


@dataclass(frozen=True)
class Swept:
    """What a sweep did: mails that went, and mails that could not."""

    sent: int
    failed: int


def send(mail_id: str) -> bool | None:
    """Try to send a mail. None when there is nothing to do: it is sent, not due, or somebody else has it.

    Never raises what a backend raises: whoever waits for a page must not see that a mail server is away.
    """
    if not settings.SITE_URL:
        logger.error("SITE_URL is not set, so there are no links for mails; they wait.")
        return None
    mail = mails.claim(mail_id)
    if mail is None:
        return None
    try:
        letters.message(mail).send()
    except Exception as failed:  # Backends raise what they like, and none of it may reach the customer.
        # Not what it says: that may hold the customer's address.
        said = (mail.id, mail.kind, mail.tries, f"{type(failed).__name__} {dynamodb.error_code(failed)}".strip())
        if mails.put_off(mail):
            logger.error(
                "Mail %s (%s) was given up after %s tries: %s. manage.py send_mails --parked tries again.", *said
            )
        else:
            logger.warning("Mail %s (%s) could not be sent, try %s: %s.", *said)
        return False
    mails.remove(mail)
    return True


def sweep() -> Swept:
    """Send all mails that are due, as far as the time allows. Raises what the database raises."""
    deadline = time.monotonic() + SWEEP_SECONDS
    results = []
    for mail_id in mails.due():
        if time.monotonic() > deadline:
            break
        results.append(send(mail_id))
    return Swept(sent=results.count(True), failed=results.count(False))

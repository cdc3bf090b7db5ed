"""Mails as their readers find them: what was sent in this test, and the links in them."""

from __future__ import annotations

import re

from django.core import mail

from inventory.models import Mail

SITE = "https://shop.example"


def waiting() -> list[tuple[str, str]]:
    """Kind and address of what is written and not sent yet."""
    return sorted((one.kind, one.to) for one in Mail.scan(consistent_read=True))


def empty() -> None:
    """What was written until now is nobody's business."""
    for one in Mail.scan(consistent_read=True):
        one.delete()
    mail.outbox.clear()


def subjects(to: str) -> list[str]:
    return [one.subject for one in mail.outbox if one.to == [to]]


def link(to: str) -> str:
    """The path of the first link in the newest mail to this address."""
    text = next(one.body for one in reversed(mail.outbox) if one.to == [to])
    return re.findall(rf"{SITE}(/\S+)", text)[0]

"""What mails say: a subject, a text and the same as HTML, in the customer's language, with links to the shop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string, select_template
from django.urls import get_script_prefix, reverse, set_script_prefix
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from inventory import orders
from inventory.models import Mail
from shop import order_keys
from shop.forms import COUNTRIES

SUBJECTS = {
    "order-placed": _("We have received your order %(number)s"),
    "order-shipped": _("Your order %(number)s is on its way"),
    "order-cancelled": _("Your order %(number)s is cancelled"),
}
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


def message(mail: Mail) -> EmailMultiAlternatives:
    """The mail as it is sent. Raises LookupError when what it tells about is gone."""
    with translation.override(mail.language), _fixed_links():
        subject = SUBJECTS[mail.kind]
        known = _context(mail)
        text = _BLANK_LINES.sub("\n\n", render_to_string(f"emails/{mail.kind}.txt", known)).strip() + "\n"
        page = select_template([f"emails/{mail.kind}.html", "emails/letter.html"]).render({**known, "text": text})
        return _sealed(mail, str(subject) % known, text, page)


@contextmanager
def _fixed_links() -> Iterator[None]:
    """Links begin with the shop's fixed address: nothing gets in of what a request says of its host and path."""
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        yield
    finally:
        set_script_prefix(prefix)


def _sealed(mail: Mail, subject: str, text: str, page: str) -> EmailMultiAlternatives:
    host = settings.MAIL_FROM.rpartition("@")[2]
    headers = {
        # A mail that comes twice has one name, so that many a mailbox shows it once.
        "Message-ID": f"<{mail.id}@{host}>",
        "Auto-Submitted": "auto-generated",
    }
    return EmailMultiAlternatives(subject, text, to=[mail.to], headers=headers, alternatives=[(page, "text/html")])


def _context(mail: Mail) -> dict[str, Any]:
    known = {
        "site": settings.SITE_URL,
        "language_code": mail.language,
        "terms": _link(reverse("shop:info", args=["terms"])),
        "withdrawal": _link(reverse("shop:info", args=["withdrawal"])),
    }
    return known | _of_order(mail.about["order"])


def _of_order(order_id: str) -> dict[str, Any]:
    order = orders.find(order_id)
    if order is None:
        raise LookupError(order_id)
    address = order.address
    return {
        "order": order,
        "number": order.number,
        "name": address.name if address else "",
        "country": COUNTRIES.get(address.country, address.country) if address else "",
        "link": _link(order_keys.address(order, with_key=order_keys.is_guests(order))),
    }


def _link(path: str) -> str:
    return f"{settings.SITE_URL}{path}"

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
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from inventory import orders
from inventory.models import Mail
from shop import mail_keys, order_keys
from shop.forms import COUNTRIES

SUBJECTS = {
    "order-placed": _("We have received your order %(number)s"),
    "order-shipped": _("Your order %(number)s is on its way"),
    "order-cancelled": _("Your order %(number)s is cancelled"),
    "verify-address": _("Please confirm your e-mail address"),
    "address-taken": _("You have an account with us already"),
    "no-account": _("Your password at Ecokart"),
    "reset-password": _("Choose a new password"),
    "password-changed": _("Your password was changed"),
    "verify-new-address": _("Please confirm your new e-mail address"),
    "email-changed": _("Your e-mail address was changed"),
    "account-deleted": _("Your account is deleted"),
}
#: Pages that mails lead to.
_PAGES = {
    "terms": ("info", "terms"),
    "withdrawal": ("info", "withdrawal"),
    "contact": ("info", "contact"),
    "login": ("login",),
    "register": ("register",),
    "forgotten": ("password-forgotten",),
}
#: Where the link of a mail with a key leads, what the key is for, and what it is about.
_KEYS = {
    "verify-address": ("shop:verify", "verify", ("user", "email")),
    "verify-new-address": ("shop:email-confirm", "email", ("user", "email")),
    "reset-password": ("shop:password-reset", "reset", ("user", "state")),
}
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


def message(mail: Mail) -> EmailMultiAlternatives:
    """The mail as it is sent. Raises LookupError when what it tells about is gone."""
    with translation.override(mail.language), _fixed_links():
        subject = SUBJECTS[mail.kind]
        known = _context(mail)
        text = _BLANK_LINES.sub("\n\n", render_to_string(f"emails/{mail.kind}.txt", known)).strip() + "\n"
        page = select_template([f"emails/{mail.kind}.html", "emails/letter.html"])
        known["text"] = _with_links(text)
        return _sealed(mail, str(subject) % known, text, page.render(known))


def _with_links(text: str) -> SafeString:
    """A text as HTML. Only what leads to the shop becomes a link: a customer's name may look like an address too."""
    parts = re.split(rf"({re.escape(settings.SITE_URL)}/\S*)", text)
    marked = [format_html('<a href="{0}">{0}</a>', part) if at % 2 else part for at, part in enumerate(parts)]
    return format_html_join("", "{}", ((part,) for part in marked))


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
    pages = {name: reverse(f"shop:{page}", args=arguments) for name, (page, *arguments) in _PAGES.items()}
    known = {
        "site": settings.SITE_URL,
        "language_code": mail.language,
        **{name: _link(path) for name, path in pages.items()},
        **mail.about,
    }
    if mail.kind in _KEYS:
        page, purpose, about = _KEYS[mail.kind]
        key = mail_keys.make(purpose, *(mail.about[name] for name in about))
        known["link"] = _link(f"{reverse(page)}?{urlencode({'key': key})}")
    return known | (_of_order(mail.about["order"]) if "order" in mail.about else {})


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

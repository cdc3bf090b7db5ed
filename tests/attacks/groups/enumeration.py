"""Whether a door tells who has an account: by its words, its status, its cookies or its length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django.core.exceptions import ValidationError

from inventory import accounts
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Answer, Browser

TITLE = "Who has an account"


def attack(how_many: int) -> Cases:
    doors = {
        "log-in": ("/account/login/", {"password": "wrong horse 2"}),
        "admin's log-in": ("/admin/login/", {"password": "wrong horse 2"}),
        "admin's log-in, right password of a customer": ("/admin/login/", {"password": people.PASSWORD}),
    }
    for number in range(5):
        known = people.a_customer().email
        unknown = known.replace("alice", "nobod")
        for what, (path, form) in doors.items():
            answers = [Browser().post(path, {"email": email, **form}) for email in (known, unknown)]
            seen = [_seen(answer, email) for answer, email in zip(answers, (known, unknown), strict=True)]
            yield (
                f"{what}, try {number}",
                "" if seen[0] == seen[1] else f"answered unlike: {[answer.status for answer in answers]}",
            )


def _seen(answer: Answer, email: str) -> tuple[object, ...]:
    """Everything that comes back, but for what is made anew each time and what was sent."""
    body = re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[^"]*"', "", answer.text).replace(email, "EMAIL")
    headers = sorted(name for name, _ in answer.headers)
    cookies = sorted(cookie.partition("=")[0] for cookie in answer.all("set-cookie"))
    return answer.status, body, headers, cookies, answer.location


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that says that it does not know somebody."""
    from shop.forms import LoginForm

    def clean(self: LoginForm) -> object:
        if accounts.find_by_email(self.cleaned_data.get("email", "")) is None:
            raise ValidationError("We do not know this address.")
        return self.cleaned_data

    with mock.patch.object(LoginForm, "clean", clean):
        yield

"""The shop as it would be if every text were shown as it was typed. It is here to be found out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django.template.base
import django.utils.html
from django.utils.safestring import mark_safe

from ecokart.wsgi import application as application

django.template.base.conditional_escape = django.utils.html.conditional_escape = mark_safe  # type: ignore[attr-defined]


def without_policy(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """And if browsers were not told what a page may do."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        return start_response(status, [one for one in headers if one[0].lower() != "content-security-policy"], exc_info)

    return application(environ, start)

"""The shop's drawings, at the shop's own address.

A browser takes a drawing out of a file (``<use href="…#cart">``) only when the file comes from where the page comes
from. Static files need not: on AWS a bucket hands them out.
"""

from __future__ import annotations

import functools
import hashlib

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe


@functools.cache
def _sprite() -> tuple[bytes, str]:
    """All drawings in one file, and a digest of it."""
    drawings = (settings.BASE_DIR / "templates" / "icons.svg").read_bytes()
    return drawings, hashlib.sha256(drawings).hexdigest()[:12]


def address() -> str:
    """Where the drawings are, with the prefix that the shop has here. Another version of them has another address."""
    return reverse("icons", args=[_sprite()[1]])


# A page of before may ask by a digest of before: today's drawings are better for it than none.
@cache_control(public=True, max_age=31_536_000, immutable=True)
@require_safe
def icons(request: HttpRequest, digest: str) -> HttpResponse:
    return HttpResponse(_sprite()[0], content_type="image/svg+xml")

"""What the frame of every page needs to know."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from inventory.catalogue import CATEGORIES


def frame(request: HttpRequest) -> dict[str, Any]:
    """From the session alone: a page that shows products costs no read for its frame."""
    session = getattr(request, "session", {})
    return {
        "cart_badge": session.get("cart"),
        "categories": [{"slug": slug, "label": label} for slug, label in CATEGORIES.items()],
        "signed_in": "account_id" in session,
        "language_code": getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE),
    }

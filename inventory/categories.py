"""What the shop sells, by kind."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CATEGORIES: dict[str, Promise | str] = {
    "shoes": _("Shoes"),
    "apparel": _("Apparel"),
    "accessories": _("Accessories"),
    "equipment": _("Equipment"),
}

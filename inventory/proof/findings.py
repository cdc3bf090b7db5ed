"""What is wrong, as data that can be kept, and in words for whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from inventory.money import euros

#: What each kind of finding is about. The rest of its words follow the name of that.
PRODUCT, ORDER, CART = "product", "order", "cart"
_OF_ORDER = {"total", "status"}
_OF_CART = {"endless", "vanishing", "nothing_held"}
_HOLDERS_SHOWN = 5
_ID_SHOWN = 12

_SAYS: Mapping[str, Any] = {
    "old": _("this product is still as the first version left it: run manage.py upgrade_tables."),
    "negative": _(
        "none of its numbers may be below 0, but stock is %(stock)s, reserved %(reserved)s, available %(available)s."
    ),
    "split": ngettext_lazy(
        "%(stock)s unit is in stock, but %(available)s available and %(reserved)s reserved make %(sum)s.",
        "%(stock)s units are in stock, but %(available)s available and %(reserved)s reserved make %(sum)s.",
        "stock",
    ),
    "in_stock": ngettext_lazy(
        "%(available)s unit is available, but the product is marked as sold out.",
        "%(available)s units are available, but the product is marked as sold out.",
        "available",
    ),
    "sold_out": _("none is available, but the product is marked as in stock since %(since)s."),
    "undated": _("nothing says when it last sold out or came back (availabilityAt)."),
    "held": ngettext_lazy(
        "%(reserved)s unit is reserved, but carts hold %(held)s%(carts)s.",
        "%(reserved)s units are reserved, but carts hold %(held)s%(carts)s.",
        "reserved",
    ),
    "moved": ngettext_lazy(
        "%(stock)s unit is in stock, but its movements add up to %(moved)s.",
        "%(stock)s units are in stock, but its movements add up to %(moved)s.",
        "stock",
    ),
    "gone_held": _("there is no such product, but carts hold %(held)s of it%(carts)s."),
    "gone_moved": _("there is no such product, but it has movements that add up to %(moved)s."),
    "not_sold": _("order %(order)s has %(ordered)s of it, but no movement says that they were sold."),
    "sold_otherwise": ngettext_lazy(
        "order %(order)s has %(ordered)s of it, but %(count)s movement says that %(sold)s were sold.",
        "order %(order)s has %(ordered)s of it, but %(count)s movements say that %(sold)s were sold.",
        "count",
    ),
    "sold_before": _("order %(order)s was sold by the first version, but movements say again that %(sold)s were sold."),
    "not_returned": _("order %(order)s is cancelled, but no movement brings back its %(ordered)s."),
    "returned_otherwise": ngettext_lazy(
        "order %(order)s is cancelled with %(ordered)s of it, but %(count)s movement brings back %(returned)s.",
        "order %(order)s is cancelled with %(ordered)s of it, but %(count)s movements bring back %(returned)s.",
        "count",
    ),
    "returned_too_early": _("movements bring back %(returned)s of it from order %(order)s, which gives nothing back."),
    "no_order": _("its movements name order %(order)s (%(sold)s sold, %(returned)s returned), which does not exist."),
    "unnamed_sale": _("a movement of %(time)s says that %(sold)s were sold, but names no order."),
    "total": _("its total is %(total)s, but its lines make %(sum)s."),
    "status": _("its status is %(status)s, but its history ends with %(last)s."),
    "endless": _("it holds stock, but has no moment when that ends: its units would never come back."),
    "vanishing": _("it holds stock, but DynamoDB may delete it (deleteAt): its units would be held by nobody."),
    "nothing_held": _("it holds %(units)s of product %(product)s; a line is at least 1 unit."),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: a kind, the id and name of what it is about, and the numbers that show it."""

    kind: str
    id: str
    name: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> str:
        return ORDER if self.kind in _OF_ORDER else CART if self.kind in _OF_CART else PRODUCT

    @property
    def shown(self) -> str:
        """Its id as people may see it."""
        return short(self.id) if self.about == CART else self.id

    @property
    def key(self) -> tuple[object, ...]:
        """The same for the same damage, even while the numbers around it move."""
        return self.kind, self.id, self.data.get("order_id"), self.data.get("off")

    @property
    def sentence(self) -> str:
        """What is wrong, in the language that is active; without the name of what it is about."""
        words = {**self.data, "carts": _holders(self.data.get("carts", []), self.data.get("more", 0))}
        if "cents" in self.data:
            words["total"], words["sum"] = map(euros, self.data["cents"])
        return str(_SAYS[self.kind] % words)

    @property
    def line(self) -> str:
        """One line that says all: ``prod-123 (Laufschuh Luchs): 3 units are reserved, but …``"""
        names = {PRODUCT: self.shown, ORDER: _("order %s") % self.shown, CART: _("cart %s") % self.shown}
        return f"{names[self.about]}{f' ({self.name})' if self.name else ''}: {self.sentence}"


def short(owner_id: str) -> str:
    """A cart's owner without the whole id: it is a guest's only name."""
    return owner_id if len(owner_id) <= _ID_SHOWN else f"{owner_id[:_ID_SHOWN]}…"


def of_holders(holders: Mapping[str, int]) -> dict[str, Any]:
    """The carts to name in a finding, those with most units first."""
    ranked = sorted(holders.items(), key=lambda holder: (-holder[1], holder[0]))
    carts = [[short(owner_id), units] for owner_id, units in ranked[:_HOLDERS_SHOWN]]
    return {"held": sum(holders.values()), "carts": carts, "more": max(0, len(ranked) - _HOLDERS_SHOWN)}


def _holders(carts: list[list[Any]], more: int) -> str:
    if not carts:
        return ""
    words = [f"{owner} {units}" for owner, units in carts]
    if more:
        words.append(ngettext("%(more)s more cart", "%(more)s more carts", more) % {"more": more})
    return f" ({', '.join(words)})"

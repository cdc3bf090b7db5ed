"""Why a rule refuses. Every refusal carries its data and a sentence for the person who asked."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from inventory.models import Product


class InventoryError(Exception):
    """A refusal: nothing was written. ``sentence`` says what happened and what to do."""

    says: ClassVar[str | Promise] = ""

    @property
    def sentence(self) -> str:
        """In the language that is active when it is read."""
        return str(self.says) % self.__dict__

    def __str__(self) -> str:
        return self.sentence


class Busy(InventoryError):
    says = _("The shop is very busy right now and nothing was changed. Please try again in a moment.")


class TooManyTries(InventoryError):
    """``wait_seconds``: so long every further try is refused."""

    def __init__(self, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds

    @property
    def sentence(self) -> str:
        minutes = math.ceil(self.wait_seconds / 60)
        return ngettext(
            "That was too often. Please try again in a minute.",
            "That was too often. Please try again in %(minutes)s minutes.",
            minutes,
        ) % {"minutes": minutes}


class Unsure(InventoryError):
    """The database's answer was lost and a second look could not settle it."""

    says = _("We could not tell whether your change was saved. Please check before you try again.")


class NoSuchAccount(InventoryError):
    says = _("There is no such account.")


class OwnAccount(InventoryError):
    says = _("This is your own account. Another admin has to do that, so that the shop never loses its last one.")


class AccountChanged(InventoryError):
    says = _("This account has changed since you opened the page. Look at it as it is now, then decide again.")


class AddressNotConfirmed(InventoryError):
    says = _("Nobody has confirmed this e-mail address yet, so it may be a stranger's account, and no admin's.")


class TooManyOrders(InventoryError):
    says = _("More than %(limit)s orders were placed in this month. One file does not take so many.")

    def __init__(self, limit: int) -> None:
        self.limit = limit


class NoSecondFactor(InventoryError):
    says = _("This account has no second factor yet. Please log in again to set one up.")


class WrongCode(InventoryError):
    says = _("This code is wrong, or was used before. Please enter the one that the app shows now.")


class TooManyCodes(InventoryError):
    """``wait_seconds``: so long nobody's code is looked at."""

    def __init__(self, wait: timedelta) -> None:
        self.wait_seconds = math.ceil(wait.total_seconds())

    @property
    def sentence(self) -> str:
        return ngettext(
            "There were too many wrong codes. Please wait %(seconds)s second and try again.",
            "There were too many wrong codes. Please wait %(seconds)s seconds and try again.",
            self.wait_seconds,
        ) % {"seconds": self.wait_seconds}


class SessionEnded(InventoryError):
    """The account was disabled, or all its sessions ended, while somebody was logging in."""

    says = _("You were logged out in this moment. Please log in again.")


class NoSuchProduct(InventoryError):
    says = _("This product does not exist.")


class NotForSale(InventoryError):
    says = _("%(name)s is no longer sold.")

    def __init__(self, name: str) -> None:
        self.name = name


class OutOfStock(InventoryError):
    def __init__(self, name: str, *, left: int) -> None:
        self.name = name
        self.left = left

    @property
    def sentence(self) -> str:
        if self.left <= 0:
            return str(_("%(name)s is sold out.")) % {"name": self.name}
        return ngettext("Only %(left)s of %(name)s is left.", "Only %(left)s of %(name)s are left.", self.left) % {
            "left": self.left,
            "name": self.name,
        }


class TooMany(InventoryError):
    says = _("At most %(limit)s of one product fit into a cart.")

    def __init__(self, limit: int) -> None:
        self.limit = limit


class TooManyLines(InventoryError):
    says = _("At most %(limit)s different products fit into a cart. Please order in two parts.")

    def __init__(self, limit: int) -> None:
        self.limit = limit


class BadQuantity(InventoryError):
    says = _("A quantity is a whole number of at least 1.")


class CartChanged(InventoryError):
    says = _("Your cart has changed since you last saw it. Please look it over before you go on.")


class CartEmpty(InventoryError):
    says = _("Your cart is empty.")


class HoldExpired(InventoryError):
    says = _("Your reservation has run out. Reserve your products again, then order.")


class WrongPassword(InventoryError):
    says = _("This is not your password of now. Please check it.")


class LinkUsed(InventoryError):
    says = _("This link is no longer good: it was used, or something has changed since. Please ask for a new one.")


class EmailTaken(InventoryError):
    says = _("There is already an account with this e-mail address. Please log in.")


class NoSuchAddress(InventoryError):
    says = _("This address is no longer in your book.")


class TooManyAddresses(InventoryError):
    says = _("Your book has room for %(limit)s addresses. Please take one out first.")

    def __init__(self, limit: int) -> None:
        self.limit = limit


class ProductChanged(InventoryError):
    """Another admin saved first. ``current`` is what stands in the shop now."""

    says = _("Somebody else has saved this product meanwhile.")

    def __init__(self, current: Product) -> None:
        self.current = current


class StockTooLow(InventoryError):
    def __init__(self, name: str, *, available: int, reserved: int) -> None:
        self.name = name
        self.available = available
        self.reserved = reserved

    @property
    def sentence(self) -> str:
        if not self.reserved:
            return OutOfStock(self.name, left=self.available).sentence
        return ngettext(
            "Only %(available)s of %(name)s is free to be taken out; the rest is held in carts.",
            "Only %(available)s of %(name)s are free to be taken out; the rest is held in carts.",
            self.available,
        ) % {"available": self.available, "name": self.name}


class FormUsed(InventoryError):
    says = _("This form was booked before, with other values. Look at the numbers as they are now, then send it again.")


class ReasonDoesNotFit(InventoryError):
    says = _("This reason does not fit: goods received add stock, damaged goods take stock away.")


class NotPossible(InventoryError):
    """An order's next step that its state does not allow (any more)."""

    says = _("Order %(number)s is “%(status)s”. This step is not possible now.")

    def __init__(self, number: str, *, status: str | Promise) -> None:
        self.number = number
        self.status = status


class PictureRefused(InventoryError):
    def __init__(self, why: str | Promise) -> None:
        self.why = why

    @property
    def sentence(self) -> str:
        return str(self.why)


class NoSuchPage(InventoryError):
    says = _("The last page is page %(pages)s.")

    def __init__(self, pages: int) -> None:
        self.pages = pages

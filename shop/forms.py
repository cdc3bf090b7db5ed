"""The shape of what customers send. Whether it is true, such as whether there are that many, inventory says."""

import functools
import re
from typing import TYPE_CHECKING, Any, TypedDict

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from inventory import accounts, catalogue

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ID_LENGTH = 64
MOST_UNITS = 9_999
SEARCH_LENGTH = 100
COUNTRIES = {"DE": _("Germany"), "AT": _("Austria"), "CH": _("Switzerland")}
POSTAL_CODE_DIGITS = {"DE": 5, "AT": 4, "CH": 4}
_OUT_OF_DATE = _("This page was out of date. Please check it once more.")
_AMOUNT = {"inputmode": "decimal", "autocomplete": "off"}


class Question(TypedDict):
    """What the catalogue can be asked."""

    query: str
    category: str
    min_cents: int | None
    max_cents: int | None
    rating: int | None
    in_stock: bool
    sort: str
    page: int


NOTHING_ASKED: Question = {
    "query": "",
    "category": "",
    "min_cents": None,
    "max_cents": None,
    "rating": None,
    "in_stock": False,
    "sort": "relevance",
    "page": 1,
}


class EurosField(forms.Field):
    """An amount as people type it (``19,99`` or ``19.99``), in whole cents."""

    widget = forms.TextInput
    _amount = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,2}))?")

    def to_python(self, value: str | None) -> int | None:
        typed = (value or "").replace("€", "").strip()
        if not typed:
            return None
        amount = self._amount.fullmatch(typed)
        if amount is None:
            raise ValidationError(_("Please write the price in euros, such as 49.99."), code="invalid")
        return int(amount[1]) * 100 + int((amount[2] or "").ljust(2, "0"))


class ProductIdField(forms.CharField):
    """The id of a product, which a customer never types: if it is wrong, the page was."""

    default_validators = [RegexValidator(r"\A[A-Za-z0-9_-]+\Z", _("We do not know this product."))]
    default_error_messages = {"required": _("It is not clear which product you mean.")}

    def __init__(self) -> None:
        super().__init__(
            max_length=ID_LENGTH,
            widget=forms.HiddenInput,
            error_messages={"max_length": _("We do not know this product.")},
        )


def _quantity(*, least: int) -> forms.IntegerField:
    sentence = _("Please enter the quantity as a whole number of at least 1.")
    return forms.IntegerField(
        label=_("Quantity"),
        min_value=least,
        max_value=settings.LINE_MAX_QUANTITY,
        error_messages={
            "required": sentence,
            "invalid": sentence,
            "min_value": sentence,
            "max_value": _("At most %(limit_value)s of one product fit into a cart."),
        },
    )


class AddToCartForm(forms.Form):
    product_id = ProductIdField()
    quantity = _quantity(least=1)


class CartLineForm(forms.Form):
    """A line's new quantity. Zero takes it out."""

    product_id = ProductIdField()
    quantity = _quantity(least=0)


class RemoveForm(forms.Form):
    """``quantity`` is only there to offer the way back."""

    product_id = ProductIdField()
    quantity = forms.IntegerField(required=False, min_value=1, max_value=MOST_UNITS)


class CatalogueForm(forms.Form):
    """What the catalogue is asked for. A field that makes no sense is left out of the question."""

    q = forms.CharField(
        required=False,
        max_length=SEARCH_LENGTH,
        label=_("Search"),
        error_messages={"max_length": _("Please search with at most %(limit_value)d characters.")},
    )
    category = forms.ChoiceField(
        required=False,
        choices=list(catalogue.CATEGORIES.items()),
        label=_("Category"),
        error_messages={"invalid_choice": _("There is no such category.")},
    )
    min_price = EurosField(required=False, label=_("At least"), widget=forms.TextInput(_AMOUNT))
    max_price = EurosField(required=False, label=_("At most"), widget=forms.TextInput(_AMOUNT))
    rating = forms.TypedChoiceField(
        required=False,
        choices=[(str(stars), stars) for stars in catalogue.RATINGS],
        coerce=int,
        empty_value=None,
        label=_("Rating"),
        error_messages={"invalid_choice": _("There is no such rating to choose.")},
    )
    in_stock = forms.BooleanField(required=False, label=_("In stock only"))
    sort = forms.ChoiceField(
        required=False,
        choices=list(catalogue.SORTS.items()),
        label=_("Sort by"),
        error_messages={"invalid_choice": _("There is no such order. Please choose one from the list.")},
    )
    page = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_UNITS,
        label=_("Page"),
        error_messages={"invalid": _("There is no such page."), "min_value": _("There is no such page.")},
    )

    def clean(self) -> dict[str, Any]:
        least, most = self.cleaned_data.get("min_price"), self.cleaned_data.get("max_price")
        if least is not None and most is not None and least > most:
            self.add_error("max_price", _("The highest price is below the lowest."))
        return self.cleaned_data

    @classmethod
    def asked(cls, sent: QueryDict) -> tuple["CatalogueForm", Question]:
        """The form, checked, and what to ask. All but the words is checked once for all who ask for the same."""
        words = sent.get("q", "")
        if len(words) > SEARCH_LENGTH or "\0" in words:
            form = cls(sent)
            form.is_valid()
            return form, form.question()
        form = _checked(tuple(sorted((name, value) for name, value in sent.items() if name != "q")))
        return form, {**form.question(), "query": words.strip()}

    def question(self) -> Question:
        """What to ask ``catalogue.search``."""
        sent = self.cleaned_data
        return {
            "query": sent.get("q", ""),
            "category": sent.get("category", ""),
            "min_cents": sent.get("min_price"),
            "max_cents": sent.get("max_price"),
            "rating": sent.get("rating"),
            "in_stock": sent.get("in_stock", False),
            "sort": sent.get("sort") or "relevance",
            "page": sent.get("page") or 1,
        }


@functools.lru_cache(maxsize=512)
def _checked(sent: tuple[tuple[str, str], ...]) -> CatalogueForm:
    form = CatalogueForm(dict(sent))
    form.is_valid()
    return form


def _line(label: "_StrPromise", autocomplete: str, *, most: int = 100, **attributes: str) -> forms.CharField:
    """A line of an address, which browsers know how to fill in."""
    widget = forms.TextInput({"autocomplete": autocomplete, **attributes})
    return forms.CharField(label=label, max_length=most, widget=widget)


class DeliveryForm(forms.Form):
    """Where a parcel goes."""

    name = _line(_("First and last name"), "name")
    street = _line(_("Street and number"), "address-line1")
    postal_code = _line(_("Postal code"), "postal-code", most=10, inputmode="numeric")
    city = _line(_("Town or city"), "address-level2")
    country = forms.ChoiceField(
        label=_("Country"),
        choices=list(COUNTRIES.items()),
        initial="DE",
        widget=forms.Select({"autocomplete": "country"}),
        error_messages={"invalid_choice": _("We deliver to Germany, Austria and Switzerland only.")},
    )

    def clean(self) -> dict[str, Any]:
        digits = POSTAL_CODE_DIGITS.get(self.cleaned_data.get("country", ""))
        postal_code = self.cleaned_data.get("postal_code")
        if digits and postal_code and not re.fullmatch(f"[0-9]{{{digits}}}", postal_code):
            sentence = _("Postal codes have %(digits)s digits in this country.")
            self.add_error("postal_code", ValidationError(sentence, params={"digits": digits}))
        return self.cleaned_data


class CheckoutForm(DeliveryForm):
    field_order = ("name", "email", "street", "postal_code", "city", "country")

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )
    save_address = forms.BooleanField(label=_("Keep this address in my address book"), required=False)
    checkout_token = forms.CharField(
        max_length=ID_LENGTH,
        widget=forms.HiddenInput,
        validators=[RegexValidator(r"\A[A-Za-z0-9_-]+\Z", _OUT_OF_DATE)],
        error_messages={"required": _OUT_OF_DATE, "max_length": _OUT_OF_DATE},
    )

    def contact(self) -> dict[str, str]:
        """Who orders, and where the parcel goes."""
        return {name: self.cleaned_data[name] for name in self.field_order}


class LoginForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "username"}),
    )
    # No least length: what counts here is only whether it is the right one.
    password = forms.CharField(
        label=_("Password"),
        max_length=accounts.PASSWORD_MAX_LENGTH,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


PASSWORD_MIN_LENGTH = 8
#: What everybody who tries to guess a password of this shop tries first.
_OWN_WORDS = re.compile("ecokart|webshop", re.IGNORECASE)


class NewPasswordForm(forms.Form):
    """A password, typed twice."""

    password = forms.CharField(
        label=_("Password"),
        min_length=PASSWORD_MIN_LENGTH,
        max_length=128,
        strip=False,
        help_text=_("At least 8 characters. A few words in a row are easy to remember and hard to guess."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"min_length": _("Please choose a password of at least 8 characters.")},
    )
    password_again = forms.CharField(
        label=_("Repeat the password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        try:
            CommonPasswordValidator().validate(password)
        except ValidationError as common:
            raise ValidationError(_("Many people use this password. Please choose another one.")) from common
        if len(_OWN_WORDS.sub("", password)) < PASSWORD_MIN_LENGTH:
            raise ValidationError(_("The shop's name makes no password longer. Please choose another one."))
        return password

    def clean(self) -> dict[str, Any]:
        password, again = self.cleaned_data.get("password"), self.cleaned_data.get("password_again")
        if password and again and password != again:
            self.add_error("password_again", _("The two passwords are not the same."))
        return self.cleaned_data


class RegisterForm(NewPasswordForm):
    field_order = ("name", "email", "password", "password_again")

    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput({"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

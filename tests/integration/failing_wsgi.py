"""The shop with a mistake: who writes a quantity that is no number gets an error that repeats what they wrote."""

from ecokart.wsgi import application as application
from shop.forms import AddToCartForm

_is_valid = AddToCartForm.is_valid


def is_valid(form: AddToCartForm) -> bool:
    return int(form.data["quantity"]) > 0 and _is_valid(form)


AddToCartForm.is_valid = is_valid

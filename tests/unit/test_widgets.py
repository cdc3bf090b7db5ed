"""That fields look as Django makes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates

from adminpanel import audit_form, door_forms
from adminpanel import forms as staff
from ecokart.widgets import Renderer
from shop import forms as customers

HOSTILE = "\"><script>alert('1')</script>&amp;"


def every_form() -> Iterator[type[forms.BaseForm]]:
    for module in (staff, audit_form, door_forms, customers):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, forms.BaseForm):
                yield kind


@pytest.mark.parametrize("kind", dict.fromkeys(every_form()), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("value", [None, "", "5", "paid", HOSTILE])
def test_a_field_looks_as_django_makes_it(kind: type[forms.BaseForm], value: str | None) -> None:
    more = {"with_code": True} if kind is door_forms.ConfirmForm else {}
    form, seen = kind(None if value is None else dict.fromkeys(kind.base_fields, value), **more), []
    for form.renderer in (Renderer(), DjangoTemplates()):
        seen.append([str(field) for field in form])

    assert seen[0] == seen[1] != []


def test_what_is_not_written_by_hand_is_djangos() -> None:
    boxes = forms.CheckboxSelectMultiple(choices=[("a", "A")])

    assert boxes.render("some", ["a"], renderer=Renderer()) == boxes.render("some", ["a"], renderer=DjangoTemplates())

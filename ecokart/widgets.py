"""How a form's fields become HTML: as Django makes it with a template, and two more in it for each field."""

from __future__ import annotations

from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape

Described = dict[str, Any]
_INPUTS = ("text", "number", "email", "password", "hidden", "date", "datetime", "file", "checkbox")


class Renderer(DjangoTemplates):
    """Writes by hand what our forms are made of: a form of ten fields took a third of its page's time."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        by_hand = _BY_HAND.get(template_name)
        return by_hand(context["widget"]) if by_hand else super().render(template_name, context, request)


def _attributes(widget: Described) -> str:
    said = [(name, value) for name, value in widget["attrs"].items() if value is not False]
    return "".join(f" {name}" if value is True else f' {name}="{conditional_escape(value)}"' for name, value in said)


def _input(widget: Described) -> str:
    value = widget["value"]
    shown = "" if value is None else f' value="{conditional_escape(value)}"'
    return f'<input type="{widget["type"]}" name="{conditional_escape(widget["name"])}"{shown}{_attributes(widget)}>'


def _textarea(widget: Described) -> str:
    name, value = conditional_escape(widget["name"]), conditional_escape(widget["value"] or "")
    return f'<textarea name="{name}"{_attributes(widget)}>\n{value}</textarea>'


def _select(widget: Described) -> str:
    """None of ours has groups."""
    options = "".join(_option(one) for _group, choices, _number in widget["optgroups"] for one in choices)
    return f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget)}>{options}\n</select>'


def _option(widget: Described) -> str:
    value, label = conditional_escape(widget["value"]), conditional_escape(widget["label"])
    return f'\n  <option value="{value}"{_attributes(widget)}>{label}</option>\n'


_BY_HAND = {
    **{f"django/forms/widgets/{kind}.html": _input for kind in _INPUTS},
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
}

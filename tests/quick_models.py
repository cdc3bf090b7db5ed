"""PynamoDB's way from an answer to a model, without doing it twice.

For each item that it reads, PynamoDB works out every default two times, and for each list of it makes a new description
of its elements by deep copies; for each look at an attribute it finds out anew where its value is. A proof reads
millions of items. What comes out is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from pynamodb.attributes import Attribute, AttributeContainer, ListAttribute, MapAttribute
from pynamodb.constants import NULL

_deserialize_anew = ListAttribute.deserialize
_get_anew, _set_anew = Attribute.__get__, Attribute.__set__


@contextmanager
def quick_models() -> Iterator[None]:
    """All models of this process are read the short way meanwhile."""
    with ExitStack() as patches:
        for owner, name, quick in (
            (AttributeContainer, "_set_defaults", _set_defaults),
            (AttributeContainer, "_container_deserialize", _container_deserialize),
            (ListAttribute, "deserialize", _deserialize),
            (Attribute, "__get__", _get),
            (Attribute, "__set__", _set),
        ):
            patches.enter_context(mock.patch.object(owner, name, quick))
        yield


@functools.cache
def _defaults(of: type[AttributeContainer], *, is_new: bool) -> tuple[tuple[str, Any, bool], ...]:
    """By attribute: what stands for a value that is missing, and whether it has to be asked for one."""
    found = []
    for name, attribute in of.get_attributes().items():
        default = attribute.default
        if is_new and attribute.default_for_new is not None:
            default = attribute.default_for_new
        if default is not None:
            found.append((name, default, callable(default)))
    return tuple(found)


def _set_defaults(self: AttributeContainer, _user_instantiated: bool = True) -> None:
    for name, default, is_called in _defaults(type(self), is_new=_user_instantiated):
        value = default() if is_called else default
        if value is not None:
            setattr(self, name, value)


@functools.cache
def _parts(of: type[AttributeContainer]) -> tuple[tuple[str, str, Attribute[Any]], ...]:
    return tuple((name, attribute.attr_name, attribute) for name, attribute in of.get_attributes().items())


def _container_deserialize(self: AttributeContainer, attribute_values: dict[str, dict[str, Any]]) -> None:
    """The defaults are there already: an item's model is made with them a moment before this is called."""
    values = self.attribute_values
    for name, stored_as, attribute in _parts(type(self)):
        found = attribute_values.get(stored_as)
        if found and NULL not in found:
            values[name] = attribute.deserialize(attribute.get_value(found))


@functools.cache
def _element(of: type[Attribute[Any]]) -> Attribute[Any]:
    element = of()
    if isinstance(element, MapAttribute):
        element._make_attribute()
    element.attr_name = "an element"
    return element


def _deserialize(self: ListAttribute[Any], values: list[dict[str, Any]]) -> list[Any]:
    if self.element_type is None or self.element_type.__name__.startswith("Binary"):
        return _deserialize_anew(self, values)
    element = _element(self.element_type)
    return [None if NULL in value else element.deserialize(element.get_value(value)) for value in values]


def _get(self: Attribute[Any], instance: Any, owner: Any) -> Any:
    values = None if instance is None else instance.__dict__.get("attribute_values")
    if values is None:  # A class, or what stands for one in a class.
        return _get_anew(self, instance, owner)
    name = self.attr_path[-1]
    return values.get(instance._dynamo_to_python_attrs.get(name, name))


def _set(self: Attribute[Any], instance: Any, value: Any) -> None:
    values = instance.__dict__.get("attribute_values")
    if values is None:
        _set_anew(self, instance, value)
    else:
        name = self.attr_path[-1]
        values[instance._dynamo_to_python_attrs.get(name, name)] = value

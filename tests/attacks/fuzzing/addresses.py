"""Every address of the shop with every field that it reads, taken from the URL conf, the views and their forms."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from django import forms
from django.urls import URLPattern, URLResolver, get_resolver

_OURS = ("shop", "adminpanel", "ecokart")
#: What a name in a query or a form may look like: words of the code that do are taken for one.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


@dataclass(frozen=True)
class Address:
    """``arguments`` are those of its path. A field whose name alone is known, because a view reads it itself, is None."""

    name: str
    arguments: tuple[str, ...]
    fields: dict[str, forms.Field | None]


def all_addresses() -> list[Address]:
    return [_address(name, pattern) for name, pattern in patterns()]


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address with its full name."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}", entry
        else:
            yield from patterns(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)


def _address(name: str, pattern: URLPattern) -> Address:
    used, words = _uses(pattern.callback)
    fields: dict[str, forms.Field | None] = dict.fromkeys(sorted(words))
    for form in used:
        fields |= form.base_fields
    return Address(name, tuple(pattern.pattern.converters), fields)


def _uses(view: Callable[..., Any]) -> tuple[list[Any], set[str]]:
    """The forms that a view or what it calls names, and every word in its code that may be the name of a field."""
    todo: list[FunctionType] = [inspect.unwrap(view)]
    seen: list[FunctionType] = []
    found: list[Any] = []
    words: set[str] = set()
    while todo:
        function = todo.pop()
        seen.append(function)
        for thing in _named(function):
            if isinstance(thing, str) and _NAME.fullmatch(thing):
                words.add(thing)
            elif inspect.isclass(thing) and issubclass(thing, forms.BaseForm) and thing not in found:
                found.append(thing)
            elif isinstance(thing, FunctionType) and thing.__module__.split(".")[0] in _OURS:
                inner = inspect.unwrap(thing)
                todo += [inner] if inner not in seen and inner not in todo else []
    return found, words


def _named(function: FunctionType) -> Iterator[object]:
    """What the words in a function's code stand for, also behind a module's name, and its texts themselves."""
    spoken = function.__globals__
    for code in _codes(function.__code__):
        yield from code.co_consts
        for name in code.co_names:
            thing = spoken.get(name)
            yield thing
            if isinstance(thing, ModuleType) and thing.__name__.split(".")[0] in _OURS:
                yield from (vars(thing).get(other) for other in code.co_names)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)

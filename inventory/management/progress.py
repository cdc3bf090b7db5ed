"""How a command shows that it is getting on."""

from collections.abc import Iterable

from django.core.management.base import OutputWrapper

from inventory.tables import Progress


def show(steps: Iterable[Progress], out: OutputWrapper) -> None:
    """Print each step: over and over on one line in a terminal, only the last of a kind elsewhere."""
    last: Progress | None = None
    for step in steps:
        if last is not None and last.what != step.what:
            out.write(_line(last))
        if out.isatty():
            out.write(_line(step), ending="\r")
        last = step
    if last is not None:
        out.write(_line(last))


def _line(step: Progress) -> str:
    return f"  {step.what}: {step.done}" + (f" of {step.total}" if step.total is not None else " brought up to date")

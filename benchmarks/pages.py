"""What the pages of figures have in common: tables, numbers, a few words."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def number(value: float) -> str:
    """As short as it can be: ``5``, ``1.5``, ``1,200``."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def machine() -> str:
    """In general words: what matters for the figures."""
    return f"{os.cpu_count()} cores with {platform.system()} and Python {platform.python_version()}"

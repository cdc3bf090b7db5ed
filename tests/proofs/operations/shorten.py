"""The shortest part of a list that still fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shortest(parts: Sequence[T], *, fails: Callable[[list[T]], bool], tries: int = 400) -> list[T]:
    """Leave out as many parts as possible while it still fails: large pieces first, then smaller ones.

    Zeller's "delta debugging". ``parts`` as a whole fails. Stops after so many ``tries`` with the best there is.
    """
    kept, pieces = list(parts), 2
    while len(kept) > 1 and tries > 0:
        size = -(-len(kept) // pieces)
        for start in range(0, len(kept), size):
            tries -= 1
            rest = kept[:start] + kept[start + size :]
            if rest and fails(rest):
                kept, pieces = rest, max(2, pieces - 1)
                break
            if tries <= 0:
                break
        else:
            if size == 1:
                break
            pieces = min(len(kept), pieces * 2)
    return kept

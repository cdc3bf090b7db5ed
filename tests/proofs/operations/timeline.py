"""What a value may have been between two moments, where each change of it happened some time between two others.

Moments are numbers that only grow: the order in which the operations of a run began and ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True)
class _Change(Generic[V]):
    began: int
    ended: int
    value: V
    sure: bool


@dataclass
class Timeline(Generic[V]):
    """A value that changes; of some changes it is not even known whether they happened."""

    first: V
    _changes: list[_Change[V]] = field(default_factory=list)

    def set(self, value: V, *, began: int, ended: int, sure: bool = True) -> None:
        self._changes.append(_Change(began, ended, value, sure))

    def possible(self, began: int, ended: int) -> Iterator[V]:
        """All values that it may have had at some moment of a time."""
        # What began last and was surely over before this time: nothing that ended before that began counts any more.
        settled = max((change.began for change in self._changes if change.sure and change.ended < began), default=-1)
        if settled < 0:
            yield self.first
        for change in self._changes:
            if change.began <= ended and change.ended >= settled:
                yield change.value

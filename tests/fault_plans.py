"""What may happen to a call to DynamoDB, and plans of it: plain values that can be printed and typed in again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What may happen to one attempt. Those that end in ``-after`` or lose an answer have really been carried out."""

    REQUEST_LOST = "request-lost"  # It never arrives; the SDK waits until its time-out.
    REQUEST_CUT = "request-cut"  # The connection breaks before it arrives; the SDK knows at once that no answer comes.
    ANSWER_LOST = "answer-lost"
    ANSWER_CUT = "answer-cut"
    ERROR = "error"  # 500, nothing written.
    ERROR_AFTER = "error-after"  # 500, although it was written: a 500 says nothing either way.
    THROTTLED = "throttled"
    PARTLY = "partly"  # BatchGetItem alone: the first item comes, the others are throttled ("UnprocessedKeys").
    CONFLICT = "conflict"  # Writes alone: AWS never refuses a GetItem, BatchGetItem or Query for that.
    SLOW = "slow"
    KILLED_BEFORE = "killed-before"
    KILLED_AFTER = "killed-after"

    def applies_to(self, operation: str) -> bool:
        """Whether AWS does this to such a call at all."""
        if self is Kind.CONFLICT:
            return operation in {"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"}
        return self is not Kind.PARTLY or operation == "BatchGetItem"

    @property
    def is_final(self) -> bool:
        """Whether the SDK makes no second attempt after it, so that ``once`` and ``always`` are the same."""
        return self in {Kind.PARTLY, Kind.CONFLICT, Kind.SLOW, Kind.KILLED_BEFORE, Kind.KILLED_AFTER}


@dataclass(frozen=True)
class Fault:
    """What happens to a call: ``kind`` to its first attempt, ``then`` to each further one (None: they get through)."""

    kind: Kind
    then: Kind | None = None

    @classmethod
    def once(cls, kind: Kind) -> Fault:
        return cls(kind)

    @classmethod
    def always(cls, kind: Kind) -> Fault:
        return cls(kind, then=kind)

    def at(self, attempt: int) -> Kind | None:
        return self.kind if attempt == 1 else self.then

    def __str__(self) -> str:
        if self.then is None:
            return self.kind.value
        return f"{self.kind.value}!" if self.then is self.kind else f"{self.kind.value}/{self.then.value}"

    @classmethod
    def parse(cls, text: str) -> Fault:
        if text.endswith("!"):
            return cls.always(Kind(text[:-1]))
        first, _, then = text.partition("/")
        return cls(Kind(first), then=Kind(then) if then else None)


#: Every fault that differs from the others in what it does.
FAULTS = [
    *(Fault.once(kind) for kind in Kind),
    *(Fault.always(kind) for kind in Kind if not kind.is_final),
    # The last attempt is refused, which says nothing of the first.
    Fault(Kind.ANSWER_LOST, then=Kind.THROTTLED),
]


@dataclass(frozen=True)
class Call:
    """One question to DynamoDB: the how manieth of its block, from 1."""

    number: int
    operation: str


Decide = Callable[[Call], Fault | None]


class Plan(dict[int, Fault]):
    """Faults by the number of the call that they hit. ``str`` and ``parse`` are each other's opposite."""

    def __call__(self, call: Call) -> Fault | None:
        return self.get(call.number)

    def __str__(self) -> str:
        return " ".join(f"{number}:{fault}" for number, fault in sorted(self.items()))

    @classmethod
    def parse(cls, text: str) -> Plan:
        parts = (part.partition(":") for part in text.split())
        return cls({int(number): Fault.parse(fault) for number, _, fault in parts})

    @classmethod
    def random(cls, seed: int | str, *, rate: float, calls: int = 40, faults: Iterable[Fault] = FAULTS) -> Plan:
        """One of the faults at each of the first ``calls`` calls with a probability of ``rate``. By seed."""
        source, choice = random.Random(seed), list(faults)
        return cls({number: source.choice(choice) for number in range(1, calls + 1) if source.random() < rate})

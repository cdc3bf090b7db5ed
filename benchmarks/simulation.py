"""One popular product and many buyers, by DynamoDB's rule: of two transactions on one item at a time one is cancelled.

Discrete events, no engine, no waiting; the same seed gives the same sale. A buyer reads, then sends a transaction. It
is cancelled when another one is under way on the product, or when the product's share of write units for this second is
used up; then the buyer pauses, as the policy says, and starts again from the read. Who runs out of tries or time is
told "busy".
"""

from __future__ import annotations

import heapq
import random
import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Policy:
    """When to try again: as ``dynamodb.retry_while_busy`` has it, with the pauses to be chosen (seconds)."""

    jitter: str
    base: float
    cap: float
    tries: int
    seconds: float = 3.0

    @property
    def name(self) -> str:
        return f"{self.jitter}, {self.base * 1000:.0f} ms to {self.cap * 1000:.0f} ms, {self.tries} tries"

    def pause(self, chance: random.Random, number: int, last: float) -> float:
        """The pause after so many refused tries (0 after the first), when the one before it was ``last``."""
        most = min(self.cap, self.base * 2.0**number)
        if self.jitter == "full jitter":
            return chance.uniform(0, most)
        if self.jitter == "equal jitter":
            return most / 2 + chance.uniform(0, most / 2)
        if self.jitter == "decorrelated jitter":
            return min(self.cap, chance.uniform(self.base, max(self.base, 3 * last)))
        if self.jitter == "no jitter":
            return most
        raise ValueError(f"What is {self.jitter}?")


@dataclass(frozen=True)
class Times:
    """How long things take, in seconds on average; each is drawn between half and one and a half times as long.

    ``write`` is the time for which a transaction keeps others off its items; a refusal comes after ``refusal``.
    ``tries_per_second`` is what a partition's 1,000 write units allow, were refused tries charged like others.
    """

    write: float
    read: float = 0.005
    refusal: float = 0.005
    spread: float = 0.5
    tries_per_second: float = float("inf")

    def drawn(self, chance: random.Random, seconds: float) -> float:
        return seconds * chance.uniform(1 - self.spread, 1 + self.spread)


@dataclass
class Sale:
    """What came of it. ``waits`` are the seconds from the click to "it is yours", of those who got that far."""

    buyers: int
    waits: list[float] = field(default_factory=list)
    tries: int = 0
    busy: int = 0
    last_at: float = 0.0

    @property
    def served(self) -> int:
        return len(self.waits)

    @property
    def per_second(self) -> float:
        return self.served / self.last_at if self.last_at else 0.0

    @property
    def tries_each(self) -> float:
        return self.tries / self.served if self.served else float("inf")

    def wait(self, share: float) -> float:
        """The wait that this share of the served did not pass."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    @property
    def median_wait(self) -> float:
        return statistics.median(self.waits) if self.waits else float("nan")


@dataclass(order=True)
class _Try:
    """A transaction that reaches the product at a moment."""

    at: float
    buyer: int
    number: int = field(compare=False)
    clicked_at: float = field(compare=False)
    last_pause: float = field(compare=False, default=0.0)


def sell(clicks: list[float], times: Times, policy: Policy, *, seed: int, shards: int = 1) -> Sale:
    """A sale to the buyers who click at these moments (seconds). Each try goes to one of the product's shards."""
    chance, sale = random.Random(seed), Sale(len(clicks))
    queue = [_Try(at + times.drawn(chance, times.read), buyer, 0, at) for buyer, at in enumerate(clicks)]
    heapq.heapify(queue)
    free_at, units = [0.0] * shards, [_Units(times.tries_per_second) for _ in range(shards)]
    while queue:
        one, shard = heapq.heappop(queue), chance.randrange(shards)
        sale.tries += 1
        if units[shard].allow(one.at) and one.at >= free_at[shard]:
            free_at[shard] = one.at + times.drawn(chance, times.write)
            sale.waits.append(free_at[shard] - one.clicked_at)
            sale.last_at = max(sale.last_at, free_at[shard])
        elif again := _again(one, times, policy, chance):
            heapq.heappush(queue, again)
        else:
            sale.busy += 1
    return sale


def _again(one: _Try, times: Times, policy: Policy, chance: random.Random) -> _Try | None:
    """The next try after a refusal, or None when the buyer is told "busy"."""
    refused_at = one.at + times.drawn(chance, times.refusal)
    pause = policy.pause(chance, one.number, one.last_pause)
    if one.number + 1 >= policy.tries or refused_at + pause > one.clicked_at + policy.seconds:
        return None
    return _Try(refused_at + pause + times.drawn(chance, times.read), one.buyer, one.number + 1, one.clicked_at, pause)


class _Units:
    """The tries that a partition takes in a second: a bucket that holds a second's worth and fills as time passes."""

    def __init__(self, per_second: float) -> None:
        self._per_second = self._left = per_second
        self._at = 0.0

    def allow(self, at: float) -> bool:
        if self._per_second == float("inf"):
            return True
        self._left = min(self._per_second, self._left + (at - self._at) * self._per_second)
        self._at = at
        if self._left < 1:
            return False
        self._left -= 1
        return True


# Who comes when


def all_at_once(buyers: int, *, within: float = 0.1, seed: int) -> list[float]:
    """Everybody clicks within a tenth of a second."""
    chance = random.Random(seed)
    return sorted(chance.uniform(0, within) for _ in range(buyers))


def steadily(per_second: float, *, seconds: float, seed: int) -> list[float]:
    """Buyers come by themselves, so many a second on average."""
    chance, at, clicks = random.Random(seed), 0.0, []
    while (at := at + chance.expovariate(per_second)) < seconds:
        clicks.append(at)
    return clicks

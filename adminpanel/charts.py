"""Where the bars of a chart stand. Drawn by the server as SVG, so that it needs neither scripts nor styles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH = 700
HEIGHT = 200
_FILLED = 0.62
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Bar:
    """One day: its place in the drawing and its amount."""

    day: date
    cents: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Chart:
    """A bar chart. ``top_cents`` is what its upper edge stands for."""

    bars: tuple[Bar, ...]
    top_cents: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def middle_cents(self) -> int:
        return self.top_cents // 2

    @property
    def total_cents(self) -> int:
        return sum(bar.cents for bar in self.bars)


def by_day(amounts: Sequence[tuple[date, int]]) -> Chart:
    """Amounts in cents, one bar for each day, the highest below a round number."""
    top = _round_up(max((cents for _, cents in amounts), default=0))
    room = WIDTH / max(1, len(amounts))
    bars = []
    for number, (day, cents) in enumerate(amounts):
        # A day with any revenue at all is to be seen.
        height = max(2, round(HEIGHT * cents / top)) if cents > 0 else 0
        x = round(number * room + room * (1 - _FILLED) / 2)
        bars.append(Bar(day, cents, x=x, y=HEIGHT - height, width=round(room * _FILLED), height=height))
    return Chart(tuple(bars), top)


def _round_up(cents: int) -> int:
    """The next 1, 2 or 5 with zeros, of whole euros, at least 100 euros."""
    power: int = 100 * 10 ** max(2, len(str(max(cents, 0) // 100)) - 1)
    return next(step * power for step in _STEPS if step * power >= cents)

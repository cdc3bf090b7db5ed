"""How long it takes to prove the stock of 100,000 products with ``manage.py prove_stock``."""

from __future__ import annotations

from benchmarks import one
from tests import engines

_WANTED_SECONDS = 60


def report(*, full: bool) -> str:
    """A shop with a few spoilt numbers, proved on each engine."""
    measured = {engine: one.measured("proving", engine, full=full) for engine in engines.NAMES}
    any_one = next(iter(measured.values()))
    rows = [
        f"| {engine} | {got['seconds']:.1f} | {got['processor_seconds']:.1f} | {got['spoilt']} | {got['exit']} |"
        for engine, got in measured.items()
    ]
    return "\n".join(
        [
            "# Proving the stock",
            "",
            f"`manage.py prove_stock` on {any_one['products']:,} products, {any_one['movements']:,} movements,"
            f" {any_one['orders']:,} orders and {any_one['carts']:,} held carts, of which three products have one unit",
            "that no movement brought. The command and the engine share two cores; the time is the whole command's,",
            f"with starting Python. Under {_WANTED_SECONDS} seconds is wanted for 100,000 products.",
            "",
            "| engine | seconds | of the command's own processor time | spoilt products found (of 3) | exit status |",
            "|---|--:|--:|--:|--:|",
            *rows,
            "",
        ]
    )

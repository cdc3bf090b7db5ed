"""Random operations by eight threads under faults: after each the books must balance, at the end every number.

    python -m tests.proofs.random_operations SEED [EPISODE]

plays one episode again and tells its story; without EPISODE all of a small run. The run is cut into episodes, each a small
shop of its own with little stock, many customers and a plan that follows from the seed. In most of them the threads take
turns (``schedule``), so that a failure repeats and is made shorter; in every fourth they really run at once.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from tests.proofs import Result, World

TITLE = "Random operations under faults"
WANTED = "100,000 operations by 8 threads, ≥ 30 faults per 100: 0 oversold, 0 lost, 0 doubled, 0 stuck"
ENGINE = "dynoxide"

FULL, QUICK = 100_000, 5_000
EPISODE = 400
FAULT_RATE = 0.09
_AT_ONCE_EVERY = 4
_WRONG_AT_MOST = 3
_names = itertools.count()


def prove(world: World) -> Result:
    operations = FULL if world.full else QUICK
    tally: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(operations // EPISODE + (operations % EPISODE > 0)):
        count = min(EPISODE, operations - number * EPISODE)
        outcome = _episode(world.seed, number, operations=count)
        tally += outcome.tally
        tally["operations"] += count
        tally["at once"] += count * at_once(number)
        world.progress(tally["operations"], operations)
        if outcome.wrong:
            wrong.append(_report(world.seed, number, operations=count))
    return Result(_ran(tally), wrong)

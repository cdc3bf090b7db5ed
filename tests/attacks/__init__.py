"""That the doors are locked, shown by trying every one of them.

Each module in ``PROOFS`` is one proof, as in ``tests/proofs``: a process and an engine of its own, and a control: the
same on a shop with a defence taken away must find it open. ``make test`` runs them small, ``make attack`` at full size.
"""

from __future__ import annotations

# In the order in which they begin and of the table: such that two cores come to the end together.
PROOFS: tuple[str, ...] = (
    "fuzz",
    "scripts",
    "scanners",
    "timing",
    "attack_list",
    "access_matrix",
    "limiter",
    "session_replay",
    "asvs",
)

"""All attacks at their full size, two proofs at a time, with tables at the end: what ``make attack`` runs.

    python -m tests.attacks [--quick] [--seed N] [NAME …]

Exit status 0 only if every door holds and every control finds it open.
"""

import sys

from tests.proofs.__main__ import main

if __name__ == "__main__":
    sys.exit(main("tests.attacks", command="make attack", shows="the doors are locked"))

"""One line of JSON for everything that the function does, on stderr, where CloudWatch takes it up.

Nothing of a visitor stands in it: no address, no path (it may hold an order's id), no query, no cookie, no form.
"""

from __future__ import annotations

import json
import sys


def write(**what: object) -> None:
    """Units are in the names: ``ms`` are milliseconds."""
    sys.stderr.write(json.dumps(what, ensure_ascii=False) + "\n")

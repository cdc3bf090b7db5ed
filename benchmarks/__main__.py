"""Measure, and write down what came out: what ``make bench`` runs.

    python -m benchmarks [--quick] [NAME …]

Writes ``benchmarks/NAME.md``. ``--quick`` measures little, only prints, and is good for a look.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import cast

from benchmarks import REPORTS, Report


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure what the docs say of cost and speed.")
    parser.add_argument("names", nargs="*", choices=[[], *REPORTS], metavar="NAME", help=", ".join(REPORTS))
    parser.add_argument("--quick", action="store_true", help="measure little, print it and write nothing")
    asked = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    for name in asked.names or REPORTS:
        print(f"Measuring: {name}", file=sys.stderr, flush=True)
        page = cast(Report, importlib.import_module(f"benchmarks.{REPORTS[name]}")).report(full=not asked.quick)
        print(page, flush=True)
        if not asked.quick:
            Path(__file__).with_name(f"{name}.md").write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

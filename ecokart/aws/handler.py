"""The Lambda function's entry: ``ecokart.aws.handler.handler(event, context)``.

Everything that needs no visitor happens when this module is imported. Lambda gives that phase a whole processor
whatever the function's memory is, and lets nobody wait for what a page needs later: Django is built, the database is
asked for the catalogue, and one page is made.
"""

from __future__ import annotations

import gc

# A collection while importing finds nothing and takes a tenth of the time; what is there at the end stays for good.
gc.disable()

import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from ecokart.aws import bundle  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecokart.settings")
# Where Amazon's Linux keeps time zones. Python would read how it was compiled to find it out.
os.environ.setdefault("PYTHONTZPATH", "/usr/share/zoneinfo")
_modules = Path(__file__).parents[2] / bundle.NAME
if _modules.exists():
    sys.meta_path.insert(0, bundle.Bundle(_modules))

from ecokart import logs  # noqa: E402
from ecokart.aws import start  # noqa: E402

logs.take_over()
_function = start.function()

gc.freeze()
gc.enable()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer a gateway's request, a schedule or an operator. Raises UnknownEvent for anything else."""
    return _function(event, context)

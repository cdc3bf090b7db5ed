"""The function's own metrics, in CloudWatch's embedded metric format: a line of the log that says which of its numbers
are metrics. Nobody is asked for it and nothing is sent; docs/deploy.md says what each costs.

Each name with each value of its dimensions is a metric that costs by the hour, so there are few: how long requests of
which kind took (their number comes with it), and for the whole stage what they cost. What is not there is not written.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from typing import Any

NAMESPACE = "Ecokart"
#: The kinds of requests, by the first part of their routes' names. All others are ``other``.
KINDS = {
    "shop:home": "catalogue",
    "shop:product": "catalogue",
    "shop:cart": "cart",
    "shop:checkout": "checkout",
    "adminpanel:": "admin",
}
OTHER = "other"
_UNITS = {"Milliseconds": "Milliseconds", "OldestWaitingMailSeconds": "Seconds"}
_Told = dict[str, object]


def kind(route: str) -> str:
    """To which kind of request a route belongs."""
    return next((found for beginning, found in KINDS.items() if route.startswith(beginning)), OTHER)


def of_request(line: Mapping[str, Any]) -> _Told:
    """What to add to a request's line, which has ``route``, ``status``, ``ms`` and what it cost. Nothing elsewhere."""
    stage = _stage()
    if not stage:
        return {}
    status = line["status"]
    values = {
        "ReadUnits": line["read_units"] + line.get("own_read_units", 0),
        "WriteUnits": line["write_units"] + line.get("own_write_units", 0),
        "Microdollars": line["microdollars"],
        "Errors": int(status == 500),
        "BusyAnswers": int(status == 503),
        "Orders": line.get("orders", 0),
    }
    happened = {name: value for name, value in values.items() if value}
    of_kind = {"Kind": kind(line["route"]), "Milliseconds": line["ms"]}
    return {"Stage": stage, **of_kind, **happened, "_aws": _aws(("Milliseconds",), tuple(happened))}


def of_task(**values: float) -> _Told:
    """What to add to a task's line, so that its values are metrics of the stage."""
    stage = _stage()
    return {"Stage": stage, **values, "_aws": _aws((), tuple(values))} if stage else {}


def _aws(by_kind: tuple[str, ...], by_stage: tuple[str, ...]) -> _Told:
    return {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": _directives(by_kind, by_stage)}


@functools.cache
def _directives(by_kind: tuple[str, ...], by_stage: tuple[str, ...]) -> list[_Told]:
    listed = [(["Stage", "Kind"], by_kind), (["Stage"], by_stage)]
    return [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [dimensions],
            "Metrics": [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in names],
        }
        for dimensions, names in listed
        if names
    ]


@functools.cache
def _stage() -> str:
    """The stage that this function is of, or nothing where this is no function."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "").rpartition("-")[2]

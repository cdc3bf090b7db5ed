"""What every request took and cost: a line of the log, an id that the answer names, and for admins a header."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import empty

from ecokart import logs
from ecokart.aws import metrics, prices
from inventory import metering

GetResponse = Callable[[HttpRequest], HttpResponse]
Line = dict[str, Any]
#: Under this name whoever serves us says the id that a request has already.
REQUEST_ID = "ecokart.request_id"
HEADER = "X-Request-Id"
#: The request that nobody makes, before the first one comes. It is no visitor's, so it counts in no metric.
WARM_UP = "warm-up"
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def observed(get_response: GetResponse) -> GetResponse:
    """Is to come first, so that the work of all others counts. The database is not asked for any of it."""
    memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0))

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        # What a visitor writes into a header of that name is nobody's id.
        request_id = request.META.get(REQUEST_ID) or secrets.token_hex(16)
        token = logs.request_id.set(request_id)
        try:
            with metering.billed() as bill:
                response = get_response(request)
        finally:
            logs.request_id.reset(token)
        line = _line(request, response, bill, ms=1000 * (time.perf_counter() - began), memory=memory)
        response[HEADER] = request_id
        if _is_an_admins(request):
            response["Server-Timing"] = _timing(line)
        if settings.LOG_JSON:
            logs.write(request=request_id, **line, **(metrics.of_request(line) if request_id != WARM_UP else {}))
        return response

    return middleware


def asked(bill: metering.Bill) -> Line:
    """What a bill says, and beside it what the process has asked for by itself since somebody wrote that down last."""
    told: Line = {
        "dynamodb_calls": bill.calls,
        "dynamodb_ms": round(1000 * bill.seconds, 2),
        "read_units": bill.read_units,
        "write_units": bill.write_units,
    }
    own = metering.take_own()
    if own.calls:
        told |= {"own_calls": own.calls, "own_read_units": own.read_units, "own_write_units": own.write_units}
    return told


def _line(request: HttpRequest, response: HttpResponse, bill: metering.Bill, *, ms: float, memory: int) -> Line:
    line: Line = {
        # Anybody may invent one.
        "method": request.method if request.method in _METHODS else "other",
        "route": logs.route(request),
        "status": response.status_code,
        "ms": round(ms, 2),
        **asked(bill),
    }
    units = {"read_units": bill.read_units, "write_units": bill.write_units}
    line["microdollars"] = round(1e6 * prices.of_request(**units, ms=ms, memory_megabytes=memory), 3)
    if bill.orders:
        line["orders"] = bill.orders
    if memory:
        line["trace"] = _trace()
    return line


def _trace() -> str:
    """X-Ray's name for what Lambda does just now: the first part of ``Root=1-…;Parent=…;Sampled=1``."""
    return os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=")


def _is_an_admins(request: HttpRequest) -> bool:
    """Whether it is known that an admin asks. Where no page has asked who it is, nobody is read for it."""
    account = getattr(request, "account", None)
    known = getattr(account, "_wrapped", account)
    return known is not None and known is not empty and bool(known.is_admin)


def _timing(line: Line) -> str:
    """For the browser's own tools: times are milliseconds, the rest stands beside its name."""
    units = f"{line['read_units']:g} read, {line['write_units']:g} written"
    return ", ".join(
        [
            f"total;dur={line['ms']}",
            f'db;dur={line["dynamodb_ms"]};desc="{line["dynamodb_calls"]} calls"',
            f'units;desc="{units}"',
            f'cost;desc="{line["microdollars"]} microdollars"',
        ]
    )

"""What the shop writes down, on stderr: one line of JSON for everything, in the function and under gunicorn alike.

Nothing of a visitor stands in it: no address of theirs, no path (it may hold an order's id), no query, no cookie, no
form. An error is told by its kind and by where it happened, never by its text, which may repeat what somebody typed.
Everything but ASCII is escaped, so that nobody can write a line, or move a terminal's cursor, by what they send.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

#: The id of the request that this thread works for. Answers have it in their header X-Request-Id.
request_id: ContextVar[str] = ContextVar("request_id", default="")

#: How gunicorn writes too, whose processes speak before the shop's settings are read.
SERVER: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ecokart.logs.Lines"}},
    "handlers": {"stderr": {"class": "ecokart.logs.Handler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Its level is what the server was told.
    "loggers": {"gunicorn.error": {"handlers": ["stderr"], "propagate": False}},
}

_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode
_MAIL_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_MOST_ERRORS, _MOST_FRAMES = 5, 60


def write(**what: object) -> None:
    """One line, with the moment at its end. Units are in the names: ``ms`` are milliseconds."""
    what["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    # In one piece: other threads and processes write there too.
    sys.stderr.write(_encode(what) + "\n")


class Handler(logging.Handler):
    """Writes to stderr as it is now, like ``write``: the one of logging keeps the one of the process's first moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # As logging's own do: who writes something down must not fail for it.
            self.handleError(record)


class Lines(logging.Formatter):
    """Messages of the shop and of others' libraries as such lines."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"level": record.levelname, "logger": record.name, "message": _message(record)}
        if request_id.get():
            line["request"] = request_id.get()
        if (request := getattr(record, "request", None)) is not None:
            line["route"] = route(request)
        if record.exc_info and record.exc_info[1] is not None:
            line |= _told(record.exc_info[1])
        line["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return _encode(line)


def route(request: Any) -> str:
    """A request's route by its name, or ``none`` where it was answered before one was looked for, or has none."""
    match = getattr(request, "resolver_match", None)
    return match.view_name if match is not None and match.view_name else "none"


def take_over() -> None:
    """Let what Python itself writes for people come as lines too: warnings, and threads that end by an error."""
    logging.captureWarnings(True)
    threading.excepthook = _of_thread


def _of_thread(failed: threading.ExceptHookArgs) -> None:
    name = failed.thread.name if failed.thread else "thread"
    told = _told(failed.exc_value) if failed.exc_value is not None else {}
    write(level="ERROR", logger=name, message="A thread has ended by an error.", **told)


def _message(record: logging.LogRecord) -> str:
    """What a record says, without the part in which some libraries repeat the visitor."""
    template = str(record.msg)
    if record.name.startswith("django.security"):
        # The text of the exception that is behind it.
        return record.name.rpartition(".")[2]
    if record.name.startswith("django.request"):
        # Its path comes after that.
        return record.getMessage().partition(":")[0]
    if record.name.startswith("gunicorn") and (record.exc_info or template.startswith("Invalid request")):
        return "An error in the server" if isinstance(record.msg, BaseException) else _before_the_visitor(template)
    return _MAIL_ADDRESS.sub("…@…", record.getMessage())


def _before_the_visitor(template: str) -> str:
    return re.split(r" from ip=| ?%", template)[0]


def _told(error: BaseException) -> dict[str, str]:
    """An error by its kind, DynamoDB's word for it, and where it happened, with what led to it first."""
    said = {"error": _kind(error)}
    if isinstance(refused := _chain(error)[0], ClientError):
        said["code"] = f"{refused.operation_name}: {refused.response.get('Error', {}).get('Code', '')}"
    return said | {"traceback": "\n".join(_lines(error))}


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    # What began it is at the end. An error page that fails in each layer of middleware has dozens.
    return found[::-1][:_MOST_ERRORS]


def _lines(error: BaseException) -> Iterator[str]:
    """As Python writes them, with the code and never with what it worked on."""
    for one in _chain(error):
        for frame in traceback.extract_tb(one.__traceback__)[-_MOST_FRAMES:]:
            yield f'File "{frame.filename}", line {frame.lineno}, in {frame.name}'
            yield f"  {frame.line}"
        yield _kind(one)

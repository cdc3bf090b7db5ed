"""How a command shows that it is getting on, and what it says when it cannot."""

import time
from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import CommandError, OutputWrapper
from pynamodb.exceptions import PynamoDBException

from inventory import dynamodb
from inventory.errors import Busy, Unsure
from inventory.tables import Progress

# What a command may meet when the database cannot answer; `apology` lets through what is a mistake of ours.
UNAVAILABLE = (Busy, Unsure, dynamodb.Contention, PynamoDBException, BotoCoreError, ClientError)


def apology(failed: Exception, *, returncode: int = 1) -> Exception:
    """A sentence instead of a traceback, where the database is to blame. ``returncode`` is the exit status then."""
    if isinstance(failed, Busy | Unsure) or dynamodb.is_unavailable(failed):
        return CommandError(
            "DynamoDB did not answer or could not keep up. What is done stays done: run the command again.",
            returncode=returncode,
        )
    return failed


_BAR = 30
_EVERY_SECONDS = 0.1
# To the start of the line, and away with what stands on it.
_OVER = "\r\033[K"


def show(steps: Iterable[Progress], out: OutputWrapper, *, returncode: int = 1) -> None:
    """Print each step: in a terminal as a bar that grows on one line, elsewhere only the last of a kind.

    Raises CommandError, a sentence instead of a traceback and an exit status, when the database cannot answer.
    """
    try:
        _show(steps, out)
    except UNAVAILABLE as failed:
        raise apology(failed, returncode=returncode) from failed


def _show(steps: Iterable[Progress], out: OutputWrapper) -> None:
    last: Progress | None = None
    drawn = 0.0
    for step in steps:
        if last is not None and last.what != step.what:
            _close(last, out)
            drawn = 0.0
        # Drawing more often than anybody sees it would slow down what is being shown.
        if out.isatty() and time.monotonic() - drawn > _EVERY_SECONDS:
            out.write(f"{_OVER}{_bar(step)}", ending="")
            out.flush()
            drawn = time.monotonic()
        last = step
    if last is not None:
        _close(last, out)


def _close(step: Progress, out: OutputWrapper) -> None:
    out.write(f"{_OVER if out.isatty() else ''}{_line(step)}")


def _bar(step: Progress) -> str:
    if not step.total:
        return f"  {step.what}: {step.done:,}"
    full = _BAR * min(step.done, step.total) // step.total
    return f"  {step.what} [{'#' * full}{'.' * (_BAR - full)}] {step.done:,} of {step.total:,}"


def _line(step: Progress) -> str:
    return f"  {step.what}: {step.done}" + (f" of {step.total}" if step.total is not None else " brought up to date")

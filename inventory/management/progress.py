"""How a command shows that it is getting on, and what it says when it cannot."""

from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import CommandError, OutputWrapper
from pynamodb.exceptions import PynamoDBException

from inventory import dynamodb
from inventory.errors import Busy, Unsure
from inventory.tables import Progress

# What a command may meet when the database cannot answer; `apology` lets through what is a mistake of ours.
UNAVAILABLE = (Busy, Unsure, dynamodb.Contention, PynamoDBException, BotoCoreError, ClientError)


def apology(failed: Exception) -> Exception:
    """A sentence instead of a traceback, where the database is to blame."""
    if isinstance(failed, Busy | Unsure) or dynamodb.is_unavailable(failed):
        return CommandError(
            "DynamoDB did not answer or could not keep up. What is done stays done: run the command again."
        )
    return failed


def show(steps: Iterable[Progress], out: OutputWrapper) -> None:
    """Print each step: over and over on one line in a terminal, only the last of a kind elsewhere.

    Raises CommandError, a sentence instead of a traceback, when the database cannot answer.
    """
    try:
        _show(steps, out)
    except UNAVAILABLE as failed:
        raise apology(failed) from failed


def _show(steps: Iterable[Progress], out: OutputWrapper) -> None:
    last: Progress | None = None
    for step in steps:
        if last is not None and last.what != step.what:
            out.write(_line(last))
        if out.isatty():
            out.write(_line(step), ending="\r")
        last = step
    if last is not None:
        out.write(_line(last))


def _line(step: Progress) -> str:
    return f"  {step.what}: {step.done}" + (f" of {step.total}" if step.total is not None else " brought up to date")

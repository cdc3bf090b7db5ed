"""What the function does when nobody visits: its tasks, by the clock, and a few commands for whoever operates it."""

from __future__ import annotations

import io
import shlex
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.management import CommandError, call_command

from ecokart import logs, observing, post
from ecokart.aws import metrics
from inventory import mails, metering, reservations

Event = dict[str, Any]
Answer = dict[str, Any]

#: Whoever may invoke the function may run these. None of them gives anybody rights, or deletes anything, and the
#: function's role allows what they ask for.
COMMANDS = ("prove_stock", "release_expired", "send_mails")
#: A proof gives up after that many seconds: the function has thirty.
PROOF_SECONDS = 24.0


class NotAllowed(Exception):
    """A command that the function does not run."""


class Unfinished(Exception):
    """The time was not enough."""


def is_scheduled(event: Event) -> bool:
    """Whether it is the clock that calls."""
    return event.get("source") == "aws.events" or event.get("detail-type") == "Scheduled Event"


def run_scheduled(event: Event, request_id: str) -> Answer:
    """Do what the rule of this event is for, or both sweeps where it names no task.

    What the database raises stays raised: then the call counts as failed.
    """
    rules = " ".join(event.get("resources", []))
    names = [name for name in TASKS if rules.endswith(name)] or ["release_expired", "send_mails"]
    return {name: _run(name, request_id) for name in names}


def _run(name: str, request_id: str) -> Answer:
    began = time.perf_counter()
    with metering.billed() as bill:
        done = TASKS[name]()
    measured = {metric: done[key] for key, metric in _METRICS.items() if key in done}
    told = {"task": name, **done, "ms": _ms_since(began), **observing.asked(bill)}
    logs.write(request=request_id, **told, **metrics.of_task(**measured))
    return done


def _release_expired() -> Answer:
    """Give back what expired carts hold."""
    return {"released": reservations.release_expired()}


def _send_mails() -> Answer:
    """Send the mails that wait."""
    swept = post.sweep()
    waiting = round(mails.oldest_wait().total_seconds())
    return {"sent": swept.sent, "failed": swept.failed, "oldest_waiting_seconds": waiting}


def _prove_stock() -> Answer:
    """Compute all stock again. Raises Unfinished where that takes longer than a function may."""
    # Nobody who visits should wait for it to be imported.
    from inventory.proof.proving import Proof

    proof, deadline = Proof(), time.monotonic() + PROOF_SECONDS
    for _ in proof.steps():
        if time.monotonic() > deadline:
            raise Unfinished(
                f"The proof of all stock was not at its end after {PROOF_SECONDS:.0f} seconds, and nothing is known. "
                "docs/deploy.md says how to prove a catalogue of this size."
            )
    report = proof.report
    unsure = {"unjudged": len(report.unjudged), "overdue": report.overdue}
    return {"products": report.products, "wrong": report.wrong_count, **unsure}


#: By the names in zappa_settings.json: Zappa's rules end with them.
TASKS: dict[str, Callable[[], Answer]] = {
    "release_expired": _release_expired,
    "send_mails": _send_mails,
    "prove_stock": _prove_stock,
}
#: What of a task's answer is a metric. Alarms of ecokart/aws/data.yaml look at them.
_METRICS = {"oldest_waiting_seconds": "OldestWaitingMailSeconds", "wrong": "StockWrong"}


def manage(words: str | Iterable[str], request_id: str) -> Answer:
    """Run one of ``COMMANDS``; gives its exit status and what it printed.

    Takes a list of words, or one text, as ``zappa manage`` sends it. Raises NotAllowed for every other command.
    """
    name, *arguments = _words(words)
    if name not in COMMANDS:
        raise NotAllowed(f"The function does not run {name!r}. It runs: {', '.join(COMMANDS)}.")
    began, printed = time.perf_counter(), io.StringIO()
    status = _status(lambda: call_command(name, *arguments, stdout=printed, stderr=printed, no_color=True), printed)
    logs.write(request=request_id, task=name, status=status, ms=_ms_since(began))
    return {"command": name, "status": status, "output": printed.getvalue()}


def _words(words: str | Iterable[str]) -> list[str]:
    found = shlex.split(words) if isinstance(words, str) else [str(word) for word in words]
    if not found:
        raise NotAllowed(f"Which command? The function runs: {', '.join(COMMANDS)}.")
    return found


def _status(run: Callable[[], object], printed: io.StringIO) -> int:
    """How a command ended, as its process would have ended: with a status, and a sentence where it could not go on."""
    try:
        run()
    except CommandError as failed:
        printed.write(f"{failed}\n")
        return failed.returncode
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _ms_since(began: float) -> float:
    return round(1000 * (time.perf_counter() - began), 1)

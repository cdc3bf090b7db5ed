"""The result of a proof, and the note in which the shop remembers the last one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from inventory import dynamodb
from inventory.models import Note
from inventory.proof.findings import Finding

NOTE = "proof#latest"
_MOST_KEPT = 100


@dataclass(frozen=True)
class Report:
    """What a proof has found: of how many products, what is wrong, and who could not be judged.

    ``wrong`` holds all findings, or the first of them where it comes from the note; ``wrong_count`` counts what they
    are about. ``overdue`` are carts that kept units long after their time. ``seconds`` is how long the proof took.
    """

    at: datetime
    products: int
    wrong_count: int
    wrong: list[Finding]
    unjudged: list[str]
    overdue: int
    seconds: float = field(compare=False)

    @property
    def state(self) -> str:
        return "wrong" if self.wrong else "unjudged" if self.unjudged else "right"


def count(wrong: list[Finding]) -> int:
    """How many products, orders and carts some findings are about."""
    return len({(finding.about, finding.id) for finding in wrong})


def remember(report: Report) -> None:
    """Keep a report as the last one."""
    kept = asdict(report) | {"wrong": [asdict(finding) for finding in report.wrong[:_MOST_KEPT]]}
    kept["unjudged"] = report.unjudged[:_MOST_KEPT]
    Note(NOTE, text=json.dumps({**kept, "at": report.at.isoformat()}), at=report.at).save()


def last() -> Report | None:
    """The last full proof, or None where there never was one."""
    (notes,) = dynamodb.get_raw((Note, [NOTE], ()))
    return of(notes.get(NOTE))


def of(raw: dynamodb.Raw | None) -> Report | None:
    """The report in the note ``NOTE``, for whoever has read it along with something else."""
    if raw is None:
        return None
    note = Note.from_raw_data(raw)
    kept = json.loads(note.text)
    wrong = [Finding(**finding) for finding in kept["wrong"]]
    return Report(**{**kept, "at": note.at, "wrong": wrong})

"""The model is worth something only while it can be read at a glance."""

from pathlib import Path

from tests.proofs.machine import model

MOST_LINES = 79


def test_the_model_has_under_80_lines() -> None:
    lines = [line for line in Path(model.__file__).read_text().splitlines() if line.strip()]

    assert len(lines) <= MOST_LINES

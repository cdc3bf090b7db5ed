"""The mails of a shop that writes them into files, as their readers find them."""

from __future__ import annotations

import re
import time
from pathlib import Path

from ecokart import local

_PATIENCE_SECONDS = 10


def link(environment: local.Environment, to: str, *, path: str) -> str:
    """The address of this path, with its key, in the newest mail to somebody."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        newest_first = sorted(
            Path(environment["EMAIL_FILE_PATH"]).glob("*"), key=lambda file: file.stat().st_mtime_ns, reverse=True
        )
        for text in (file.read_text(encoding="utf-8") for file in newest_first):
            found = re.findall(rf"http://\S+{path}\?key=\S+", text)
            if f"To: {to}\n" in text and found:
                return str(found[0])
        time.sleep(0.1)
    raise AssertionError(f"There is no mail to {to} with a link to {path}.")

"""The Dockerfile and .dockerignore, read as Docker reads them, as far as ours go."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """``RUN pip install …`` is the word RUN and a text."""

    word: str
    text: str

    def as_list(self) -> list[str]:
        """The text of CMD or HEALTHCHECK's command: a program and its arguments."""
        found: list[str] = json.loads(self.text)
        return found


@dataclass
class Stage:
    base: str
    name: str
    steps: list[Step] = field(default_factory=list)


def stages(text: str) -> list[Stage]:
    """What stands between one FROM and the next."""
    found: list[Stage] = []
    for step in _steps(text):
        if step.word == "FROM":
            base, _, name = step.text.partition(" AS ")
            found.append(Stage(base, name))
        else:
            found[-1].steps.append(step)
    return found


def _steps(text: str) -> Iterator[Step]:
    whole = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, map(str.strip, whole.splitlines())):
        word, _, rest = line.partition(" ")
        yield Step(word, rest.strip())


def variables(text: str) -> dict[str, str]:
    """``A=1 B=2`` of an ENV step."""
    return dict(part.split("=", 1) for part in text.split())


def health(text: str) -> list[str]:
    """The command of a HEALTHCHECK step, behind its options."""
    return Step("CMD", text.partition("CMD ")[2]).as_list()


def ignoring(text: str) -> Callable[[str], bool]:
    """Whether a .dockerignore keeps a path out. A pattern stands for what it fits, and all that lies in it."""
    lines = [line.strip() for line in text.splitlines()]
    patterns = [_expression(line.strip("/")) for line in lines if line and not line.startswith("#")]
    whole = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))

    def is_ignored(path: str) -> bool:
        return re.fullmatch(f"(?:{whole.pattern})(?:/.*)?", path) is not None

    return is_ignored


def _expression(pattern: str) -> str:
    """``*`` ends at a slash, ``**/`` is any number of folders. What ours do not use is refused, not guessed."""
    if re.search(r"[!?\[\\]", pattern):
        raise ValueError(f"The tests do not read {pattern} in .dockerignore.")
    parts = re.split(r"(\*\*/|\*)", pattern)
    return "".join({"**/": "(?:.*/)?", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)

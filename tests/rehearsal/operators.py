"""Somebody with a checkout of the shop and an account at AWS, who types what docs/deploy.md says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ecokart import local
from ecokart.aws import stage
from tests.rehearsal import aws

STAGE = "staging"
MAIL_FROM = "shop@ecokart.example"
SECRET_KEY = "rehearsed-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2
Typed = subprocess.CompletedProcess[str]
_AUTHOR = ("-c", "user.name=A rehearsal", "-c", "user.email=rehearsal@ecokart.example")


@dataclass(frozen=True)
class Operator:
    """Works in ``checkout`` with ``environment``; ``python`` is the version that the emulated Lambda runs."""

    checkout: Path
    environment: local.Environment
    python: str

    def deploys(self, **variables: str) -> Typed:
        return self.types("deploy", OPTIONS=f"--python {self.python}", **variables)

    def types(self, target: str, *, answer: str = "", **variables: str) -> Typed:
        """``make target STAGE=staging``. Variables of make are written behind it, others are in the environment."""
        behind = [f"{name}={variables.pop(name)}" for name in ("OPTIONS", "RUN") if name in variables]
        return subprocess.run(
            # What runs the rehearsal is installed, and is not to be installed anew from the checkout.
            ["make", "--old-file=.venv/.installed-dev", target, f"STAGE={STAGE}", *behind],  # noqa: S607
            cwd=self.checkout,
            env={**self.environment, "SECRET_KEY": SECRET_KEY, "MAIL_FROM": MAIL_FROM, **variables},
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    def commit(self, message: str) -> None:
        _git(self.checkout, "add", "--all")
        _git(self.checkout, *_AUTHOR, "commit", "--quiet", "--message", message)


def with_checkout(directory: Path, environment: local.Environment) -> Operator:
    """The shop as it stands in this checkout, changes included, as a commit of a repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=local.ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = local.ROOT / name, directory / name
        if source.is_file() and not source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    _let_one_address_ask_more_often(directory / stage.SETTINGS.name)
    (directory / ".venv").symlink_to(sys.prefix)
    _git(directory, "init", "--quiet")
    (directory / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
    operator = Operator(directory, environment, _emulators_python())
    operator.commit("The shop as it is rehearsed")
    return operator


def _let_one_address_ask_more_often(settings: Path) -> None:
    """All visitors of a rehearsal come from this machine. They are counted, as on AWS, only up to more."""
    stages = json.loads(settings.read_text(encoding="utf-8"))
    stages[STAGE]["aws_environment_variables"] = {"REQUEST_LIMIT": "10000"}
    settings.write_text(json.dumps(stages, indent=4), encoding="utf-8")


def _git(directory: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=directory, check=True)  # noqa: S607


def _emulators_python() -> str:
    asked = [aws.PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()

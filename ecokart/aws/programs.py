"""The other programs that a deployment runs: git for what is deployed, Django's commands, and Zappa."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ecokart import local
from ecokart.aws.stage import CannotDeploy, Stage


def check_commit() -> str:
    """The commit that would be deployed. Raises CannotDeploy when files differ from it."""
    try:
        commit = _git("rev-parse", "HEAD").decode().strip()
        changes = _git("status", "--porcelain", "--untracked-files=no").decode().strip()
    except (OSError, subprocess.CalledProcessError) as failed:
        raise CannotDeploy(
            f"{local.ROOT} is no git repository with a commit. What is deployed is a commit."
        ) from failed
    if changes:
        raise CannotDeploy(f"Some files differ from the last commit. Commit them or put them away first:\n{changes}")
    return commit


@contextmanager
def exported(commit: str) -> Iterator[Path]:
    """The files of a commit, and nothing else, in a folder for a while."""
    with tempfile.TemporaryDirectory() as directory:
        with tarfile.open(fileobj=io.BytesIO(_git("archive", commit))) as archive:
            archive.extractall(directory, filter="data")
        yield Path(directory)


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=local.ROOT, check=True, capture_output=True).stdout  # noqa: S607


def manage(stage: Stage, *command: str, source: Path, environment: Mapping[str, str], quiet: bool = True) -> None:
    """One of Django's commands from a folder of the shop. Raises CannotDeploy when it fails."""
    output = subprocess.PIPE if quiet else None
    ended = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=source, env={**os.environ, **_region(stage), **environment},
        stdout=output, stderr=subprocess.STDOUT if quiet else None,
    )  # fmt: skip
    if ended.returncode:
        told = f":\n{ended.stdout.decode(errors='replace').strip()}" if quiet else "."
        raise CannotDeploy(f"manage.py {command[0]} failed (exit code {ended.returncode}){told}")


def zappa(stage: Stage, own: Mapping[str, object], *command: str) -> None:
    """Zappa, in an empty folder: it writes where it stands and reads whatever Python it finds there.

    Its settings hold secrets, so only we can read the file, and only for as long as it runs.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "zappa_settings.json")
        file.touch(mode=0o600)
        file.write_text(json.dumps({stage.name: own}), encoding="utf-8")
        verb, *options = command
        words = [sys.executable, "-m", "zappa.cli", verb, stage.name, "--settings_file", str(file), *options]
        ended = subprocess.run(words, cwd=directory, env={**os.environ, **_region(stage)}, stdin=subprocess.DEVNULL)
    if ended.returncode:
        raise CannotDeploy(f"zappa {verb} failed (exit code {ended.returncode}); what went wrong stands above.")


def _region(stage: Stage) -> dict[str, str]:
    """The stage's region, whatever the operator's own is: the SDK, the shop and Zappa read it from there."""
    return {"AWS_REGION": stage.region, "AWS_DEFAULT_REGION": stage.region}

"""The image that the Dockerfile describes, made without Docker: its steps run in a folder that stands for ``/``.

Every stage begins with what ``FROM python`` stands for: an interpreter in ``/usr/local``, as a virtual environment of a
copy that every user may read. The folder is in the same place for all stages, since scripts name their interpreter by
its path. Absolute paths of the steps lead into the folder; programs other than Python come from this machine, but for
those that would change it (``useradd``).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pip

from ecokart import local
from ecokart.aws import package
from tests.container import dockerfile
from tests.container.dockerfile import Step

_ASKED = """
import json, sys, sysconfig
found = {"stdlib": sysconfig.get_path("stdlib"), "libraries": sysconfig.get_config_var("LIBDIR")}
json.dump(found | {"program": sys._base_executable, "name": "python%d.%d" % sys.version_info[:2]}, sys.stdout)
"""
#: What pip may need to find packages, from wherever this machine has them.
_PASSED_ON = re.compile(r"PIP_\w+|SSL_\w+|(https?|no)_proxy", re.IGNORECASE)
_PIP = """#!/bin/sh
PYTHONPATH={folder} exec python -m pip "$@"
"""
_USERADD = """#!/bin/sh
uid="" shell=""
while [ $# -gt 1 ]; do case "$1" in --uid) uid=$2; shift ;; --shell) shell=$2; shift ;; esac; shift; done
echo "$1:x:$uid:$uid::/home/$1:$shell" >> "$ROOT/etc/passwd"
"""


class StepFailed(Exception):
    """A step of the Dockerfile ended with an error."""


@dataclass
class Image:
    """A folder that stands for ``/``, and how a container of it begins."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    port: str = ""

    def environment(self) -> dict[str, str]:
        """What every process in it sees, and nothing of this process's own."""
        return {
            "PATH": f"{self.root}/usr/local/bin:{self.root}/usr/sbin:/usr/bin:/bin",
            "HOME": str(self.root),
            # Interpreters that are built to be shared look for their library where they came from.
            "LD_LIBRARY_PATH": str(self.root.parent / "python" / "lib"),
        } | self.variables

    def uid(self) -> int:
        """The number of its user, who was made by a step."""
        accounts = [line.split(":") for line in (self.root / "etc" / "passwd").read_text("utf-8").splitlines()]
        return next(int(account[2]) for account in accounts if account[0] == self.user)

    def popen(self, command: list[str], *, more: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
        """A process in it, of its user where we may choose that. Else ours does: neither may change anything in it."""
        as_user = {"user": self.uid(), "group": self.uid(), "extra_groups": []} if os.getuid() == 0 else {}
        with log.open("ab") as output:
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
                command,
                cwd=self.inside(self.folder),
                env=self.environment() | more,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_user,
            )

    def inside(self, path: str) -> Path:
        """Where a path of it is on this machine."""
        return self.root / os.path.join(self.folder, path).lstrip("/")


@contextmanager
def built(context: Path, workshop: Path) -> Iterator[Image]:
    """The last stage of the Dockerfile, all steps done. ``workshop`` is an empty folder that anybody may enter."""
    root = workshop / "root"
    stages = dockerfile.stages((context / "Dockerfile").read_text(encoding="utf-8"))
    python = _add_python(workshop, re.fullmatch(r"python:([\d.]+)-slim", stages[0].base)[1])  # type: ignore[index]
    for stage in stages:
        image = Image(root)
        _begin(image, python)
        for step in stage.steps:
            _do(step, image, context=context, workshop=workshop)
        if stage is not stages[-1]:
            root.rename(workshop / f"stage-{stage.name}")
    _allow_changes(root, allowed=False)
    yield image
    _allow_changes(root, allowed=True)


def _add_python(workshop: Path, version: str) -> Path:
    """A copy of an interpreter, and pip beside it."""
    found, target = _python(version), workshop / "python"
    unwanted = shutil.ignore_patterns("site-packages", "dist-packages", "test", "idlelib", "tkinter", "config-*")
    shutil.copytree(found["stdlib"], target / "lib" / found["name"], ignore=unwanted)
    for library in Path(found["libraries"]).glob(f"lib{found['name']}.so*"):
        shutil.copy(library, target / "lib")
    (target / "bin").mkdir()
    shutil.copy(Path(found["program"]).resolve(), target / "bin" / found["name"])
    (workshop / "pip").mkdir()
    (workshop / "pip" / "pip").symlink_to(Path(pip.__file__).parent)
    return target / "bin" / found["name"]


def _begin(image: Image, python: Path) -> None:
    """What ``FROM python`` brings."""
    root = image.root
    for folder in ("etc", "usr/sbin"):
        (root / folder).mkdir(parents=True)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="utf-8")
    _run([str(python), "-m", "venv", "--without-pip", str(root / "usr" / "local")], image)
    programs = {"usr/sbin/useradd": _USERADD, "usr/local/bin/pip": _PIP.format(folder=root.parent / "pip")}
    for name, text in programs.items():
        (root / name).write_text(text, encoding="utf-8")
        (root / name).chmod(0o755)


def _python(version: str) -> dict[str, str]:
    """Where the interpreter of the Dockerfile's version is; this one where this machine has none of that version."""
    try:
        program = package.find_interpreter(version)
    except package.CannotBuild:
        program = sys.executable
    done = subprocess.run([program, "-c", _ASKED], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _do(step: Step, image: Image, *, context: Path, workshop: Path) -> None:
    """One step, as Docker does it."""
    match step.word:
        case "COPY":
            _copy(step.text, image, context=context, workshop=workshop)
        case "RUN":
            _run(["/bin/sh", "-c", re.sub(r"(?<=[ =])/(?=\w)", f"{image.root}/", step.text)], image)
        case "ENV":
            image.variables |= dockerfile.variables(step.text)
        case "WORKDIR":
            image.folder = step.text
            image.inside(".").mkdir(parents=True, exist_ok=True)
        case "USER":
            image.user = step.text
        case "EXPOSE":
            image.port = step.text
        case "HEALTHCHECK":
            image.health = dockerfile.health(step.text)
        case "CMD":
            image.command = step.as_list()
        case _:
            raise StepFailed(f"The tests do not know the step {step.word}.")


def _copy(text: str, image: Image, *, context: Path, workshop: Path) -> None:
    """From a stage before, or from the context without what .dockerignore keeps out."""
    found = re.fullmatch(r"(?:--from=(\S+) )?(\S+) (\S+)", text)
    if found is None:
        raise StepFailed(f"The tests do not read COPY {text}.")
    stage, source, target = found.groups()
    origin = workshop / f"stage-{stage}" / source.lstrip("/") if stage else context / source
    if origin.is_file():
        os.link(origin, image.inside(target) / origin.name)
        return
    is_ignored = dockerfile.ignoring("" if stage else (context / ".dockerignore").read_text(encoding="utf-8"))

    def ignored(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if is_ignored(str(Path(folder, name).relative_to(origin)))}

    shutil.copytree(
        origin, image.inside(target), symlinks=True, ignore=ignored, copy_function=os.link, dirs_exist_ok=True
    )


def _run(command: list[str], image: Image) -> None:
    passed_on = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    variables = {"ROOT": str(image.root), "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        command,
        cwd=image.inside("."),
        env=image.environment() | passed_on | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StepFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")


def _allow_changes(root: Path, *, allowed: bool) -> None:
    """Docker's files are root's. Ours may be our own, so nobody may write to them while a container runs."""
    for folder, _, names in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | 0o200 if allowed else mode & ~0o222)


def context(target: Path) -> Path:
    """The shop's folder as somebody has it who works there: what git knows, and what must not get into an image."""
    git = shutil.which("git") or "git"
    listed = subprocess.run([git, "ls-files", "-z"], cwd=local.ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (local.ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(local.ROOT / name, target / name)
    for name in UNWANTED:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(SECRET, encoding="utf-8")
    return target


#: What lies beside what git knows, and what is in it.
SECRET = "in no image"
UNWANTED = (
    ".env", ".env.production", ".git/config", ".aws/credentials", ".venv/bin/python", ".data/secret_key",
    "shop/__pycache__/urls.cpython-313.pyc", "staticfiles/old.css", "htmlcov/index.html", ".pytest_cache/README",
)  # fmt: skip

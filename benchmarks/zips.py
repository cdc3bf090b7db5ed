"""The packages that are compared: ours, the same shop as Zappa packs it by default, and an empty function."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from benchmarks.runtime import CLIENT, Function
from ecokart import local
from ecokart.aws import package

_EMPTY = 'def handler(event, context):\n    return {"statusCode": 200, "body": ""}\n'
# What Zappa must be told; all else is as it comes.
_ZAPPA = {
    "project_name": "ecokart",
    "django_settings": "ecokart.settings",
    "s3_bucket": "nowhere",
    "aws_region": "eu-central-1",
}


def python() -> str:
    """The version to measure with: the runtime's, or that of this process where there is no interpreter of it."""
    try:
        package.find_interpreter(package.RUNTIME)
    except package.CannotBuild:
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    return package.RUNTIME


def client(folder: Path, version: str) -> Path:
    """AWS's client, compiled, as it is on Lambda."""
    package.install(CLIENT, folder, python=version)
    _run([package.find_interpreter(version), "-m", "compileall", "-q", str(folder)])
    return folder


def ours(folder: Path, version: str, client: Path) -> tuple[Function, Path]:
    archive = package.build(folder / "ours.zip", python=version)
    return _function(archive, "ecokart.aws.handler.handler", version, client), archive


def empty(folder: Path, version: str, client: Path) -> tuple[Function, Path]:
    archive = folder / "empty.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr(zipfile.ZipInfo("empty.py", (1980, 1, 1, 0, 0, 0)), _EMPTY)
    return _function(archive, "empty.handler", version, client), archive


def zappas(folder: Path, version: str, client: Path) -> tuple[Function, Path]:
    """``zappa package`` in an environment that has what production needs and Zappa, on a clean copy of the shop."""
    shop, environment = _copy(folder / "shop"), folder / "venv"
    _run([package.find_interpreter(version), "-m", "venv", str(environment)])
    programs = environment / "bin"
    required = ["-r", str(local.ROOT / "requirements.txt"), _pinned("zappa")]
    _run([str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *required])
    settings = {"dev": _ZAPPA | {"runtime": f"python{version}"}}
    (shop / "zappa_settings.json").write_text(json.dumps(settings), encoding="utf-8")
    archive = folder / "zappas.zip"
    own = {
        "VIRTUAL_ENV": str(environment),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "SECRET_KEY": "x",
        "HTTPS": "0",
    }
    collect = [str(programs / "python"), "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    for command in (collect, [str(programs / "zappa"), "package", "dev", "--output", str(archive)]):
        _run(command, folder=shop, **own)
    shutil.rmtree(environment)
    return _function(archive, "zappa.handler.lambda_handler", version, client), archive


def _function(archive: Path, handler: str, version: str, client: Path) -> Function:
    return Function(package.find_interpreter(version), _unpacked(archive), handler, client)


def _unpacked(archive: Path) -> Path:
    """A folder as Lambda makes it: files have the dates that the archive says, which decides what bytecode is worth."""
    folder = archive.with_suffix("")
    with zipfile.ZipFile(archive) as source:
        source.extractall(folder)
        for entry in source.infolist():
            date = time.mktime((*entry.date_time, 0, 0, -1))
            os.utime(folder / entry.filename, (date, date))
    return folder


def _copy(folder: Path) -> Path:
    """What git knows of the shop."""
    git = shutil.which("git") or "git"
    done = subprocess.run([git, "ls-files", "-z"], cwd=local.ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for name in filter(None, done.stdout.split("\0")):
        if (local.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(local.ROOT / name, folder / name)
    return folder


def _pinned(name: str) -> str:
    text = (local.ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    return re.search(rf"^{name}==.*$", text, re.MULTILINE)[0]  # type: ignore[index]


def _run(command: list[str], *, folder: Path | None = None, **variables: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        command, cwd=folder, env=kept | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        raise local.CannotRun(f"{command[0]} failed:\n{done.stdout.decode()[-3000:]}")

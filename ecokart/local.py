"""The shop and the emulated AWS on this machine: what ``make run`` starts, in parts that the tests start too.

One process watches over the others: the emulated AWS, gunicorn and, now and then, the sweeps: of holds that have run
out, and of mails that wait. It ends what it started by its own process ids, the emulated AWS last: that keeps its data
when it is asked to stop, and only then.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
REGION = "eu-central-1"
BUCKET = "ecokart-media"
SWEEP_SECONDS = 120
_POLL_SECONDS = 0.05
_STOP_SECONDS = 20

Process = subprocess.Popen[bytes]
Environment = dict[str, str]


@dataclass(frozen=True)
class Login:
    """An account of the demo. Its password is no secret: it opens data on this machine only."""

    email: str
    password: str
    name: str


CUSTOMER = Login("kundin@ecokart.example", "Laufrunde-31", "Karla Sommer")
ADMIN = Login("admin@ecokart.example", "Werkstatt-31", "Ada Winter")


class CannotRun(Exception):
    """Why the shop does not run here, as a sentence for whoever typed the command."""


class Stopped(Exception):
    """Somebody asked us to stop while we were waiting."""


class _Request:
    """Whether a signal asked us to stop. We look at it while we wait, so no start is cut off between two lines."""

    to_stop = False


# Waiting


def wait_until(ready: Callable[[], bool], *, what: str, seconds: float, process: Process) -> None:
    """Wait for a process to be ready. Raises CannotRun when it ends before, or the time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if _Request.to_stop:
            raise Stopped
        if process.poll() is not None:
            raise CannotRun(f"{what} ended at once (exit code {process.returncode}).")
        if time.monotonic() > deadline:
            raise CannotRun(f"{what} was not ready after {seconds:.0f} seconds.")
        time.sleep(_POLL_SECONDS)


def answers(url: str) -> bool:
    """Whether an address on this machine answers with 200. Never asks a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def check_port(port: int) -> None:
    """Raise CannotRun when the port cannot be opened."""
    with socket.socket() as probe:
        # As gunicorn does: a port that was closed a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as refused:
            raise CannotRun(
                f"Port {port} cannot be used ({refused.strerror}). Choose another one: make run PORT={port + 1}"
            ) from refused


# Processes


@contextmanager
def child(
    command: list[str],
    *,
    environment: Environment,
    log: Path | None = None,
    keep: IO[str] | None = None,
    quiet: bool = False,
) -> Iterator[Process]:
    """A process that is stopped when the block ends, and waited for.

    It has a session of its own, so that a Ctrl-C reaches it through us and in our order. ``keep`` is a file that
    stays open, and locked, as long as the process lives. ``quiet`` lets only errors through.
    """
    output = log.open("ab") if log else None
    try:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else output,
            stderr=subprocess.STDOUT if output else None,
            pass_fds=[keep.fileno()] if keep else [],
            start_new_session=True,
        )
    finally:
        if output:
            output.close()
    try:
        yield process
    finally:
        stop(process)


def stop(process: Process) -> None:
    """Ask a process to end, wait for it, and end it by force only when it does not listen."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def emulated_aws(port: int, *, directory: Path, keep: IO[str] | None = None) -> Iterator[Process]:
    """DynamoDB and S3 on a loopback port. What they hold stays in the directory when a lock file is given."""
    for name in ("tmp", "state", "s3"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    lasting = "1" if keep else "0"
    environment = _without_aws() | {
        # Without these it listens on every interface, and opens two ports more.
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "SERVICES": "dynamodb,s3",
        "PERSIST_STATE": lasting,
        "STATE_DIR": str(directory / "state"),
        "S3_PERSIST": lasting,
        "S3_DATA_DIR": str(directory / "s3"),
        "TMPDIR": str(directory / "tmp"),
        "LOG_LEVEL": "WARNING",
    }
    log = directory / "log.txt"
    with child([_ministack()], environment=environment, log=log, keep=keep) as process:
        url = f"http://{HOST}:{port}/_ministack/health"
        what = f"The emulated AWS (its log is {log})"
        wait_until(lambda: answers(url), what=what, seconds=30, process=process)
        yield process


def _ministack() -> str:
    """The emulator lives in an environment of its own, because it pins botocore."""
    own = Path(sys.prefix, "aws", "bin", "ministack")
    found = str(own) if own.exists() else shutil.which("ministack")
    if found is None:
        raise CannotRun("The emulated AWS is not installed. `make run` and `make test` do it.")
    return found


@contextmanager
def gunicorn(
    port: int,
    *,
    environment: Environment,
    application: str = "ecokart.wsgi",
    options: tuple[str, ...] = (),
    log: Path | None = None,
) -> Iterator[Process]:
    """The shop under the server that production runs, ready to answer."""
    command = [
        sys.executable, "-m", "gunicorn", application, "--config=python:ecokart.server", f"--bind={HOST}:{port}",
        "--workers=2", "--graceful-timeout=2", "--log-level=warning", *options,
    ]  # fmt: skip
    with child(command, environment={"SITE_URL": _site(port), **environment}, log=log) as process:
        url = f"{_site(port)}/healthz"
        wait_until(lambda: answers(url), what="The shop", seconds=30, process=process)
        yield process


def _site(port: int) -> str:
    return f"http://{HOST}:{port}"


# The shop


def shop_environment(*, aws_port: int, directory: Path) -> Environment:
    """What the shop needs to know to run on this machine, and nothing of an AWS account that this machine may know."""
    aws = f"http://{HOST}:{aws_port}"
    bucket = os.environ.get("MEDIA_BUCKET") or BUCKET
    return _without_aws() | {
        "DJANGO_SETTINGS_MODULE": "ecokart.settings",
        "SECRET_KEY": _secret_key(directory / "secret_key"),
        "DEBUG": "0",
        "HTTPS": "0",
        "SSL_REDIRECT": "0",
        # The demo's admin has a password that everybody knows: a second factor would protect nothing.
        "ADMIN_SECOND_FACTOR": os.environ.get("ADMIN_SECOND_FACTOR") or "0",
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": aws,
        "MEDIA_BUCKET": bucket,
        "MEDIA_URL": f"{aws}/{bucket}/",
        "STATIC_ROOT": str(directory / "static"),
        # Nothing leaves this machine: a mail is a file.
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": str(directory / "mails"),
    }


def _without_aws() -> Environment:
    """Our environment without accounts, profiles, endpoints, proxies and sites that lead away from this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "SITE_URL"}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nowhere | {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": HOST, "no_proxy": HOST}


def _secret_key(file: Path) -> str:
    """Made once and kept, so that whoever is logged in stays so over a restart."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return file.read_text(encoding="ascii")


def prepare(environment: Environment) -> None:
    """Tables, bucket, demo catalogue, the two accounts and the static files, as far as they are missing."""
    with child([sys.executable, "-m", "ecokart.local", "prepare"], environment=environment) as process:
        _wait_for_end(process, what="Filling the shop", seconds=300)


def manage(*arguments: str, environment: Environment) -> None:
    """One of Django's commands. Only its errors are shown."""
    with child([sys.executable, "manage.py", *arguments], environment=environment, quiet=True) as process:
        _wait_for_end(process, what=f"manage.py {arguments[0]}", seconds=60)


def _wait_for_end(process: Process, *, what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if _Request.to_stop:
            raise Stopped
        if time.monotonic() > deadline:
            raise CannotRun(f"{what} took longer than {seconds:.0f} seconds.")
        time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise CannotRun(f"{what} failed (exit code {process.returncode}); what went wrong stands above.")


def _prepare_here() -> None:
    """All commands in this one process: to start Django for each takes longer than what they do."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("create_tables")
    _make_bucket()
    call_command("seed_catalogue")
    for login, role in ((CUSTOMER, []), (ADMIN, ["--admin"])):
        os.environ["ACCOUNT_PASSWORD"] = login.password
        call_command("create_account", login.email, "--name", login.name, *role)


def _make_bucket() -> None:
    import boto3
    from django.conf import settings

    s3 = boto3.client("s3", region_name=settings.AWS_REGION)
    try:
        s3.create_bucket(
            Bucket=settings.MEDIA_BUCKET,
            CreateBucketConfiguration={"LocationConstraint": settings.AWS_REGION},
        )
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return


# What make run does


def run(port: int, *, directory: Path) -> None:
    """Start everything and stay until a signal or the end of a child."""
    check_port(port)
    aws_port = free_port()
    environment = shop_environment(aws_port=aws_port, directory=directory)
    environment["SITE_URL"] = _site(port)
    with (
        _locked(directory / "lock") as lock,
        emulated_aws(aws_port, directory=directory / "aws", keep=lock) as aws,
    ):
        _write_owner(lock, aws)
        prepare(environment)
        # Somebody sits before it: plain lines, and none for each request.
        with gunicorn(port, environment=environment | {"LOG_JSON": "0"}) as shop:
            _say_welcome(port)
            _watch({"The emulated AWS": aws, "The shop": shop}, environment)


def _watch(children: dict[str, Process], environment: Environment) -> None:
    next_sweep = time.monotonic() + SWEEP_SECONDS
    while not _Request.to_stop:
        for name, process in children.items():
            if process.poll() is not None:
                raise CannotRun(f"{name} has ended (exit code {process.returncode}), so everything stops.")
        if time.monotonic() > next_sweep:
            _sweep(environment)
            next_sweep = time.monotonic() + SWEEP_SECONDS
        time.sleep(_POLL_SECONDS)


def _sweep(environment: Environment) -> None:
    """The same commands that a schedule runs in production. One that fails is made up for by the next."""
    for command in ("release_expired", "send_mails"):
        try:
            manage(command, environment=environment)
        except CannotRun as failed:
            print(failed, file=sys.stderr)


@contextmanager
def _locked(file: Path) -> Iterator[IO[str]]:
    """Two emulators that save into one directory would lose each other's data."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise CannotRun(
                f"The data in {file.parent} is in use by process {owner}, from another start. Stop that one first."
            ) from taken
        yield lock


def _write_owner(lock: IO[str], process: Process) -> None:
    lock.truncate(0)
    lock.write(f"{process.pid}\n")
    lock.flush()


def _say_welcome(port: int) -> None:
    shop = f"http://{HOST}:{port}/"
    print(
        f"""
  The shop   {shop:<30}  {CUSTOMER.email}  {CUSTOMER.password}
  The admin  {shop + "admin/":<30}  {ADMIN.email}   {ADMIN.password}

  Mails are not sent: each is a file in .data/mails/.
  On this machine the admin needs no second factor; ADMIN_SECOND_FACTOR=1 asks for it, as production does.
  Ctrl-C stops everything. What you did is kept in .data/ for the next start.
""",
        flush=True,
    )


def _port_from_environment() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise CannotRun(f"PORT={text} is not the number of a port. Choose one like this: make run PORT=8001")
    return int(text)


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    _Request.to_stop = True


def main(arguments: list[str]) -> int:
    if arguments == ["prepare"]:
        _prepare_here()
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _request_stop)
    try:
        run(_port_from_environment(), directory=ROOT / ".data")
    except Stopped:
        pass
    except CannotRun as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print("Stopped.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

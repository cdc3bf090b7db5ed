"""One image for all tests here, an emulated AWS beside it, and containers of it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecokart import local
from tests.container import image
from tests.container.image import Image

PATIENCE_SECONDS = 30
COMMAND_SECONDS = 60
MEMORY = Path("/dev/shm")  # noqa: S108 (Everybody may write there, as in /tmp.)
_NEEDED_BYTES = 1024**3


@dataclass
class Container:
    """A running image."""

    image: Image
    variables: local.Environment
    process: subprocess.Popen[bytes]
    port: int

    def is_healthy(self) -> bool:
        """What Docker would say, by the image's own command."""
        return run(self.image, self.image.health, self.variables) == 0

    def workers(self) -> list[int]:
        """The processes that serve, by the kernel's word."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(number) for number in children.split()]

    def wait(self, ready: Callable[[], bool]) -> None:
        local.wait_until(ready, what="The container", seconds=PATIENCE_SECONDS, process=self.process)

    def stop(self) -> int:
        """As ``docker stop`` does it; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


def run(built: Image, command: list[str], variables: local.Environment) -> int:
    """A command in a container, as ``docker run`` and ``docker exec`` do it; gives its exit code."""
    with tempfile.NamedTemporaryFile() as log:
        process = built.popen(command, more=variables, log=Path(log.name))
        return process.wait(COMMAND_SECONDS)


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are for one."""
    with tempfile.TemporaryDirectory(prefix="container-", dir=_memory()) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _memory() -> Path | None:
    """A folder in memory, where there is one for programs: to delete 15,000 files from a disk may take a minute."""
    if not MEMORY.exists():
        return None
    memory = os.statvfs(MEMORY)
    is_fit = memory.f_bavail * memory.f_frsize > _NEEDED_BYTES and not memory.f_flag & os.ST_NOEXEC
    return MEMORY if is_fit else None


@pytest.fixture(scope="session")
def built(workshop: Path) -> Iterator[Image]:
    with image.built(image.context(workshop / "context"), workshop) as made:
        yield made


@pytest.fixture(scope="session")
def variables(built: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[local.Environment]:
    """What an operator says to a container behind a proxy. The tables are made by the image's own commands."""
    directory, aws_port = tmp_path_factory.mktemp("aws"), local.free_port()
    chosen = local.shop_environment(aws_port=aws_port, directory=directory)
    said = {name: chosen[name] for name in chosen if name.startswith("AWS_")} | {
        "SECRET_KEY": chosen["SECRET_KEY"],
        "ALLOWED_HOSTS": "shop.example",
        "TRUST_PROXY": "1",
        # A crowd comes from one address.
        "LIMITS": "0",
        "NO_PROXY": local.HOST,
        "ACCOUNT_PASSWORD": local.ADMIN.password,
    }
    with local.emulated_aws(aws_port, directory=directory):
        for command in (["create_tables"], ["create_account", local.ADMIN.email, "--admin"]):
            assert run(built, ["python", "manage.py", *command], said) == 0
        yield said


@pytest.fixture(scope="session")
def start(
    built: Image, variables: local.Environment, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Container]]:
    """``with start() as container``: the image's own command, or another one, once it is healthy."""

    @contextmanager
    def start(command: list[str] | None = None, **more: str) -> Iterator[Container]:
        port, log = local.free_port(), tmp_path_factory.mktemp("container") / "log.txt"
        # It would listen on every interface, as it must in a container.
        own = {"PORT": str(port), "GUNICORN_CMD_ARGS": f"--bind={local.HOST}:{port}"}
        said = variables | own | more
        process = built.popen(command or built.command, more=said, log=log)
        container = Container(built, said, process, port)
        try:
            container.wait(container.is_healthy)
            yield container
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    return start

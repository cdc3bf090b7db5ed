"""What Lambda is to a function: starts it under AWS's own client for Python, hands it events, and looks at the clock.

The client asks for the next event when the function has begun; it is that question that ends what Lambda calls INIT.
"""

from __future__ import annotations

import json
import queue
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ecokart import local

#: AWS's client and what it needs, as they are installed on Lambda.
CLIENT = ("awslambdaric==4.2.2", "simplejson==4.3.0", "snapshot-restore-py==1.0.0")
_AT_MOST_SECONDS = 60


class Failed(Exception):
    """The function did not begin, or did not answer."""


@dataclass(frozen=True)
class Function:
    """A folder as Lambda unpacks it, and what is called in it. ``client`` is the folder of AWS's client."""

    python: str
    folder: Path
    handler: str
    client: Path


@dataclass
class Running:
    """A process with a function in it. Seconds count from its start."""

    process: subprocess.Popen[bytes]
    began: float
    log: Path
    events: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    answers: queue.Queue[tuple[float, Any]] = field(default_factory=queue.Queue)
    asks: queue.Queue[float] = field(default_factory=queue.Queue)

    def wait_for_init(self) -> float:
        """Seconds until the function asks for its first event."""
        return self._got(self.asks) - self.began

    def ask(self, event: dict[str, Any]) -> tuple[float, Any]:
        """Seconds for one event, and the answer."""
        handed = time.perf_counter()
        self.events.put(event)
        at, answer = self._got(self.answers)
        self._got(self.asks)
        return at - handed, answer

    def memory_kilobytes(self) -> int:
        """The most that the process has had resident so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]

    def lines(self) -> list[dict[str, Any]]:
        """What the function has written down of requests."""
        written = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in written if line.startswith('{"request"')]

    def _got(self, waiting: queue.Queue[Any]) -> Any:
        try:
            found = waiting.get(timeout=_AT_MOST_SECONDS)
        except queue.Empty:
            found = Failed("The function did not answer in time.")
        if isinstance(found, Failed):
            raise Failed(f"{found}\n{self.log.read_text(encoding='utf-8')[-3000:]}")
        return found


@contextmanager
def started(function: Function, environment: local.Environment, *, log: Path) -> Iterator[Running]:
    """A fresh process. It may write no bytecode: its folder cannot be written to on Lambda."""
    with _api() as (server, running), log.open("wb") as output:
        own = {
            "AWS_LAMBDA_RUNTIME_API": f"{local.HOST}:{server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "ecokart-dev",
            "LAMBDA_TASK_ROOT": str(function.folder),
            "PYTHONPATH": str(function.client),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [function.python, "-s", "-m", "awslambdaric", function.handler]
        running.log, running.began = log, time.perf_counter()
        running.process = subprocess.Popen(
            command, cwd=function.folder, env=environment | own, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield running
        finally:
            running.process.kill()
            running.process.wait()


@contextmanager
def _api() -> Iterator[tuple[ThreadingHTTPServer, Running]]:
    """Lambda's Runtime API on a loopback port, for one process."""
    running = Running(process=None, began=0.0, log=Path())  # type: ignore[arg-type]

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else a small answer waits 40 ms for the word that the one before has arrived.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            running.asks.put(time.perf_counter())
            event = running.events.get()
            if "stop" in event:
                return
            self._say(200, json.dumps(event).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null"
            at = time.perf_counter()
            waiting: queue.Queue[Any] = running.answers if "/invocation/" in self.path else running.asks
            waiting.put(Failed(body.decode()[:2000]) if self.path.endswith("/error") else (at, json.loads(body)))
            self._say(202, b"{}")

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-0000-0000-000000000000")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 30_000))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:0:function:bench")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer((local.HOST, 0), Api) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server, running
        finally:
            running.events.put({"stop": True})
            server.shutdown()

"""Messages and errors as lines of JSON, and what is left out of them."""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.http import HttpRequest
from django.test import Client
from pynamodb.exceptions import GetError

from ecokart import logs

Line = dict[str, Any]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[Line]]:
    """What was written down since it was asked for last."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def told(message: object, *args: object, name: str = "inventory.x", error: BaseException | None = None) -> Line:
    """What is written down of a record."""
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, info)
    line: Line = json.loads(logs.Lines().format(record))
    return line


def raised(error: BaseException, *, cause: BaseException | None = None) -> BaseException:
    """An error as it comes out of a function that had something to hide."""
    secret = "local-secret"
    try:
        raise error from cause
    except type(error) as caught:
        return caught if secret else error


def test_a_message_is_one_line_however_it_is_written() -> None:
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, "Größe\r\n\x1b[2J\u2028%s", ("\x9b",), None)

    line = logs.Lines().format(record)

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == "Größe\r\n\x1b[2J\u2028\x9b"


def test_an_error_is_told_by_kind_and_place_and_not_by_its_text() -> None:
    line = told("It failed.", error=raised(ValueError("typed-secret"), cause=KeyError("first-secret")))

    assert line["error"] == "ValueError"
    assert line["traceback"].index("KeyError") < line["traceback"].index("test_logs.py")
    assert "in raised" in line["traceback"]
    assert "secret" not in json.dumps(line).replace('secret = \\"local-secret\\"', "").replace("if secret else", "")


def test_what_dynamodb_calls_an_error_is_told() -> None:
    refused = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "secret"}}, "Query")

    line = told("It failed.", error=raised(GetError("secret"), cause=refused))

    assert line["code"] == "Query: AccessDeniedException"
    assert "secret" not in line["traceback"].replace("local-secret", "").replace("if secret", "").replace(
        "secret =", ""
    )


def test_errors_that_come_from_one_another_in_a_circle_have_an_end() -> None:
    first, second = ValueError(), TypeError()
    first.__cause__, second.__cause__ = second, first

    assert told("It failed.", error=first)["traceback"].split() == ["TypeError", "ValueError"]


def test_mail_addresses_are_not_told() -> None:
    line = told("No mail for %s <%s>", "Alice", "alice.adler+shop@mail.example.com")

    assert line["message"] == "No mail for Alice <…@…>"


@pytest.mark.parametrize(
    ("name", "message", "args", "said"),
    [
        ("django.request", "%s: %s", ("Internal Server Error", "/orders/secret/"), "Internal Server Error"),
        ("django.request", "Internal Server Error: %s", ("/orders/secret/",), "Internal Server Error"),
        ("django.security.SuspiciousFileOperation", "secret is not safe", (), "SuspiciousFileOperation"),
        ("gunicorn.error", "Invalid request from ip=203.0.113.7: secret", (), "Invalid request"),
        ("gunicorn.error", "Worker (pid:%s) was sent SIGKILL!", (7,), "Worker (pid:7) was sent SIGKILL!"),
    ],
)
def test_what_libraries_repeat_of_a_visitor_is_left_out(name: str, message: str, args: Any, said: str) -> None:
    assert told(message, *args, name=name)["message"] == said


def test_an_error_of_the_server_is_told_without_its_address() -> None:
    error = raised(OSError("secret"))

    assert told("Error handling request %s", "/secret", name="gunicorn.error", error=error)["message"] == (
        "Error handling request"
    )
    assert told(error, name="gunicorn.error", error=error)["message"] == "An error in the server"


def test_a_line_of_a_request_has_its_id_and_its_route() -> None:
    request = HttpRequest()
    record = logging.LogRecord("django.request", logging.ERROR, "x.py", 1, "Internal Server Error: %s", ("/x",), None)
    record.request = request
    token = logs.request_id.set("req-1")

    line = json.loads(logs.Lines().format(record))
    logs.request_id.reset(token)

    assert (line["request"], line["route"]) == ("req-1", "none")
    assert "request" not in told("Later.")


def test_an_error_of_a_page_has_its_requests_id(
    client: Client, lines: Callable[[], list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecokart.health.dynamodb.get", lambda *_: {}["typed-secret"])
    client.raise_request_exception = False

    answer = client.get("/healthz")

    error, request = lines()
    assert (error["level"], error["error"], error["route"]) == ("ERROR", "KeyError", "healthz")
    assert error["request"] == request["request"] == answer["X-Request-Id"]
    assert request["status"] == 500
    assert "typed-secret" not in str(error).replace('{}["typed-secret"]', "")


def test_a_warning_deep_inside_has_its_requests_id(
    client: Client, lines: Callable[[], list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    warn = logging.getLogger("inventory.deep").warning
    monkeypatch.setattr("ecokart.health.dynamodb.get", lambda *_: warn("It is slow."))

    client.get("/healthz")

    warning, request = lines()
    assert (warning["logger"], warning["message"]) == ("inventory.deep", "It is slow.")
    assert warning["request"] == request["request"]


@pytest.fixture
def _taken_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Both are the whole process's.
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    logging.captureWarnings(False)  # Whoever has loaded the shop as servers do has switched it on.
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.take_over()
        yield
        logging.captureWarnings(False)


@pytest.mark.usefixtures("_taken_over")
def test_a_warning_is_a_line(lines: Callable[[], list[Line]]) -> None:
    warnings.warn("It is old.", UserWarning, stacklevel=1)

    (line,) = lines()
    assert (line["level"], line["logger"]) == ("WARNING", "py.warnings")
    assert "It is old." in line["message"]


@pytest.mark.usefixtures("_taken_over")
def test_a_thread_that_fails_leaves_one_line(lines: Callable[[], list[Line]]) -> None:
    def fail() -> None:
        raise ValueError("typed-secret"[:])

    thread = threading.Thread(target=fail, name="catalogue")
    thread.start()
    thread.join(10)

    (line,) = lines()
    assert (line["level"], line["logger"], line["error"]) == ("ERROR", "catalogue", "ValueError")
    assert "in fail" in line["traceback"]


def test_a_thread_without_a_name_or_an_error_is_told_too(lines: Callable[[], list[Line]]) -> None:
    logs._of_thread(threading.ExceptHookArgs((ValueError, None, None, None)))

    assert [(line["logger"], "error" in line) for line in lines()] == [("thread", False)]


def test_a_long_chain_of_errors_keeps_its_beginning() -> None:
    error: Exception = KeyError()
    for _ in range(50):
        error, error.__cause__ = ValueError(), error

    said = told("It failed.", error=error)["traceback"].split()
    assert (said[0], len(said)) == ("KeyError", 5)


def test_a_line_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def write(self, _text: str) -> None:
            raise OSError

    monkeypatch.setattr(sys, "stderr", Broken())
    monkeypatch.setattr(logging, "raiseExceptions", False)

    logging.getLogger("inventory.x").error("Nobody reads this.")


def test_lines_are_whole_where_threads_write_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    def write(number: int) -> None:
        for _ in range(200):
            logs.write(number=number, text="x" * 500)

    threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    sys.stderr.flush()
    found = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert len(found) == 8 * 200

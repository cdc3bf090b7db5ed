"""That the function's figures are measured and judged as they say."""

from __future__ import annotations

import base64
import gzip
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cold_start, events, runtime, starts, zips
from ecokart.aws import gateway

_CLIENT = '''
"""Asks as AWS's client does: which events there are, and says what came of them."""
import importlib, json, os, sys
from http.client import HTTPConnection

def ask(method, path, body=None):
    connection = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, "/2018-06-01/runtime/" + path, body)
    return connection.getresponse().read()

try:
    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
except Exception as failed:  # As AWS's client does, whatever it is.
    ask("POST", "init/error", repr(failed))
    sys.exit(1)
while True:
    event = json.loads(ask("GET", "invocation/next"))
    try:
        ask("POST", "invocation/1/response", json.dumps(handler(event, None)))
    except Exception as failed:  # So here.
        ask("POST", "invocation/1/error", repr(failed))
'''


@pytest.fixture
def function(tmp_path: Path) -> runtime.Function:
    """A function that gives back what it gets, and a client that is as slow as Python."""
    (tmp_path / "client" / "awslambdaric").mkdir(parents=True)
    (tmp_path / "client" / "awslambdaric" / "__main__.py").write_text(_CLIENT, encoding="utf-8")
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "echo.py").write_text("def handler(event, context): return event['say']", encoding="utf-8")
    return runtime.Function(sys.executable, tmp_path / "task", "echo.handler", tmp_path / "client")


def test_a_function_is_started_asked_and_ended(function: runtime.Function, tmp_path: Path):
    with runtime.started(function, {}, log=tmp_path / "log") as running:
        init = running.wait_for_init()
        answers = [running.ask({"say": number}) for number in range(3)]
        memory = running.memory_kilobytes()

    assert 0 < init < 60
    assert [answer for _, answer in answers] == [0, 1, 2]
    assert all(0 < seconds < 60 for seconds, _ in answers)
    assert memory > 1000
    assert running.process.returncode is not None


def test_a_function_that_fails_is_no_figure(function: runtime.Function, tmp_path: Path):
    with runtime.started(function, {}, log=tmp_path / "log") as running:
        running.wait_for_init()
        with pytest.raises(runtime.Failed, match="KeyError"):
            running.ask({})


def test_a_function_that_does_not_begin_is_no_figure(function: runtime.Function, tmp_path: Path):
    (function.folder / "echo.py").write_text("import nothing_of_the_kind", encoding="utf-8")

    with (
        runtime.started(function, {}, log=tmp_path / "log") as running,
        pytest.raises(runtime.Failed, match="nothing_of_the_kind"),
    ):
        running.wait_for_init()


def test_requests_are_such_as_the_function_takes():
    asked = events.event("/products/?q=a%26b&page=2", cookie="a=1", host=events.STAGE_HOST)

    assert gateway.speaks(asked)
    assert asked["multiValueQueryStringParameters"] == {"q": ["a&b"], "page": ["2"]}
    assert asked["requestContext"]["path"] == "/dev/products/"


@pytest.mark.parametrize("packed", [True, False])
def test_a_page_is_read_however_it_came(packed: bool):
    body = base64.b64encode(gzip.compress(b"page")).decode() if packed else "page"

    assert events.page_of({"body": body, "isBase64Encoded": packed}) == b"page"


def test_a_guest_keeps_cookies_and_notices_errors():
    answers = iter([{"statusCode": 200, "body": "", "multiValueHeaders": {"Set-Cookie": ["a=1; Path=/", "b=2"]}}])
    guest = events.Guest(lambda _asked: next(answers, {"statusCode": 500, "body": ""}))
    guest.get("/")

    assert guest.cookie == "a=1; b=2"
    with pytest.raises(ValueError, match="GET /cart/ answered 500"):
        guest.get("/cart/")


def test_an_unpacked_file_has_the_date_that_the_archive_says(tmp_path: Path):
    function, _archive = zips.empty(tmp_path, zips.python(), tmp_path)

    assert (function.folder / "empty.py").stat().st_mtime < 400_000_000


@pytest.mark.parametrize(
    ("module", "whose"),
    [
        ("django.http", "django"),
        ("shop.ready", "the shop"),
        ("json.decoder", "Python itself"),
        ("PIL", "Python itself"),
    ],
)
def test_what_is_imported_is_counted_for_whose_it_is(module: str, whose: str):
    assert starts._group(module) == whose


def figures(**ours: float) -> dict[str, Any]:
    took = {"init_ms": 1.0, "first_ms": 1.0, "warm_ms": 1.0, "total_ms": 30.0}
    all_of = {"empty": took, "zappa": took | {"total_ms": 1200.0}, "pass": took, "ours": took | ours}
    return {"starts": all_of, "first": {kind: {"first_ms": 2.6, "warm_ms": 1.0} for kind in cold_start.FIRST}}


@pytest.mark.parametrize(("total", "reached"), [(300.0, [True, True]), (301.0, [False, False])])
def test_a_start_is_judged_beside_an_empty_one_and_zappas(total: float, reached: list[bool]):
    rows = list(cold_start._start_rows(figures(total_ms=total)))

    assert [row.is_reached for row in rows if row.what.startswith("beside") and row.wanted] == reached
    assert [row.is_reached for row in rows if row.what == "first request after INIT, beside a warm one"] == [False]

"""The Lambda function: what it makes of events, and what it says of them."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_django.fixtures import Settings

from ecokart import local
from ecokart.aws import gateway, metrics, stage, start, tasks
from inventory import catalogue, checkout, reservations
from inventory.models import Product
from shop import ready
from tests.gateway_events import ADDRESS, DOMAIN, GATEWAY, Event, v1, v2
from tests.unit import wire

CONTEXT = SimpleNamespace(aws_request_id="req-1")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@pytest.fixture(autouse=True)
def _hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [DOMAIN, GATEWAY]


@pytest.fixture
def call(product: Product, capsys: pytest.CaptureFixture[str]) -> Callable[[Event], Any]:
    """The function, which has begun and written of that, on a shop with one product."""
    function = start.function()
    capsys.readouterr()
    return lambda event: function(event, CONTEXT)


def text(answer: dict[str, Any]) -> str:
    body = answer["body"]
    return base64.b64decode(body).decode() if answer["isBase64Encoded"] else body


def header(answer: dict[str, Any], name: str) -> list[str]:
    """Every value of a header, in whichever way it is given."""
    if name == "Set-Cookie" and "cookies" in answer:
        return answer["cookies"]
    headers = answer.get("multiValueHeaders") or {key: [value] for key, value in answer["headers"].items()}
    return next((values for key, values in headers.items() if key.lower() == name.lower()), [])


def cookies(answer: dict[str, Any]) -> str:
    return "; ".join(line.partition(";")[0] for line in header(answer, "Set-Cookie"))


def door(answer: bytes = b"", headers: Iterable[tuple[str, str]] = (), seen: list[Any] | None = None) -> gateway.Door:
    """The gateway's door before an application that always says the same."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if seen is not None:
            seen.append(environ)
        start_response("200 OK", list(headers))
        return [answer]

    return gateway.Door(application)


def environ(event: Event) -> dict[str, Any]:
    """What an application is told of an event."""
    seen: list[dict[str, Any]] = []
    door(seen=seen)(event, "req-1")
    return seen[0]


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


both = pytest.mark.parametrize("ask", [v1, v2])

# Pages


@both
def test_a_page_is_answered(call: Callable[[Event], Any], ask: Callable[..., Event]):
    answer = call(ask("/products/", query={"q": "läufschuh&+"}))

    assert answer["statusCode"] == 200
    assert header(answer, "Content-Type") == ["text/html; charset=utf-8"]
    assert not answer["isBase64Encoded"]
    assert 'value="läufschuh&amp;+"' in answer["body"]
    assert "Laufschuh Luchs" in answer["body"]


@both
def test_a_compressed_page_arrives_whole(call: Callable[[Event], Any], ask: Callable[..., Event]):
    answer = call(ask(headers={"Accept-Encoding": ["gzip"]}))

    assert header(answer, "Content-Encoding") == ["gzip"]
    assert answer["isBase64Encoded"]
    assert "Laufschuh Luchs" in gzip.decompress(base64.b64decode(answer["body"])).decode()


@both
def test_a_picture_arrives_whole(ask: Callable[..., Event]):
    picture = bytes(range(256))

    answer = door(picture, [("Content-Type", "image/avif")])(ask(), "req-1")

    assert base64.b64decode(answer["body"]) == picture
    assert answer["isBase64Encoded"]


@both
def test_every_cookie_survives(ask: Callable[..., Event]):
    three = ["a=1; Path=/", "b=2; Expires=Tue, 24 Nov 2026 10:00:00 GMT", "c=3"]

    answer = door(headers=[("Set-Cookie", one) for one in three])(ask(), "req-1")

    assert header(answer, "Set-Cookie") == three


def test_every_cookie_survives_a_test_from_the_console():
    event = {**v1(), "multiValueHeaders": None}

    answer = door(headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])(event, "req-1")

    assert header(answer, "Set-Cookie") == ["a=1", "b=2"]


def test_cookies_in_several_headers_are_several_cookies():
    assert environ(v1(headers={"cookie": ["a=1", "b=2; c=3"]}))["HTTP_COOKIE"] == "a=1;b=2; c=3"


@both
def test_a_form_of_a_page_is_taken(call: Callable[[Event], Any], ask: Callable[..., Event], settings: Settings):
    settings.HTTPS = True
    page = call(ask("/products/prod-1/"))
    form = {"product_id": "prod-1", "quantity": "2", "csrfmiddlewaretoken": TOKEN.search(text(page))[1]}
    headers = {
        "Cookie": [cookies(page)],
        "Origin": [f"https://{DOMAIN}"],
        "Content-Type": ["application/x-www-form-urlencoded"],
    }

    answer = call(ask("/cart/add/", method="POST", body=urlencode(form), headers=headers))

    assert (answer["statusCode"], header(answer, "Location")) == (302, ["/cart/"])
    assert catalogue.find("prod-1").reserved == 2
    assert "Laufschuh Luchs" in text(call(ask("/cart/", headers={"Cookie": [cookies(answer)]})))


def test_a_form_may_come_as_base64(call: Callable[[Event], Any]):
    body = base64.b64encode("email=ä".encode()).decode()

    told = environ({**v1(method="POST", body=body), "isBase64Encoded": True})

    assert told["wsgi.input"].read() == "email=ä".encode()
    assert told["CONTENT_LENGTH"] == "8"


@both
@pytest.mark.parametrize("path", ["/products/ü/", "/products/%C3%BC/", "/products/…/", "/%/", "/products/a b/"])
def test_any_path_is_a_page_that_is_not_there(call: Callable[[Event], Any], ask: Callable[..., Event], path: str):
    assert call(ask(path))["statusCode"] == 404


def test_a_path_means_what_it_says():
    assert environ(v1("/ü"))["PATH_INFO"].encode("latin-1") == "/ü".encode()
    assert environ(v1("/%C3%BC"))["PATH_INFO"].encode("latin-1") == "/ü".encode()


@both
def test_headers_may_hold_anything(call: Callable[[Event], Any], ask: Callable[..., Event]):
    assert call(ask(headers={"Cookie": ["sessionid=…"], "User-Agent": ["ü…\U0001f600"]}))["statusCode"] == 200


# Where the shop is


@both
def test_links_keep_the_stage(call: Callable[[Event], Any], ask: Callable[..., Event]):
    links = re.findall(r' (?:href|action)="(/[^"]*)"', text(call(ask(host=GATEWAY))))

    own = [link for link in links if not link.startswith("/static/")]
    assert len(own) > 10
    assert all(link.startswith("/dev/") for link in own)


@both
def test_redirects_keep_the_stage(call: Callable[[Event], Any], ask: Callable[..., Event]):
    assert header(call(ask("/account/", host=GATEWAY)), "Location") == ["/dev/account/login/?next=%2Fdev%2Faccount%2F"]
    assert header(call(ask("/products", host=GATEWAY)), "Location") == ["/dev/products/"]


@both
def test_a_domain_of_its_own_has_no_stage(call: Callable[[Event], Any], ask: Callable[..., Event]):
    assert header(call(ask("/account/")), "Location") == ["/account/login/?next=%2Faccount%2F"]


@both
def test_two_addresses_of_one_process_are_never_mixed(call: Callable[[Event], Any], ask: Callable[..., Event]):
    pages = [text(call(ask(host=host, query={"page": "1"}))) for host in (DOMAIN, GATEWAY, DOMAIN)]

    assert ["/dev/" in page for page in pages] == [False, True, False]
    assert 'href="/products/prod-1/"' in pages[0]
    assert 'href="/products/prod-1/"' not in pages[1]


def test_a_product_may_be_called_like_the_stage():
    assert environ(v2("/dev/", host=GATEWAY))["PATH_INFO"] == "/dev/"
    assert environ(v2("/developers/", host=DOMAIN))["PATH_INFO"] == "/developers/"


def test_a_stage_that_is_not_in_the_path_is_a_prefix_all_the_same():
    told = environ({**v2(host=GATEWAY), "rawPath": "/products/"})

    assert (told["SCRIPT_NAME"], told["PATH_INFO"]) == ("/dev", "/products/")


def test_the_default_stage_is_no_prefix():
    event = v2(host=GATEWAY) | {"rawPath": "/products/"}
    event["requestContext"]["stage"] = "$default"

    assert environ(event)["SCRIPT_NAME"] == ""


def test_a_gateway_that_does_not_say_its_name_is_known_by_the_header():
    event = v1(host=GATEWAY)
    del event["requestContext"]["domainName"]

    assert environ(event)["SCRIPT_NAME"] == "/dev"


def test_nobody_gets_a_stage_by_writing_a_header():
    assert environ(v1(headers={"Host": [GATEWAY]}))["SCRIPT_NAME"] == ""


# Whom to believe


@both
@pytest.mark.parametrize(("https", "scheme"), [(True, "https"), (False, "http")])
def test_https_follows_from_the_gateway(ask: Callable[..., Event], settings: Settings, https: bool, scheme: str):
    settings.HTTPS = https

    assert environ(ask(headers={"X-Forwarded-Proto": ["gopher"]}))["wsgi.url_scheme"] == scheme


@both
def test_the_visitors_address_is_the_gateways_word(ask: Callable[..., Event]):
    assert environ(ask(headers={"X-Forwarded-For": ["10.0.0.1, 10.0.0.2"]}))["REMOTE_ADDR"] == ADDRESS


# What is written down (tests/unit/test_observing.py has the rest)


@both
def test_a_request_is_one_line_with_the_functions_id(call: Callable[[Event], Any], ask: Callable[..., Event], capsys):
    answer = call(ask("/products/prod-1/", headers={"X-Request-Id": ["invented"]}))

    (line,) = lines(capsys)
    assert (line["request"], line["route"], line["status"]) == ("req-1", "shop:product-detail", 200)
    assert header(answer, "X-Request-Id") == ["req-1"]


def test_calls_of_every_table_are_counted(call: Callable[[Event], Any], capsys):
    with wire.heard() as calls:
        call(v1("/cart/", headers={"Cookie": [cookies(_with_a_cart(call))]}))

    assert {name for name, _ in calls} >= {"GetItem", "BatchGetItem", "TransactWriteItems"}
    assert sum(line["dynamodb_calls"] + line.get("own_calls", 0) for line in lines(capsys)) == len(calls)


def _with_a_cart(call: Callable[[Event], Any]) -> dict[str, Any]:
    page = call(v1("/products/prod-1/"))
    form = {"product_id": "prod-1", "quantity": "1", "csrfmiddlewaretoken": TOKEN.search(text(page))[1]}
    headers = {"Cookie": [cookies(page)], "Content-Type": ["application/x-www-form-urlencoded"]}
    return call(v1("/cart/add/", method="POST", body=urlencode(form), headers=headers))


# The clock


@pytest.mark.parametrize(
    "event",
    [
        {"source": "aws.events", "detail-type": "Scheduled Event", "resources": ["arn:aws:events:…:rule/sweep"]},
        {"detail-type": "Scheduled Event"},
        {"source": "aws.events"},
    ],
)
def test_the_clock_frees_an_expired_cart(call: Callable[[Event], Any], later: Any, event: Event, capsys):
    reservations.reserve("alice", "prod-1", quantity=3)
    later(hours=3)

    told = [call(event), call(event)]

    assert [one["release_expired"] for one in told] == [{"released": 1}, {"released": 0}]
    assert catalogue.find("prod-1").available == 10
    assert [(line["task"], line.get("released")) for line in lines(capsys)] == [
        ("release_expired", 1),
        ("send_mails", None),
        ("release_expired", 0),
        ("send_mails", None),
    ]


@pytest.mark.parametrize("task", ["release_expired", "send_mails", "prove_stock"])
def test_a_rule_of_zappas_runs_its_own_task_only(call: Callable[[Event], Any], task: str):
    rule = f"arn:aws:events:eu-central-1:000000000000:rule/ecokart-dev-{task}"

    assert list(call({"source": "aws.events", "resources": [rule]})) == [task]


def test_every_task_has_its_rule_in_the_settings():
    events = stage.settings("dev")["events"]

    assert {event["function"] for event in events} == set(tasks.TASKS)
    assert {event["expression"] for event in events} == {"rate(5 minutes)", "cron(30 2 * * ? *)"}


PROOF = {"source": "aws.events", "resources": ["arn:aws:events:eu-central-1:000000000000:rule/ecokart-dev-prove_stock"]}


def test_the_daily_proof_says_how_much_is_wrong(call: Callable[[Event], Any], as_stage: None, capsys):
    right = call(PROOF)
    Product("prod-1").update([Product.reserved.set(5)])
    wrong = call(PROOF)

    assert [told["prove_stock"]["wrong"] for told in (right, wrong)] == [0, 1]
    assert right["prove_stock"]["products"] == 1
    assert [(line["task"], line["StockWrong"], line["Stage"]) for line in lines(capsys)] == [
        ("prove_stock", 0, "dev"),
        ("prove_stock", 1, "dev"),
    ]


def test_a_proof_that_takes_too_long_has_failed_and_says_nothing_of_the_stock(
    call: Callable[[Event], Any], as_stage: None, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr(tasks, "PROOF_SECONDS", -1.0)

    with pytest.raises(tasks.Unfinished, match="nothing is known"):
        call(PROOF)

    assert "StockWrong" not in capsys.readouterr().err


def test_the_proof_ends_before_the_function_is_ended():
    assert stage.settings("dev")["timeout_seconds"] > tasks.PROOF_SECONDS + 3


def test_the_sweep_of_mails_says_how_long_the_oldest_has_waited(
    call: Callable[[Event], Any], as_stage: None, contact: Any, settings: Settings, later: Any, capsys
):
    settings.SITE_URL = ""  # So none goes.
    cart = reservations.reserve("alice", "prod-1", quantity=1)
    checkout.place_order("alice", token=str(cart.order_id), contact=contact)
    later(minutes=90)

    call({"source": "aws.events", "resources": ["arn:aws:events:…:rule/ecokart-dev-send_mails"]})

    (line,) = [line for line in lines(capsys) if "task" in line]
    assert 90 * 60 <= line["OldestWaitingMailSeconds"] < 91 * 60
    assert line["dynamodb_calls"] >= 1


@pytest.fixture
def as_stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The function as it is called on AWS."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "ecokart-dev")
    metrics._stage.cache_clear()
    yield
    metrics._stage.cache_clear()


def test_a_sweep_that_cannot_ask_has_failed(call: Callable[[Event], Any], pauses: list[float]):
    with wire.refusing("Query", "AccessDeniedException", times=99), pytest.raises(Exception, match="AccessDenied"):
        call({"source": "aws.events"})


# Operators


@pytest.mark.parametrize("words", ["release_expired", ["release_expired"]])
def test_an_operator_runs_a_command(call: Callable[[Event], Any], words: Any):
    answer = call({"manage": words})

    said = "Released the units of 0 cart(s) whose hold had run out.\n"
    assert answer == {"command": "release_expired", "status": 0, "output": said}


def test_a_command_takes_options_and_tells_its_status(call: Callable[[Event], Any]):
    Product("prod-1").update([Product.reserved.set(5)])

    wrong = call({"manage": "prove_stock"})
    right = call({"manage": ["prove_stock", "--repair"]})

    assert (wrong["status"], right["status"]) == (1, 0)
    assert "1 wrong" in wrong["output"]
    assert "All stock is right" in right["output"]


def test_a_command_that_cannot_go_on_says_why(call: Callable[[Event], Any], pauses: list[float]):
    with wire.losing_requests("Query", times=99):
        answer = call({"manage": "release_expired"})

    assert answer["status"] == 1
    assert "run the command again" in answer["output"]


@pytest.mark.parametrize("words", [["create_account", "x@example.com", "--admin"], "shell", ["-c"], "check"])
def test_other_commands_are_not_run(call: Callable[[Event], Any], words: Any):
    with pytest.raises(tasks.NotAllowed, match="It runs: prove_stock, release_expired"):
        call({"manage": words})


@pytest.mark.parametrize("words", ["", []])
def test_no_command_is_no_command(call: Callable[[Event], Any], words: Any):
    with pytest.raises(tasks.NotAllowed, match="Which command"):
        call({"manage": words})


# Anything else


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": [{"body": "secret"}]},
        {"raw_command": "secret"},
        {"httpMethod": "GET", "path": "/", "requestContext": {"elb": {}}, "headers": {"x": "secret"}},
        {"version": "2.0", "requestContext": "secret"},
        {"command": "ecokart.local.main"},
    ],
)
def test_an_unknown_event_is_told_what_there_is_without_being_repeated(call: Callable[[Event], Any], event: Event):
    with pytest.raises(start.UnknownEvent, match="takes requests of API Gateway") as refused:
        call(event)

    assert "secret" not in str(refused.value)
    assert all(name in str(refused.value) for name in event)


# The beginning


def test_the_first_page_is_made_before_anybody_asks(product: Product, capsys):
    function = start.function()
    capsys.readouterr()
    with wire.heard() as calls:
        function(v1(headers={"Accept-Encoding": ["gzip"]}), CONTEXT)

    assert [name for name, _ in calls if name == "Query"] == []


def test_a_stage_without_a_domain_begins_at_its_own_address(product: Product, settings: Settings, monkeypatch):
    settings.ALLOWED_HOSTS = [f".{GATEWAY.partition('.')[2]}"]
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "ecokart-dev")
    made: list[str] = []
    fragment = ready.fragment
    monkeypatch.setattr(ready, "fragment", lambda key, make: fragment(key, lambda: made.append(make()) or made[-1]))

    function = start.function()
    before = len(made)
    function(v1(host=GATEWAY), CONTEXT)

    assert before > 0
    assert len(made) == before


@pytest.mark.parametrize("hosts", [[], ["*"], [".shop.example"], [DOMAIN]])
def test_it_begins_whatever_the_shop_is_called(product: Product, settings: Settings, hosts: list[str], capsys):
    settings.ALLOWED_HOSTS = hosts

    start.function()

    assert [line["status"] for line in lines(capsys) if "status" in line] == [200 if hosts else 400]


def test_it_begins_without_a_database(product: Product, pauses: list[float], capsys):
    with wire.losing_requests("Query", times=99):
        function = start.function()

    assert "The page for warming up was answered with 503." in capsys.readouterr().err
    catalogue.forget()
    assert function(v1(), CONTEXT)["statusCode"] == 200


def test_it_begins_in_time_where_the_database_is_silent(product: Product, monkeypatch: pytest.MonkeyPatch):
    is_silent = threading.Event()
    monkeypatch.setattr(start, "_WARM_SECONDS", 0.05)
    monkeypatch.setattr("inventory.catalogue.version", lambda: is_silent.wait(30))

    try:
        assert callable(start.function())
        assert not is_silent.is_set()
    finally:
        is_silent.set()


def _settings_say(expression: str, **variables: str) -> str:
    """What is true in a fresh process with these variables."""
    program = f"import django, logging, sys; django.setup(); from django.conf import settings; print({expression})"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "ecokart.settings", "SECRET_KEY": "x" * 50} | variables
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=local.ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_who_serves_static_files_follows_from_their_address():
    said = "([one for one in settings.MIDDLEWARE if 'noise' in one], settings.STORAGES['staticfiles']['BACKEND'])"

    assert _settings_say(said, STATIC_URL="https://files.example/static/") == (
        "([], 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage')"
    )
    assert _settings_say(said, STATIC_URL="/static/") == (
        "(['whitenoise.middleware.WhiteNoiseMiddleware'], 'whitenoise.storage.CompressedManifestStaticFilesStorage')"
    )


@pytest.mark.parametrize(("level", "of_data"), [("DEBUG", "INFO"), ("INFO", "INFO"), ("ERROR", "ERROR")])
def test_no_level_prints_what_the_database_says(level: str, of_data: str):
    for name in ("botocore.parsers", "pynamodb.connection.base"):
        said = f"logging.getLevelName(logging.getLogger('{name}').getEffectiveLevel())"
        assert _settings_say(said, LOG_LEVEL=level) == of_data


def test_only_warnings_are_written_by_default():
    assert _settings_say("logging.getLevelName(logging.getLogger().level)", LOG_LEVEL="") == "WARNING"

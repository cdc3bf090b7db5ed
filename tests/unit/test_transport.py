"""How requests travel: over connections that stay open, and what the SDK is told when they do not arrive."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.serialize
import botocore.session
import pytest
from botocore import UNSIGNED, auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import URLLib3Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ecokart import local
from inventory import dynamodb, transport

CONFIG = Config(connect_timeout=1, read_timeout=0.5, max_pool_connections=2)
HOST = "127.0.0.1"
Answer = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what it was asked, in the way that the server's ``answer`` does it."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.connections.append(self.client_address)
        self.server.answer(self)

    def say(self, body: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    answer: Answer
    connections: list[Any]


def echo(handler: Handler) -> None:
    handler.say(handler.path.encode() + b" " + handler.asked, said="so")


@contextmanager
def serving(answer: Answer = echo, *, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    with Server((HOST, 0), Handler) as server:
        server.answer, server.connections = answer, []
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def session(*, verify: bool | str = True, config: Config = CONFIG) -> transport.Session:
    return transport.Session(config, verify=verify)


def asking(server: Server, body: bytes = b"what", scheme: str = "http") -> AWSPreparedRequest:
    address = f"{scheme}://{HOST}:{server.server_address[1]}/"
    headers = {"X-Amz-Target": b"GetItem", "Content-Length": str(len(body))}
    return AWSPreparedRequest("POST", address, headers, body, stream_output=False)


def test_what_was_asked_arrives_and_so_does_the_answer() -> None:
    with serving() as server:
        answer = session().send(asking(server))

    assert (answer.status_code, answer.content, answer.headers["said"]) == (200, b"/ what", "so")


def test_an_error_is_an_answer_too() -> None:
    with serving(lambda handler: handler.say(b"no", status=400)) as server:
        answer = session().send(asking(server))

    assert (answer.status_code, answer.content) == (400, b"no")


def test_a_connection_is_used_again() -> None:
    way = session()
    with serving() as server:
        for number in range(3):
            assert way.send(asking(server, b"%d" % number)).content == b"/ %d" % number

    assert len(set(server.connections)) == 1


def test_requests_at_once_have_a_connection_each_and_no_more_are_kept_than_may_be() -> None:
    way, together = session(), threading.Barrier(4)

    def all_at_once(handler: Handler) -> None:
        together.wait(timeout=10)
        echo(handler)

    with serving(all_at_once) as server, ThreadPoolExecutor(4) as pool:
        for _ in range(2):
            bodies = [b"%d" % number for number in range(4)]
            answers = pool.map(lambda body: way.send(asking(server, body)).content, bodies)
            assert list(answers) == [b"/ " + body for body in bodies]

    # Four at first; then the two that were kept, and two more.
    assert len(set(server.connections)) == 6


def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    """As DynamoDB closes what is idle, and all connections of a function that slept."""

    def and_go(handler: Handler) -> None:
        echo(handler)
        handler.close_connection = True

    way = session()
    with serving(and_go) as server:
        for _ in range(2):
            assert way.send(asking(server)).content == b"/ what"
            _wait_until(lambda: all(transport._has_news(idle) for idle in way._idle))

    assert len(set(server.connections)) == 2


def test_a_connection_that_is_said_to_close_is_not_kept() -> None:
    way = session()
    with serving(lambda handler: handler.say(b"bye", Connection="close")) as server:
        assert way.send(asking(server)).content == b"bye"

    assert not way._idle


def test_closing_closes_what_is_idle() -> None:
    way = session()
    with serving() as server:
        way.send(asking(server))
        (idle,) = way._idle
        way.close()

    assert idle.fileno() == -1
    assert not way._idle


def test_no_answer_in_time_is_a_time_out_and_its_answer_is_nobody_elses() -> None:
    late = threading.Event()

    def first_late(handler: Handler) -> None:
        if handler.asked == b"first":
            late.wait(timeout=10)
        echo(handler)

    way = session()
    with serving(first_late) as server:
        with pytest.raises(ReadTimeoutError):
            way.send(asking(server, b"first"))
        late.set()

        assert way.send(asking(server, b"second")).content == b"/ second"


def test_an_answer_that_breaks_off_is_none() -> None:
    def broken_off(handler: Handler) -> None:
        handler.say(b"half", length=8)
        handler.close_connection = True

    way = session()
    with serving(broken_off) as server, pytest.raises(ConnectionClosedError):
        way.send(asking(server))

    assert not way._idle


def test_an_answer_without_a_length_is_none() -> None:
    """Nobody could tell where it ends. DynamoDB has no such."""

    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"and so on")

    with serving(endless) as server, pytest.raises(ConnectionClosedError):
        session().send(asking(server))


def test_an_empty_answer_is_one() -> None:
    with serving(lambda handler: handler.say(b"")) as server:
        assert session().send(asking(server)).content == b""


def test_a_connection_that_breaks_while_asked_is_said_to_be_closed() -> None:
    def silent(handler: Handler) -> None:
        handler.close_connection = True

    with serving(silent) as server, pytest.raises(ConnectionClosedError):
        session().send(asking(server))


def test_nobody_there() -> None:
    request = AWSPreparedRequest("POST", f"http://{HOST}:{local.free_port()}/", {}, b"", stream_output=False)

    with pytest.raises(EndpointConnectionError):
        session().send(request)


def test_nobody_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", never)
    request = AWSPreparedRequest("POST", f"http://{HOST}:1/", {}, b"", stream_output=False)

    with pytest.raises(ConnectTimeoutError):
        session().send(request)


def test_whoever_is_interrupted_leaves_no_connection_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_connection: Any) -> None:
        raise KeyboardInterrupt

    way = session()
    with serving() as server:
        way.send(asking(server))
        monkeypatch.setattr(transport, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            way.send(asking(server))

    assert not way._idle


def test_encrypted_for_whom_the_certificates_trust(certificate: Path) -> None:
    with serving(context=_own(certificate)) as server:
        answer = session(verify=str(certificate)).send(asking(server, scheme="https"))

    assert answer.content == b"/ what"


def test_not_for_a_certificate_that_nobody_knows(certificate: Path) -> None:
    """As the SDK without a word has it: with the certificates that it brings along."""
    with serving(context=_own(certificate)) as server, pytest.raises(SSLError):
        session().send(asking(server, scheme="https"))


def test_headers_are_found_however_they_are_written() -> None:
    headers = transport._Headers()
    headers["X-Amz-Date"] = "today"
    headers.replace_header("x-amz-DATE", "tomorrow")

    assert headers["X-AMZ-Date"] == headers.get("x-amz-date") == "tomorrow"
    assert "X-Amz-date" in headers
    assert headers.get("Date") is None
    del headers["X-amz-date"]
    assert list(headers.items()) == []


def test_clients_of_dynamodb_take_this_way_and_others_do_not() -> None:
    assert isinstance(dynamodb.connection().client._endpoint.http_session, transport.Session)
    assert isinstance(_client("s3")._endpoint.http_session, URLLib3Session)


def test_where_there_is_a_proxy_the_sdk_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")

    assert isinstance(_client("dynamodb")._endpoint.http_session, URLLib3Session)


def test_whoever_does_not_look_at_certificates_goes_the_sdks_way() -> None:
    assert isinstance(_client("dynamodb", verify=False)._endpoint.http_session, URLLib3Session)


def test_a_client_knows_its_address() -> None:
    """What the SDK would work out at each call is the same."""
    client = _client("dynamodb")

    assert client.meta.endpoint_url == "https://dynamodb.eu-central-1.amazonaws.com"
    assert client._ruleset_resolver is None


@pytest.mark.parametrize("address", ["https://dynamodb.eu-central-1.amazonaws.com/", "http://127.0.0.1:80/a//b/../ä"])
@pytest.mark.parametrize("token", [None, "a-role's"])
def test_a_signature_is_the_sdks(monkeypatch: pytest.MonkeyPatch, address: str, token: str | None) -> None:
    """Of a second request and of another day too: the key of a day is remembered."""
    for day, secret in [(1, "one"), (1, "one"), (1, "another"), (2, "another")]:
        monkeypatch.setattr(
            auth, "get_current_datetime", lambda day=day: datetime.datetime(2026, 11, day, tzinfo=datetime.UTC)
        )
        client = _client("dynamodb", aws_access_key_id="AKID", aws_secret_access_key=secret, aws_session_token=token)
        ours, sdks = _unsigned(address), _unsigned(address)

        client._request_signer.sign("GetItem", ours)
        auth.SigV4Auth(Credentials("AKID", secret, token), "dynamodb", "eu-central-1").add_auth(sdks)

        assert ours.headers.items() == sdks.headers.items()
        assert f"Credential=AKID/2026110{day}/eu-central-1/dynamodb/aws4_request, " in ours.headers["Authorization"]


def test_only_what_goes_to_dynamodb_is_signed_so() -> None:
    assert _signature_version(_client("dynamodb"), "GetItem") == "v4-once"
    assert _signature_version(_client("dynamodb", config=Config(signature_version=UNSIGNED)), "GetItem") is UNSIGNED
    assert _signature_version(_client("sts"), "GetCallerIdentity") == "v4"


ASKED: dict[str, dict[str, Any]] = {
    "GetItem": {"TableName": "t", "Key": {"id": {"S": "ä"}}, "ConsistentRead": True},
    "PutItem": {
        "TableName": "t",
        "Item": {"id": {"S": "null"}, "n": {"N": "1"}, "b": {"B": b"\x00"}, "l": {"BS": [b"1"]}},
    },
    "Query": {"TableName": "t", "KeyConditionExpression": "#0 = :0", "Limit": 3},
    "TransactWriteItems": {"ClientRequestToken": "token", "TransactItems": [{"Update": {"Key": {"id": {"S": "1"}}}}]},
    "DescribeTable": {"TableName": "t"},
    "UpdateTable": {"TableName": "t", "AttributeDefinitions": ({"AttributeName": "a", "AttributeType": "S"},)},
    "RestoreTableToPointInTime": {"TargetTableName": "t", "RestoreDateTime": datetime.datetime(2026, 11, 1)},
}


@pytest.mark.parametrize("operation", ASKED)
def test_a_question_is_written_as_the_sdk_writes_it(operation: str) -> None:
    client = _client("dynamodb", config=Config(parameter_validation=False))
    assert isinstance(client._serializer, transport._Serializer)
    sdks = botocore.serialize.create_serializer("json", include_validation=False)

    ours, expected = (
        writer.serialize_to_request(ASKED[operation], client.meta.service_model.operation_model(operation))
        for writer in (client._serializer, sdks)
    )

    assert json.loads(ours.pop("body")) == json.loads(expected.pop("body"))
    assert ours == expected


def test_where_questions_are_looked_at_first_the_sdk_writes_them() -> None:
    with pytest.raises(ParamValidationError):
        _client("dynamodb").get_item(TableName="t")


def _signature_version(client: Any, operation: str) -> Any:
    return client._request_signer._choose_signer(operation, "standard", {})


def _unsigned(address: str) -> AWSRequest:
    headers = {"X-Amz-Target": "GetItem", "Content-Type": "application/x-amz-json-1.0", "User-Agent": "ecokart  1"}
    return AWSRequest(
        "POST", address, {**headers, "X-Amzn-Trace-Id": "Root=1", "X-Spaced": "  a   b "}, b'{"a": "\xc3\xa4"}'
    )


def _client(service: str, **known: Any) -> Any:
    return botocore.session.Session().create_client(service, region_name="eu-central-1", **known)


def _wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    today = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "own.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


def _own(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context

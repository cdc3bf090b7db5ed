"""An AWS that is emulated on loopback, reached under AWS's own names and over https, as the real one is.

The emulator listens on one port with a certificate for AWS's names, from an authority that nobody else trusts. Who
looks for a name of AWS finds it through a proxy, which leads all of them to that port. So the deployment's own code,
Zappa and the browser run as they would against AWS, and nothing in them knows better.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import ssl
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ecokart import local

#: What the emulator runs with. It runs functions with the same.
PYTHON = Path(sys.prefix, "aws", "bin", "python")
NAMES = f"{local.REGION}.amazonaws.com"
# What the emulator takes for the account's owner. Everybody else needs rights.
OWNER = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_CERTIFIED = ("amazonaws.com", "*.amazonaws.com", f"*.{NAMES}", f"*.s3.{NAMES}", f"*.execute-api.{NAMES}", "localhost")


@dataclass(frozen=True)
class Aws:
    """The emulated AWS: ``environment`` is what an operator's shell needs to work there, and only there."""

    port: int
    authority: Path
    proxy: str
    environment: local.Environment

    def client(self, service: str) -> Any:
        """A client of the SDK for looking at what is there."""
        return boto3.client(
            service,
            region_name=local.REGION,
            endpoint_url=f"https://{local.HOST}:{self.port}",
            verify=str(self.authority),
            aws_access_key_id=OWNER["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=OWNER["AWS_SECRET_ACCESS_KEY"],
        )

    def mails(self) -> list[dict[str, Any]]:
        """What was sent by SES. AWS tells nobody; the emulator does."""
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_trusting(self.authority))
        url = f"https://{local.HOST}:{self.port}/_ministack/ses/messages"
        with urllib.request.build_opener(*handlers).open(url, timeout=10) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return [mail for mails in told["messages"].values() for mail in mails]


@contextmanager
def running(directory: Path) -> Iterator[Aws]:
    """A fresh AWS with nothing in it, that asks everybody for their rights, as AWS does."""
    directory.mkdir(parents=True)
    port = local.free_port()
    authority, certificate, key = _certificates(directory)
    environment = _plain() | OWNER | {
        "BIND_HOST": local.HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        "TMPDIR": str(_made(directory / "tmp")),
        "MINISTACK_HOST": NAMES,
        "MINISTACK_REGION": local.REGION,
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(key),
        # The functions that it runs inherit this.
        "AWS_CA_BUNDLE": str(authority),
        "AUTH": "true",
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    command = [str(PYTHON), str(Path(__file__).with_name("emulator.py"))]
    with local.child(command, environment=environment, log=directory / "log.txt") as process:
        what = f"The emulated AWS (its log is {directory / 'log.txt'})"
        local.wait_until(lambda: _answers(port, authority), what=what, seconds=60, process=process)
        with _proxy(port, authority) as proxy:
            yield Aws(port, authority, proxy, _operators(port, authority, proxy, directory))


def _plain() -> local.Environment:
    """Nothing of the environment that tests run in but where programs are."""
    return {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}


def _operators(port: int, authority: Path, proxy: str, directory: Path) -> local.Environment:
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    trusted = dict.fromkeys(("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(_with_others(authority)))
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
    return _plain() | pip | OWNER | trusted | proxies | {
        "AWS_ENDPOINT_URL": f"https://{local.HOST}:{port}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TMPDIR": str(_made(directory / "operators-tmp")),
        "no_proxy": local.HOST,
        "NO_PROXY": local.HOST,
    }  # fmt: skip


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _answers(port: int, authority: Path) -> bool:
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_trusting(authority))
    try:
        with urllib.request.build_opener(*handlers).open(f"https://{local.HOST}:{port}/_ministack/health", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


# Names


@contextmanager
def _proxy(port: int, authority: Path) -> Iterator[str]:
    """A proxy for https that leads every name of AWS to the emulator, and others (pip's) where they belong."""

    class Door(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                _serve(self.request, port, authority)

    class Server(ThreadingTCPServer):
        daemon_threads = True

    with Server((local.HOST, 0), Door) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://{local.HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()


def _serve(visitor: socket.socket, port: int, authority: Path) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        received = visitor.recv(65536)
        if not received:
            return
        head += received
    verb, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if verb == "CONNECT":
        host, _, asked = target.rpartition(":")
        with socket.create_connection((local.HOST, port) if _is_aws(host) else (host, int(asked)), timeout=60) as there:
            visitor.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _join(visitor, there)
        return
    # Without https only the emulator's own links to a function's code, which Zappa follows to roll back. They name its
    # port, where it speaks https.
    path = "/" + target.split("/", 3)[3]
    raw = socket.create_connection((local.HOST, port), timeout=60)
    with _trusting(authority).wrap_socket(raw, server_hostname="localhost") as there:
        there.sendall(f"{verb} {path} HTTP/1.1\r\nHost: {local.HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        while received := there.recv(65536):
            visitor.sendall(received)


def _is_aws(host: str) -> bool:
    return host == "amazonaws.com" or host.endswith(".amazonaws.com")


def _join(one: socket.socket, other: socket.socket) -> None:
    back = threading.Thread(target=_pour, args=[other, one], daemon=True)
    back.start()
    _pour(one, other)
    back.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(65536):
            target.sendall(received)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


# Certificates


def _certificates(directory: Path) -> tuple[Path, Path, Path]:
    """An authority of our own, and a certificate and key for AWS's names from it."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _named("A rehearsal's authority")
    authority = _certificate(issuer, issuer, authority_key, authority_key, names=())
    certificate = _certificate(_named("AWS, emulated"), issuer, key, authority_key, names=_CERTIFIED)
    files = directory / "authority.pem", directory / "certificate.pem", directory / "key.pem"
    for file, signed in zip(files, (authority, certificate), strict=False):
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files[2].write_bytes(key.private_bytes(*secret))
    return files


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    *,
    names: tuple[str, ...],
) -> x509.Certificate:
    """One for servers of these names, or of an authority where there are none, for a day."""
    now, is_authority = datetime.now(UTC), not names
    usage = dict.fromkeys(
        ("data_encipherment", "key_agreement", "content_commitment", "encipher_only", "decipher_only"), False
    )
    usage |= {"digital_signature": not is_authority, "key_encipherment": False}
    usage |= {"key_cert_sign": is_authority, "crl_sign": is_authority}
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if names:
        known: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        known.append(x509.IPAddress(ipaddress.ip_address(local.HOST)))
        builder = builder.add_extension(x509.SubjectAlternativeName(known), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(by, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _with_others(authority: Path) -> Path:
    """Our authority and those of this machine: pip asks hosts outside."""
    machines = ssl.get_default_verify_paths().cafile
    bundle = authority.with_name("trusted.pem")
    others = Path(machines).read_bytes() if machines else b""
    bundle.write_bytes(authority.read_bytes() + others)
    return bundle

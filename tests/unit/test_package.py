"""The deployment package: what is in it and what is not, and that it runs where nothing else is."""

from __future__ import annotations

import fcntl
import gzip
import importlib.util
import json
import marshal
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ecokart import local
from ecokart.aws import bundle, package
from inventory import dynamodb
from inventory.models import Product

# The interpreter at hand: what is to be shown here does not depend on the version.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MOST_BYTES = 8 * 1024 * 1024
_HEADER_BYTES = 16


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Where the package is kept, one for all processes that run tests."""
    own = tmp_path_factory.getbasetemp()
    kept = (own if worker_id == "master" else own.parent) / "package"
    kept.mkdir(exist_ok=True)
    return kept


@pytest.fixture(scope="session")
def site(folder: Path) -> Path:
    """The packages, as they come from the registry."""
    with _once(folder / "site") as missing:
        if missing:
            package.install(package.requirements(), folder / "site", python=PYTHON)
    return folder / "site"


@pytest.fixture(scope="session")
def built(folder: Path, site: Path) -> Path:
    with _once(folder / "shop.zip") as missing, pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "install", lambda _wanted, stage, python: shutil.copytree(site, stage))
        if missing:
            package.build(folder / "shop.zip", python=PYTHON)
    return folder / "shop.zip"


@contextmanager
def _once(made: Path) -> Iterator[bool]:
    """Whether it is us who have to make this. Others wait."""
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = made.with_suffix(".done")
        yield not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def unpacked(folder: Path, built: Path) -> Path:
    with _once(folder / "task") as missing, zipfile.ZipFile(built) as archive:
        if missing:
            archive.extractall(folder / "task")
    return folder / "task"


@pytest.fixture(scope="session")
def modules(unpacked: Path) -> bundle.Bundle:
    return bundle.Bundle(unpacked / bundle.NAME)


@pytest.fixture(scope="session")
def names(built: Path, modules: bundle.Bundle) -> list[str]:
    """Every file, those that were put into one too."""
    with zipfile.ZipFile(built) as archive:
        return archive.namelist() + [modules.find_spec(name).origin.partition("/task/")[2] for name in modules]


# What is in it


@pytest.mark.parametrize(
    "name",
    [
        "ecokart/aws/handler.pyc",
        "ecokart/settings.pyc",
        "ecokart/locale/de/LC_MESSAGES/django.mo",
        "inventory/management/commands/release_expired.pyc",
        "inventory/replica/synonyms.txt",
        "templates/base.html",
        "templates/shop/product_list.html",
        "staticfiles/staticfiles.json",
        "apig_wsgi/__init__.pyc",
        "django/conf/locale/de/LC_MESSAGES/django.mo",
        "django/contrib/auth/common-passwords.txt.gz",
        "botocore/data/endpoints.json",
    ],
)
def test_it_holds_what_the_shop_asks_for(names: list[str], name: str):
    assert name in names


@pytest.mark.parametrize(
    "pattern",
    [
        "tests/*", "*/tests/*", "benchmarks/*", "docs/*", "static/*", ".*", "*/.*", "Makefile", "*.md", "*.toml",
        "requirements*", "zappa*", "manage.py", "*.po", "*.pyi", "*.yaml", "*.dist-info/*", "bin/*", "*.py",
        "inventory/demo/*", "ecokart/local.py*", "ecokart/server.py*", "ecokart/aws/package*", "ecokart/aws/stack*",
        "ecokart/aws/deploy*", "ecokart/aws/stage*", "gunicorn/*", "whitenoise/*", "pip/*", "pytest/*", "moto/*",
        "setuptools/*", "resvg_py/*", "django/contrib/admin/*", "django/contrib/gis/*", "django/conf/locale/fr/*",
        "django/db/backends/*", "django/db/models/query*", "sqlparse/*", "botocore/data/ec2/*",
        "botocore/data/dynamodb/2011*", "anymail/webhooks/*",
        "anymail/backends/mailgun*", "PIL/_imagingft*", "pillow.libs/libfreetype*",
    ],
)  # fmt: skip
def test_it_holds_nothing_else(names: list[str], pattern: str):
    assert [name for name in names if fnmatch(name, pattern)] == []


def test_botocore_knows_the_services_that_are_asked(names: list[str]):
    services = {name.split("/")[2] for name in names if fnmatch(name, "botocore/data/*/*/*")}

    assert services == {"dynamodb", "s3", "sesv2"}


def test_botocore_knows_what_to_say_and_not_what_it_means(unpacked: Path, site: Path):
    (described,) = (unpacked / "botocore" / "data" / "dynamodb").glob("*/service-2.json.gz")
    with gzip.open(described) as short, gzip.open(site / described.relative_to(unpacked)) as long:
        short_one, long_one = short.read(), long.read()

    assert b'"documentation"' not in short_one
    assert len(short_one) < len(long_one) / 4
    assert json.loads(short_one)["shapes"].keys() == json.loads(long_one)["shapes"].keys()


def test_every_package_is_in_it_or_left_out_for_a_reason(names: list[str], site: Path):
    wanted = {line.partition("==")[0].lower() for line in package.requirements()}
    installed = {path.name.partition("-")[0].lower().replace("_", "-") for path in site.glob("*.dist-info")}

    assert installed == wanted
    assert all(any(line.startswith(f"{name}==") for line in _required()) for name in package.LEFT_OUT)
    assert not wanted & set(package.LEFT_OUT)


def _required() -> list[str]:
    return (local.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()


def test_it_is_small(built: Path):
    assert built.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("library", ["botocore", "certifi"])
def test_it_trusts_amazon_and_nobody_else(unpacked: Path, library: str):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(unpacked / library / "cacert.pem")

    owners = {dict(part[0] for part in one["subject"])["organizationName"] for one in context.get_ca_certs()}
    assert (len(context.get_ca_certs()), owners) == (5, {"Amazon", "Starfield Technologies, Inc."})


def test_a_list_of_certificates_that_has_changed_is_noticed():
    with pytest.raises(package.CannotBuild, match="five of Amazon's, and hold 1"):
        package._trusted('# Label: "Amazon Root CA 1"\n-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n')


def test_it_knows_the_static_files_by_their_contents(unpacked: Path):
    manifest = json.loads((unpacked / "staticfiles" / "staticfiles.json").read_text(encoding="utf-8"))

    files = {str(path.relative_to(local.ROOT / "static")) for path in (local.ROOT / "static").rglob("*.*")}
    assert files <= set(manifest["paths"])
    assert manifest["paths"]["css/tokens.css"] not in {"", "css/tokens.css"}


# Bytecode


def test_all_bytecode_is_valid_whatever_date_its_source_has(unpacked: Path):
    for path in unpacked.rglob("*.pyc"):
        header = path.read_bytes()[:_HEADER_BYTES]
        assert header[:4] == importlib.util.MAGIC_NUMBER, path
        # A hash instead of a date, which is not compared.
        assert int.from_bytes(header[4:8], "little") == 1, path


def test_what_is_ours_is_compiled_as_it_is(modules: bundle.Bundle):
    for source in (local.ROOT / "shop" / "views").glob("*.py"):
        name = ".".join(["shop", "views", *([] if source.stem == "__init__" else [source.stem])])
        shown = f"/var/task/shop/views/{source.name}"
        assert modules.get_code(name) == compile(source.read_bytes(), shown, "exec", dont_inherit=True), source


@pytest.mark.parametrize(("name", "file"), [("django", "django/__init__"), ("shop.ready", "shop/ready")])
def test_tracebacks_name_files_as_lambda_does(modules: bundle.Bundle, name: str, file: str):
    assert modules.get_code(name).co_filename == f"/var/task/{file}.py"


def test_modules_in_one_file_are_found_as_if_they_were_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    codes = {name: marshal.dumps(compile(text, name, "exec")) for name, text in {"a": "x = 1", "b": "y = 2"}.items()}
    packed = {"one": (True, "one/__init__.pyc", codes["a"]), "one.two": (False, "one/two.pyc", codes["b"])}
    (tmp_path / bundle.NAME).write_bytes(bundle.pack(packed, importlib.util.MAGIC_NUMBER))
    monkeypatch.setattr(sys, "meta_path", [bundle.Bundle(tmp_path / bundle.NAME), *sys.meta_path])

    try:
        two = importlib.import_module("one.two")

        assert (sys.modules["one"].x, two.y) == (1, 2)
        assert sys.modules["one"].__path__ == [str(tmp_path / "one")]
        assert two.__file__ == str(tmp_path / "one" / "two.pyc")
        assert importlib.util.find_spec("one.three") is None
    finally:
        for name in ("one", "one.two"):
            sys.modules.pop(name, None)


def test_modules_of_another_version_are_refused(tmp_path: Path):
    (tmp_path / bundle.NAME).write_bytes(bundle.pack({}, b"\0\0\r\n"))

    with pytest.raises(ImportError, match="another version of Python"):
        bundle.Bundle(tmp_path / bundle.NAME)


def test_only_what_a_debugger_reads_is_taken_out_of_libraries(site: Path, unpacked: Path):
    (name,) = (path.relative_to(site) for path in site.glob("PIL/_imaging.*.so"))
    before, after = (site / name).read_bytes(), (unpacked / name).read_bytes()

    assert len(after) == len(before)
    assert b".debug_info" in before
    kept = re.sub(rb"\0{64,}", b"", after)
    assert len(kept) < len(before) / 2
    assert all(run in before for run in re.findall(rb"[^\0]{16,}", after)[:200])


# The same every time


def test_the_same_files_give_the_same_bytes(built: Path, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(package, "install", lambda _wanted, stage, python: shutil.copytree(site, stage))
    monkeypatch.setenv("PYTHONHASHSEED", "7")

    again = package.build(tmp_path / "folder" / "again.zip", python=PYTHON)

    assert again.read_bytes() == built.read_bytes()


def test_entries_have_an_order_one_date_and_rights_to_be_read(built: Path):
    with zipfile.ZipFile(built) as archive:
        entries = archive.infolist()

    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644, 0o100755}


# Where nothing else is

_PROGRAM = """
import json, sys
sys.path[:0] = [sys.argv[1]]
from ecokart.aws.handler import handler

def ask(path, **headers):
    request = {"httpMethod": "GET", "path": path, "multiValueHeaders": {"Host": ["shop.example"], **headers}}
    return handler(request | {"requestContext": {"identity": {"sourceIp": "203.0.113.7"}}}, None)

import io
from PIL import Image
from inventory import pictures
picture = Image.new("RGB", (40, 50), "red")
files = [pictures._encoded(picture, kind) for kind in pictures.FORMATS]
import storages.backends.s3
begun = set(sys.modules)
from django.core.mail import send_mail
json.dump({
    "for_mails": sorted({"anymail", "requests"} & begun),
    "sent": send_mail("Für Sie", "Grüße", None, ["alice@example.com"]),
    "page": ask("/products/"),
    "detail": ask("/products/prod-1/"),
    "login": ask("/account/login/"),
    "admin": ask("/admin/login/"),
    "health": ask("/healthz"),
    "sweep": handler({"manage": ["release_expired"]}, None),
    "pictures": [pictures._opened(file).size for file in files],
    "elsewhere": sorted(
        name for name, module in sys.modules.items()
        if "site-packages" in (getattr(module, "__file__", None) or "")
    ),
}, sys.stdout)
"""


@contextmanager
def _aws(mails: list[Any]) -> Iterator[str]:
    """The tables of this process for another one, and somebody who takes its mails."""
    client = dynamodb.connection().client

    class Relay(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers.get("X-Amz-Target", "").partition(".")[2]
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/v2/email/outbound-emails":
                mails.append(asked)
                said = {"MessageId": "1"}
            else:
                said = client._make_api_call(operation, asked)
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer((local.HOST, 0), Relay) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{local.HOST}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def alone(unpacked: Path, product: Product) -> dict[str, Any]:
    """What the function says in an interpreter that has the package and nothing else."""
    mails: list[Any] = []
    with _aws(mails) as address:
        environment = {
            "SECRET_KEY": "runs-alone-0123456789-abcdefghijklmnopqrstuvwxyz-0123",
            "ALLOWED_HOSTS": "shop.example",
            "STATIC_URL": "https://files.example/static/",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": address,
            "EMAIL_BACKEND": "anymail.backends.amazon_ses.EmailBackend",
            "NO_PROXY": local.HOST,
            "PATH": os.defpath,
        }
        # Without site-packages, without this folder, and without writing any bytecode.
        command = [sys.executable, "-I", "-S", "-B", "-c", _PROGRAM, str(unpacked)]
        done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"log": done.stderr, "mails": mails}


def test_it_runs_where_nothing_else_is(alone: dict[str, Any]):
    pages = {name: alone[name]["statusCode"] for name in ("page", "detail", "login", "admin", "health")}

    assert pages == {"page": 200, "detail": 200, "login": 200, "admin": 200, "health": 200}
    assert "Laufschuh Luchs" in alone["page"]["body"]
    assert "https://files.example/static/css/tokens." in alone["page"]["body"]
    assert "Anmelden" in alone["login"]["body"]
    assert alone["pictures"] == [[40, 50]] * 3
    assert alone["sweep"]["status"] == 0
    assert (alone["sent"], alone["mails"][0]["Destination"]) == (1, {"ToAddresses": ["alice@example.com"]})
    assert alone["for_mails"] == [], "What only mails need is imported when the first one is sent."
    assert alone["elsewhere"] == []
    assert [json.loads(line)["status"] for line in alone["log"].splitlines() if "route" in line] == [200] * 6


# When there can be none


def test_a_runtime_that_is_not_there_is_told_in_a_sentence():
    with pytest.raises(package.CannotBuild, match=r"no Python 2\.1 on this machine.*same version"):
        package.build(Path("never.zip"), python="2.1")


def test_packages_that_do_not_come_are_told_in_a_sentence(tmp_path: Path):
    with pytest.raises(package.CannotBuild, match="could not be installed"):
        package.install([str(tmp_path / "nothing-1.0-py3-none-any.whl")], tmp_path / "site", python=PYTHON)


def test_without_git_nobody_knows_what_belongs_to_the_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(local, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(package.CannotBuild, match="files that git knows"):
        package.tracked()


def test_the_command_says_what_went_wrong(capsys: pytest.CaptureFixture[str]):
    assert package.main(["never.zip", "--python", "2.1"]) == 1
    assert "no Python 2.1" in capsys.readouterr().err

"""The deployment package: what runs on Lambda, and nothing else.

    python -m ecokart.aws.package TARGET.zip [--python 3.13]

It is built from ``requirements.txt`` and the files that git knows. Packages are those of the runtime (Linux, x86-64,
``--python``), whatever machine this runs on. Bytecode is compiled by the runtime's own interpreter and never compared
with its source: Lambda unpacks with dates of its own, so that what Zappa packs is compiled anew at every cold start.
The same commit gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ecokart import local
from ecokart.aws import bundle

RUNTIME = "3.13"
#: Where Lambda unpacks the package. Tracebacks name files by it.
TASK = "/var/task"

#: Packages of ``requirements.txt`` that the function does not need, and why.
LEFT_OUT = {
    "gunicorn": "Lambda is the server",
    "sqlparse": "there is no SQL",
    "whitenoise": "S3 serves the static files",
}

# The shop's own, by the names that git knows.
_OURS = ("adminpanel", "ecokart", "inventory", "shop", "templates")
# Of ecokart/aws the function needs itself; the rest deploys it.
_ON_LAMBDA = {"__init__", "bundle", "gateway", "handler", "metrics", "prices", "start", "tasks"}
# To draw the demo catalogue's pictures takes longer than a function may; it is seeded from where the stage is deployed.
_NOT_OURS = (
    "ecokart/local.py", "ecokart/server.py", "inventory/demo/*", "*/commands/cost.py", "*/commands/seed_catalogue.py",
    "*.po",
)  # fmt: skip

#: Services of AWS that the shop asks. Botocore knows 400 others.
_SERVICES = {"dynamodb", "s3", "sesv2"}
#: Who signs for Amazon's own addresses; the function asks no others. Botocore trusts 120 more.
_AUTHORITIES = re.compile(r"Amazon Root CA|Starfield Services Root Certificate Authority - G2")

# Folders of which the shop asks for a few things only, and those: the first part of their names.
_ONLY = {
    "botocore/data/*/*": _SERVICES,
    "boto3/data/*/*": _SERVICES,
    "django/conf/locale/*/*": {"de", "en"},
    "django/contrib/*/*": {"auth", "messages", "sessions", "staticfiles"},
    "django/contrib/auth/*": {"__init__", "common-passwords", "hashers", "password_validation", "signals"},
    "django/contrib/sessions/backends/*": {"__init__", "base", "signed_cookies"},
    "django/core/management/commands/*": {"__init__"},
    "django/db/models/*": {"__init__", "enums", "utils"},
    "storages/backends/*": {"__init__", "s3"},
    "anymail/backends/*": {"__init__", "amazon_ses", "base"},
    # What draws text, opens windows and manages colours stays away, and formats that nobody uploads.
    "PIL/*": {
        "__init__", "AvifImagePlugin", "ExifTags", "GimpGradientFile", "GimpPaletteFile", "Image", "ImageChops",
        "ImageColor", "ImageFile", "ImageMode", "ImageOps", "ImagePalette", "ImageSequence", "JpegImagePlugin",
        "JpegPresets", "MpoImagePlugin", "PaletteFile", "PngImagePlugin", "TiffImagePlugin", "TiffTags",
        "WebPImagePlugin", "_avif", "_binary", "_deprecate", "_imaging", "_typing", "_util", "_version", "_webp",
    },
}  # fmt: skip
# And what it does not ask for at all.
_TRIMMED = (
    "*.dist-info/*", "README.*", "bin/*", "*.pyi", "*/py.typed", "*.po", "*.pot", "*.exe", "*/tests/*", "*/examples-1*",
    "django/conf/*_template/*", "django/test/*", "django/contrib/*/locale/*", "django/contrib/*/management/*",
    "django/contrib/*/migrations/*", "django/*/jinja2/*", "django/db/migrations/*", "boto3/examples/*",
    "django/core/cache/backends/[mr]*", "django/core/serializers/[!_bjp]*", "django/db/backends/*",
    "boto3/dynamodb/*", "boto3/ec2/*", "botocore/data/dynamodb/2011-*", "s3transfer/processpool.py",
    "segno/cli.py", "segno/helpers.py", "anymail/webhooks/*", "anymail/inbound.py", "charset_normalizer/*.so",
    "dateutil/easter.py", "dateutil/rrule.py", "dateutil/zoneinfo/*.tar.gz", "urllib3/contrib/*",
    "pillow.libs/libbrotli*", "pillow.libs/libfreetype*", "pillow.libs/libharfbuzz*", "pillow.libs/liblcms2*",
    "pillow.libs/libpng*",
)  # fmt: skip

# What is imported before the bundle, and what Django finds by looking into folders.
_FILES = (
    "ecokart/__init__.pyc", "ecokart/aws/__init__.pyc", "ecokart/aws/bundle.pyc", "ecokart/aws/handler.pyc",
    "*/management/*", "*/templatetags/*", "certifi/*",
)  # fmt: skip
_HEADER_BYTES = 16

#: Django brings its ORM along wherever a form, a view or JSON is imported: sixty modules and a tenth of a start, for a
#: shop that has no SQL database. This stands in its place, with the names that are asked for.
_NO_ORM = "class QuerySet: pass\nclass CompositePrimaryKey: pass\n"

_EPOCH = (1980, 1, 1, 0, 0, 0)
_COMPILE = """
import py_compile, sys
for line in sys.stdin.read().splitlines():
    name, optimize = line.split("\\t")
    mode, shown = py_compile.PycInvalidationMode.UNCHECKED_HASH, f"{sys.argv[1]}/{name}"
    py_compile.compile(name, f"{name}c", shown, doraise=True, optimize=int(optimize), invalidation_mode=mode)
"""


class CannotBuild(Exception):
    """Why there is no package, as a sentence for whoever typed the command."""


def build(target: Path, *, python: str = RUNTIME) -> Path:
    """Make the package for a version of Python ("3.13") and give its path. Raises CannotBuild."""
    interpreter = find_interpreter(python)
    with tempfile.TemporaryDirectory(prefix="package-") as name:
        stage = Path(name, "stage")
        install(requirements(), stage, python=python)
        trim(stage)
        theirs = set(_files(stage))
        _add_ours(stage)
        _add_manifest(stage, Path(name, "static"))
        _compile(stage, interpreter, theirs=theirs)
        _bundle(stage)
        _zip(stage, target)
    return target


def requirements() -> list[str]:
    """The lines of ``requirements.txt``, without what is left out."""
    lines = (local.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [line for line in wanted if line.partition("==")[0].lower() not in LEFT_OUT]


def install(wanted: Iterable[str], folder: Path, *, python: str) -> None:
    """Unpack packages as Lambda's machine needs them. Never builds any: what this machine is must not matter."""
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in range(34, 16, -1)] + ["manylinux2014_x86_64"]
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
        "--only-binary=:all:", "--implementation=cp", f"--python-version={python}", f"--target={folder}",
        *(f"--platform={platform}" for platform in platforms), *wanted,
    ]  # fmt: skip
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"The packages for Python {python} could not be installed:\n{done.stderr.strip()}")


def find_interpreter(python: str) -> str:
    """An interpreter of a version: this one, one on the path, or one of pyenv's. Raises CannotBuild."""
    for candidate in _candidates(python):
        asked = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == python:
            return candidate
    raise CannotBuild(
        f"There is no Python {python} on this machine. The package's bytecode must be compiled by the same version "
        f"that runs on Lambda: install it so that `python{python}` is found, and build again."
    )


def _candidates(python: str) -> Iterator[str]:
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield sys.executable
    found = shutil.which(f"python{python}")
    if found:
        yield found
    # pyenv puts a version on the path only where somebody has chosen it. Its own default for its folder stands here.
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from map(str, sorted(versions.glob(f"{python}.*/bin/python{python}")))


def trim(stage: Path) -> None:
    """Take away what the shop never asks for."""
    for name in _files(stage):
        if _is_superfluous(name):
            (stage / name).unlink()
        elif ".so" in name:
            (stage / name).write_bytes(_without_debug((stage / name).read_bytes()))
    (stage / "django" / "db" / "models" / "__init__.py").write_text(_NO_ORM, encoding="utf-8")
    for name, shorten in _SHORTENED.items():
        path = stage / name
        path.write_text(shorten(path.read_text(encoding="utf-8")), encoding="utf-8")
    for path in (stage / "botocore" / "data").glob("*/*/*.json.gz"):
        path.write_bytes(_without_documentation(path.read_bytes()))


def _is_superfluous(name: str) -> bool:
    parts = name.split("/")
    if any(fnmatch(name, pattern) for pattern in _TRIMMED):
        return True
    for pattern, wanted in _ONLY.items():
        depth = pattern.partition("*")[0].count("/")
        if fnmatch(name, pattern) and parts[depth].partition(".")[0] not in wanted:
            return True
    return False


def _without_debug(library: bytes) -> bytes:
    """A shared library with nothing in the sections that only a debugger reads: they would be a tenth of the package.

    Nothing moves and nothing else changes; zeros cost nothing in a zip.
    """
    found = bytearray(library)
    table = int.from_bytes(library[0x28:0x30], "little")
    size, count, names = struct.unpack_from("<HHH", library, 0x3A)
    sections = [struct.unpack_from("<IIQQQQ", library, table + number * size) for number in range(count)]
    for name_at, _kind, _flags, _address, start, length in sections:
        name = library[sections[names][4] + name_at :].partition(b"\0")[0]
        if name.startswith(b".debug_") or name in {b".symtab", b".strtab"}:
            found[start : start + length] = bytes(length)
    return bytes(found)


def _trusted(bundle: str) -> str:
    """Of a list of certificates, with a label above each, those of Amazon."""
    parts = [f"{part}-----END CERTIFICATE-----\n" for part in bundle.split("-----END CERTIFICATE-----\n") if part]
    kept = [part.lstrip() for part in parts if _AUTHORITIES.search(part)]
    if len(kept) != 5:
        raise CannotBuild(f"Botocore's certificates should hold five of Amazon's, and hold {len(kept)}.")
    return "".join(kept)


def _known(endpoints: str) -> str:
    """Of the addresses of all services, those of ours. A process that begins takes 10 ms to read all of them."""
    found = json.loads(endpoints)
    for partition in found["partitions"]:
        partition["services"] = {name: said for name, said in partition["services"].items() if name in _SERVICES}
    return json.dumps(found)


def _without_documentation(packed: bytes) -> bytes:
    """A service's description without its manual, which is five sixths of it and read at each start."""

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: said for name, said in pairs if name != "documentation" or not isinstance(said, str)}

    said = json.loads(gzip.decompress(packed), object_pairs_hook=kept)
    return gzip.compress(json.dumps(said, separators=(",", ":")).encode(), mtime=0)


#: Lists of which the shop needs a part. Certifi's belongs to ``requests``, by which nobody asks anything: anymail only
#: imports it.
_SHORTENED = {
    "botocore/cacert.pem": _trusted,
    "botocore/data/endpoints.json": _known,
    "certifi/cacert.pem": _trusted,
}


def _add_ours(stage: Path) -> None:
    """The shop's own files, as far as git knows them."""
    for name in tracked():
        if _is_for_lambda(name):
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(local.ROOT / name, stage / name)


def tracked() -> list[str]:
    """The files that git knows, below the shop's own folders. Raises CannotBuild where there is no git."""
    command = ["git", "-C", str(local.ROOT), "ls-files", "-z", "--", *_OURS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as failed:
        raise CannotBuild("The package is made of the files that git knows, and git does not answer here.") from failed
    return sorted(name for name in done.stdout.split("\0") if name and (local.ROOT / name).exists())


def _is_for_lambda(name: str) -> bool:
    if any(fnmatch(name, pattern) for pattern in _NOT_OURS):
        return False
    path = Path(name)
    return path.parent != Path("ecokart/aws") or (path.suffix == ".py" and path.stem in _ON_LAMBDA)


def _add_manifest(stage: Path, static: Path) -> None:
    """The names under which pages find static files. The files themselves go to S3."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "ecokart.settings",
        "SECRET_KEY": "signs-nothing-and-is-in-no-package",
        "HTTPS": "0",
        # Somebody else's host, whichever: names do not follow from it.
        "STATIC_URL": "https://static.invalid/",
        "STATIC_ROOT": str(static),
    }
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    done = subprocess.run(command, cwd=local.ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"The static files could not be collected:\n{done.stderr.strip()}")
    manifest = json.loads((static / "staticfiles.json").read_text(encoding="utf-8"))
    manifest["paths"] = dict(sorted(manifest["paths"].items()))
    (stage / "staticfiles").mkdir()
    (stage / "staticfiles" / "staticfiles.json").write_text(json.dumps(manifest), encoding="utf-8")


def _compile(stage: Path, interpreter: str, *, theirs: set[str]) -> None:
    """Bytecode instead of sources, which nobody reads there: a traceback names file and line all the same."""
    sources = [name for name in _files(stage) if name.endswith(".py")]
    # Docstrings are a tenth of the package. Ours stay: commands show them.
    lines = [f"{name}\t{2 if name in theirs else 0}" for name in sources]
    done = subprocess.run(
        [interpreter, "-P", "-s", "-c", _COMPILE, TASK],
        cwd=stage,
        # Constant sets are written in an order that follows from the seed.
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        | {"PYTHONHASHSEED": "0"},
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotBuild(f"What is to be packed cannot be compiled:\n{done.stderr.strip()}")
    for name in sources:
        (stage / name).unlink()


def _bundle(stage: Path) -> None:
    """Put all bytecode into one file, but for what must be files."""
    modules: dict[str, bundle.Module] = {}
    magic = b""
    for name in _files(stage):
        if name.endswith(".pyc") and not any(fnmatch(name, pattern) for pattern in _FILES):
            compiled, parts = (stage / name).read_bytes(), name.removesuffix(".pyc").split("/")
            is_package, magic = parts[-1] == "__init__", compiled[:4]
            modules[".".join(parts[:-1] if is_package else parts)] = (is_package, name, compiled[_HEADER_BYTES:])
            (stage / name).unlink()
    (stage / bundle.NAME).write_bytes(bundle.pack(modules, magic))


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _zip(stage: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for name in _files(stage):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if ".so" in name else 0o100644) << 16
            package.writestr(entry, (stage / name).read_bytes())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m ecokart.aws.package", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", type=Path, metavar="TARGET.zip")
    parser.add_argument("--python", default=RUNTIME, help=f"the runtime's version; {RUNTIME} where nothing is said")
    asked = parser.parse_args(arguments)
    try:
        target = build(asked.target, python=asked.python)
    except CannotBuild as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    sys.stdout.write(f"{target}: {target.stat().st_size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

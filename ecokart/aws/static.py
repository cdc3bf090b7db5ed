"""Bring the static files of a version to the bucket, beside those of earlier versions."""

from __future__ import annotations

import gzip
import json
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

PREFIX = "static/"
# A name holds a digest of what is in the file.
_FOR_GOOD = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_TEXTS = ("text/", "image/svg+xml")


@dataclass(frozen=True)
class Upload:
    """A file as it goes into the bucket."""

    key: str
    body: bytes
    headers: dict[str, str]


def uploads(root: Path) -> Iterator[Upload]:
    """What ``collectstatic`` left in a folder, by the names that pages use. Earlier versions have other names.

    Texts go compressed, because a bucket hands out what it has: every browser of the last twenty years takes that.
    """
    manifest = json.loads((root / "staticfiles.json").read_text(encoding="utf-8"))
    for name in sorted(set(manifest["paths"].values())):
        body, kind = (root / name).read_bytes(), _content_type(name)
        headers = {"ContentType": kind, "CacheControl": _FOR_GOOD}
        if kind.startswith(_TEXTS):
            body, headers["ContentEncoding"] = gzip.compress(body, mtime=0), "gzip"
        yield Upload(PREFIX + name, body, headers)


def upload(session: boto3.Session, *, bucket: str, root: Path) -> int:
    """Put what the bucket does not have yet. Gives how many files that were."""
    s3: Any = session.client("s3")
    there = set(keys(s3, bucket, prefix=PREFIX))
    missing = [one for one in uploads(root) if one.key not in there]
    for one in missing:
        s3.put_object(Bucket=bucket, Key=one.key, Body=one.body, **one.headers)
    return len(missing)


def keys(s3: Any, bucket: str, *, prefix: str = "") -> Iterator[str]:
    """The names of everything in a bucket that begins so."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (one["Key"] for one in page.get("Contents", []))


def _content_type(name: str) -> str:
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith(_TEXTS) else kind

"""Files that are no pictures, or more than pictures, where a product's picture is asked for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from unittest import mock

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from inventory import pictures
from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import Upload

TITLE = "Hostile files"

SCRIPT = b"<script>window.__pwned=1</script><?php system($_GET[0]); ?>"
_FORM = {"name": "N", "description": "D", "price": "1,00", "category": "shoes", "status": "draft", "low_stock_at": "1"}


def attack(how_many: int) -> Cases:
    browser = people.browser_of(people.an_admin())
    for what, upload in _files().items():
        before = set(_kept())
        answer = browser.post("/admin/products/new/", {**_FORM, "image": upload})
        made = set(_kept()) - before
        holes = [f"answered {answer.status}"] if answer.status not in {302, 400, 422} else []
        holes += [f"kept {name}" for name in made if not name.endswith((".avif", ".webp", ".jpg"))]
        holes += [
            f"{name} carries what was sent"
            for name in made
            if SCRIPT in default_storage.open(f"products/{name}").read()
        ]
        if what.startswith("no picture"):
            holes += ["was taken"] if made or answer.status == 302 else []
        yield what, "; ".join(holes)


def _kept() -> list[str]:
    with suppress(FileNotFoundError):
        return list(default_storage.listdir("products")[1])
    return []


def _files() -> dict[str, Upload]:
    png, jpeg, gif = _picture("PNG"), _picture("JPEG"), _picture("GIF")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    return {
        "no picture: SVG with a script": Upload(svg, "a.svg", "image/svg+xml"),
        "no picture: SVG as a PNG": Upload(svg, "a.png"),
        "no picture: SVG with an entity": Upload(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>', "a.svg"),
        "no picture: HTML": Upload(b"<html>" + SCRIPT, "a.html", "text/html"),
        "no picture: HTML as a JPEG": Upload(b"<html>" + SCRIPT, "a.jpg", "image/jpeg"),
        "no picture: PHP": Upload(SCRIPT, "a.php", "image/png"),
        "no picture: PHP with a picture's first bytes": Upload(b"\x89PNG\r\n\x1a\n" + SCRIPT, "a.php.png"),
        "no picture: GIF's first bytes and a script": Upload(b"GIF89a/*" + SCRIPT + b"*/", "a.gif", "image/gif"),
        "no picture: a GIF": Upload(gif, "a.gif", "image/gif"),
        "no picture: a BMP": Upload(_picture("BMP"), "a.bmp", "image/bmp"),
        "no picture: a TIFF": Upload(_picture("TIFF"), "a.tiff", "image/tiff"),
        "no picture: an icon": Upload(_picture("ICO"), "a.ico", "image/x-icon"),
        "no picture: a PDF": Upload(_picture("PDF"), "a.pdf", "application/pdf"),
        "no picture: PostScript": Upload(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(id) (r) file", "a.eps", "image/png"),
        "no picture: a ZIP": Upload(b"PK\x03\x04" + SCRIPT, "a.zip", "application/zip"),
        "no picture: a program": Upload(b"\x7fELF" + SCRIPT, "a.png"),
        "no picture: nothing": Upload(b"", "a.png"),
        "no picture: one byte": Upload(b"\x89", "a.png"),
        "no picture: zeros": Upload(bytes(10_000), "a.png"),
        "no picture: 65,500 by 65,500": Upload(_claiming(65_500, 65_500), "a.png"),
        "no picture: 26 million pixels": Upload(_claiming(6_500, 4_000), "a.png"),
        "no picture: no pixels": Upload(_claiming(0, 0), "a.png"),
        "no picture: a bomb": Upload(_claiming(4_900, 5_000, zlib.compress(bytes(8_000_000), 9)), "a.png"),
        "no picture: cut off": Upload(png[: len(png) // 2], "a.png"),
        "no picture: cut off JPEG": Upload(jpeg[:20], "a.jpg", "image/jpeg"),
        "no picture: more than 5 MB": Upload(png + bytes(5 * 1024 * 1024), "a.png"),
        "a PNG and a script after it": Upload(png + SCRIPT, "a.png"),
        "a PNG with a script in a text": Upload(_with_text(png), "a.png"),
        "a JPEG with a script in its Exif": Upload(_picture("JPEG", exif=exif), "a.jpg", "image/jpeg"),
        "a JPEG as text/html": Upload(jpeg + SCRIPT, "a.html", "text/html"),
        "a name that climbs": Upload(png, "../../../../etc/cron.d/x.png"),
        "a name that climbs on Windows": Upload(png, "..\\..\\x.png"),
        "a name with a NUL": Upload(png, "a.php\x00.png"),
        "a name with a line": Upload(png, 'a.png\r\nContent-Type: text/html\r\n\r\n<script>'),
        "a name that is a script": Upload(png, '"><script>alert(1)</script>.png'),
        "a long name": Upload(png, "a" * 5_000 + ".png"),
        "a name that is none": Upload(png, "."),
    }  # fmt: skip


def _picture(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 20), "red").save(out, kind, **options)
    return out.getvalue()


def _claiming(width: int, height: int, pixels: bytes = zlib.compress(b"\0" * 100)) -> bytes:
    """A PNG that says it is this large."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, (header, b"IDAT" + pixels, b"IEND")))


def _with_text(png: bytes) -> bytes:
    return png[:33] + _chunk(b"tEXtComment\0" + SCRIPT) + png[33:]


def _chunk(content: bytes) -> bytes:
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


@cache
def _key() -> str:
    return "products/as-it-came"


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that keeps a file as it came."""

    def store(upload: object) -> str:
        default_storage.save(f"products/{str(upload)[-20:].replace('/', '') or 'x'}", ContentFile(upload.read()))  # type: ignore[attr-defined]
        return _key()

    with mock.patch.object(pictures, "store", store):
        yield

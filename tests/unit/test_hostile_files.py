"""Files that want to be more than a picture: each is refused with a sentence, or nothing but its pixels is kept."""

from __future__ import annotations

import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, PngImagePlugin

from inventory import pictures
from inventory.errors import PictureRefused
from inventory.models import Product, User
from tests.unit.test_pictures import PNG_SIGNATURE, SVG, claiming, encoded, halves, kept, store

MARK = b"<script>alert(1)</script>"
PHP = b"<?php system($_GET[0]); ?>"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn is drawn small: it is not about how it looks."""
    monkeypatch.setattr(pictures, "WIDTHS", (40, 80))


def files(key: str) -> dict[tuple[int, str], bytes]:
    names = {(width, kind): pictures.file_name(key, width, kind) for width in (40, 80) for kind in pictures.FORMATS}
    return {which: default_storage.open(name).read() for which, name in names.items()}


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("evil/Evil.class", MARK)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks behind its header."""
    png = encoded(halves())
    return png[:33] + b"".join(chunks) + png[33:]


def jpeg_with(marker: int, data: bytes) -> bytes:
    """A JPEG with this segment behind its first mark."""
    jpeg = encoded(halves(), "JPEG")
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data + jpeg[2:]


def with_exif(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = MARK.decode()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    return encoded(halves(), kind, exif=exif)


def film(kind: str) -> bytes:
    frames = [Image.new("RGB", (40, 50), (number * 9, 0, 0)) for number in range(25)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=10)


def huge_jpeg(width: int, height: int) -> bytes:
    """A small JPEG that says it is this large."""
    jpeg = encoded(halves(), "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


TEXT = PngImagePlugin.PngInfo()
TEXT.add_text("Comment", MARK.decode())
TEXT.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{MARK.decode()}</x:xmpmeta>")

CARRIERS = {
    "an archive behind a png": encoded(halves()) + archive(),
    "an archive behind a jpeg": encoded(halves(), "JPEG") + archive(),
    "an archive behind a webp": encoded(halves(), "WEBP") + archive(),
    "a page behind a jpeg": encoded(halves(), "JPEG") + b"<html>" + MARK,
    "a program in a jpeg's comment": jpeg_with(0xFE, PHP + MARK),
    "a program in a jpeg's own segment": jpeg_with(0xE1, b"Exif\0\0" + MARK),
    "a document in a jpeg's comment": jpeg_with(0xFE, b"%PDF-1.4\n" + MARK),
    "a script in a png's text": encoded(halves(), pnginfo=TEXT),
    "a page in a png's own chunk": png_with(chunk(b"evIl", MARK)),
    "a profile that is none": png_with(chunk(b"iCCP", b"x\0\0" + zlib.compress(MARK))),
    "place and script in a jpeg's exif": with_exif("JPEG"),
    "place and script in a png's exif": with_exif("PNG"),
    "place and script in a webp's exif": with_exif("WEBP"),
    "place and script in an avif's exif": with_exif("AVIF"),
    "xmp in a webp": encoded(halves(), "WEBP", xmp=b"<x:xmpmeta>" + MARK + b"</x:xmpmeta>"),
    "a film in png": film("PNG"),
    "a film in webp": film("WEBP"),
    "colours of a printer": encoded(Image.new("CMYK", (40, 50), (0, 255, 255, 0)), "JPEG", comment=MARK),
    "sixteen bits": encoded(Image.frombytes("I;16", (40, 50), b"\x00\x80" * 2000), pnginfo=TEXT),
}
REFUSED = {
    "nothing": b"",
    "one byte": b"\x89",
    "an svg": SVG,
    "a compressed svg": gzip.compress(SVG),
    "an svg that begins as a png": PNG_SIGNATURE + SVG,
    "a page": b"<!doctype html>" + MARK,
    "a page that begins as a gif": b"GIF89a/*" + MARK,
    "a gif and an archive": encoded(halves(), "GIF") + archive(),
    "an archive alone": archive(),
    "a jpeg behind a page": MARK + encoded(halves(), "JPEG"),
    "a picture as text": b"#define x_width 8\n#define x_height 8\nstatic char x_bits[] = {0,0,0,0,0,0,0,0};",
    "a film of a phone": struct.pack(">I", 24) + b"ftypheic" + b"\0" * 12 + MARK,
    "half a png": encoded(Image.effect_noise((99, 99), 90))[:3000],
    "65,500 by 65,500 in a png": claiming(65_500, 65_500),
    "65,500 by 65,500 in a jpeg": huge_jpeg(65_500, 65_500),
    "a hundred million pixels": claiming(10_000, 10_000),
    "a line of a hundred million pixels": claiming(100_000_000, 1),
    "a text that unpacks to 100 MB": png_with(chunk(b"zTXt", b"x\0\0" + zlib.compress(b"\0" * 100_000_000, 9))),
}


def test_there_are_enough_of_them():
    assert len(CARRIERS) + len(REFUSED) >= 30


@pytest.mark.parametrize("what", CARRIERS)
def test_nothing_but_the_pixels_is_kept(what: str):
    made = files(store(CARRIERS[what]))

    for (_, kind), content in made.items():
        picture = Image.open(io.BytesIO(content))
        picture.load()
        assert not any(one in content for one in (MARK, b"<?php", b"Evil.class", b"PK\x03\x04", b"%PDF", b"xmpmeta"))
        assert picture.format == {"jpg": "JPEG"}.get(kind, kind.upper())
        assert picture.mode == "RGB"
        assert dict(picture.getexif()) == {}
        assert not {"comment", "xmp", "icc_profile", "Comment"} & picture.info.keys()
        assert getattr(picture, "n_frames", 1) == 1


@pytest.mark.parametrize("what", ["place and script in a jpeg's exif", "a script in a png's text", "xmp in a webp"])
def test_the_carriers_carry_something(what: str):
    """If they did not, the test above would prove nothing."""
    assert MARK in CARRIERS[what]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_picture_of_ours_is_refused(what: str):
    with pytest.raises(PictureRefused):
        store(REFUSED[what])

    assert kept() == []


NAMES = [
    "../../../etc/cron.d/x", "..\\..\\x.exe", "/etc/passwd", "x.php", "x.jpg.php", "x.svg", "x\0.png", "x\r\nX-Evil: 1",
    "x" * 5000, "", ".", "..", "CON", "\u202egnp.exe", "%2e%2e%2fx", "x.html;.png", "'; DROP TABLE", "<script>",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", ""])
def test_neither_name_nor_kind_of_the_sender_counts(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pictures, "_encoded", lambda _picture, _kind: b"")
    data = encoded(halves())

    for name in NAMES:
        upload = SimpleUploadedFile("x", data, kind)
        upload._name = name  # What reaches us past Django's own cleaning.
        key = pictures.store(upload)

    # What follows an underscore is this storage's own, which overwrites nothing.
    ours = re.compile(rf"{key}-(40|80)(_\w+)?\.(avif|webp|jpg)")
    assert [one for one in kept() if not ours.fullmatch(f"products/{one}")] == []


# Through the form


@pytest.fixture
def upload(dana: User, sign_in: Callable[..., None]) -> Callable[..., Any]:
    """What the form for a new product answers when it brings this file."""
    client = Client()
    sign_in(client, dana)
    page = client.get("/admin/products/new/")
    form = {name: value for name, value in page.context["form"].initial.items() if value is not None}
    form |= {
        "name": "Neu",
        "price": "9,99",
        "category": "shoes",
        "description": "x",
        "status": "draft",
        "low_stock_at": "5",
    }

    def upload(data: bytes, name: str = "picture.png") -> Any:
        return client.post("/admin/products/new/", {**form, "image": SimpleUploadedFile(name, data, "image/png")})

    return upload


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_every_hostile_file_gets_a_page_that_says_what_to_do(upload: Callable[..., Any]):
    for what, data in REFUSED.items():
        answer = upload(data)
        assert (what, answer.status_code, bool(answer.context["form"].errors["image"])) == (what, 422, True)
    assert kept() == []


@pytest.mark.parametrize("what", ["a script in a png's text", "an archive behind a jpeg"])
def test_a_picture_that_carries_something_is_taken_without_it(upload: Callable[..., Any], what: str):
    answer = upload(CARRIERS[what])
    assert answer.status_code == 302, answer.context["form"].errors

    (product,) = Product.scan()
    assert not any(MARK in content for content in files(product.image_url).values())


@pytest.mark.parametrize("address", ["/admin/products/new/", "/cart/add/", "/account/login/", "/nowhere/"])
def test_what_is_larger_than_any_form_is_not_even_read(client: Client, address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("django.http.request.HttpRequest._load_post_and_files", pytest.fail)

    answer = client.post(address, {}, headers={"content-length": str(6 * 1024 * 1024 + 1)})

    assert answer.status_code == 413
    assert "5 MB" in answer.content.decode()


@pytest.mark.parametrize("length", ["-1", "1e9", "x", "0x10", "\u00b2", "9" * 400])
def test_a_length_that_is_none_is_refused(client: Client, length: str):
    assert client.post("/cart/add/", {}, headers={"content-length": length}).status_code == 413

"""Pictures that shopkeepers upload: what is taken, what is refused, and what of it reaches a customer."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from PIL import Image

from inventory import pictures
from inventory.errors import PictureRefused

RED, BLUE, GREEN, WHITE = (255, 0, 0), (0, 0, 255), (0, 255, 0), (255, 255, 255)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SECRET = b"Ulmenweg-1-Berlin"


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def halves(size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    return picture


def claiming(width: int, height: int) -> bytes:
    """A tiny PNG that says it is this large."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b"\0" * 100), b"IEND"]
    packed = (struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks)
    return PNG_SIGNATURE + b"".join(packed)


def store(data: bytes, name: str = "picture.png") -> str:
    return pictures.store(SimpleUploadedFile(name, data, "image/png"))


def kept() -> list[str]:
    with suppress(FileNotFoundError):
        return default_storage.listdir("products")[1]
    return []


def files(key: str) -> dict[tuple[int, str], bytes]:
    names = {(width, kind): pictures.file_name(key, width, kind) for width in (400, 800) for kind in pictures.FORMATS}
    return {which: default_storage.open(name).read() for which, name in names.items()}


def shown(key: str) -> Image.Image:
    """The small JPEG, as a browser would draw it."""
    return Image.open(io.BytesIO(files(key)[400, "jpg"])).convert("RGB")


def looks(pixel: Any, colour: tuple[int, int, int]) -> bool:
    """Nearly the same: JPEG is not exact."""
    return all(abs(one - other) < 24 for one, other in zip(pixel, colour, strict=True))


# What is made of a picture


def test_a_picture_is_kept_in_modern_formats_and_two_sizes():
    made = files(store(encoded(halves())))

    opened = {which: Image.open(io.BytesIO(data)) for which, data in made.items()}
    assert {(picture.format, picture.size) for picture in opened.values()} == {
        (kind, size) for kind in ("AVIF", "WEBP", "JPEG") for size in ((400, 500), (800, 1000))
    }
    assert len(kept()) == 6


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_every_usual_format_is_read(kind: str):
    picture = shown(store(encoded(halves(), kind)))

    assert looks(picture.getpixel((100, 250)), RED)
    assert looks(picture.getpixel((300, 250)), BLUE)


def test_the_key_says_what_is_in_the_picture_so_that_browsers_may_keep_it_for_good():
    first, other = store(encoded(halves())), store(encoded(halves((20, 40))))

    assert first != other
    assert store(encoded(halves())) == first
    assert pictures.is_key(first)


@pytest.mark.parametrize("name", ["../../etc/passwd", "x.html", "a b.png", "ü.svg", "x" * 200 + ".png"])
def test_the_name_of_the_upload_is_never_used(name: str):
    assert store(encoded(halves()), name) == store(encoded(halves()), "picture.png")


@pytest.mark.parametrize("image_url", ["", "/pics/shoe1.jpg", "https://example.com/products/x.jpg", "pics/products/x"])
def test_the_paths_of_the_first_version_are_no_keys(image_url: str):
    assert not pictures.is_key(image_url)


def test_a_wide_picture_is_shown_whole_on_a_canvas_of_its_own_colour():
    picture = shown(store(encoded(halves((80, 20)))))

    assert looks(picture.getpixel((4, 250)), RED)
    assert looks(picture.getpixel((395, 250)), BLUE)
    assert looks(picture.getpixel((200, 4)), RED)  # The colour of its first corner.


def test_a_tall_picture_is_shown_whole():
    picture = shown(store(encoded(halves((20, 80)))))

    assert looks(picture.getpixel((190, 4)), RED)
    assert looks(picture.getpixel((210, 495)), BLUE)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_the_smallest_and_the_thinnest_pictures_are_no_problem(size: tuple[int, int]):
    picture = shown(store(encoded(Image.new("RGB", size, GREEN))))

    assert looks(picture.getpixel((200, 250)), GREEN)


def test_what_is_transparent_becomes_white():
    picture = Image.new("RGBA", (40, 50), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 25, 40, 50))

    drawn = shown(store(encoded(picture)))

    assert looks(drawn.getpixel((200, 100)), WHITE)
    assert looks(drawn.getpixel((200, 400)), RED)


def test_a_palette_with_a_transparent_colour_becomes_white_there():
    picture = Image.new("P", (40, 50), 0)
    picture.putpalette([0, 0, 0, 0, 255, 0])
    picture.paste(1, (0, 25, 40, 50))

    drawn = shown(store(encoded(picture, transparency=0)))

    assert looks(drawn.getpixel((200, 100)), WHITE)
    assert looks(drawn.getpixel((200, 400)), GREEN)


@pytest.mark.parametrize("mode", ["L", "1", "LA", "CMYK"])
def test_pictures_without_three_colours_are_read(mode: str):
    kind = "JPEG" if mode == "CMYK" else "PNG"

    drawn = shown(store(encoded(Image.new("RGBA", (40, 50), "white").convert("RGB").convert(mode), kind)))

    assert looks(drawn.getpixel((200, 250)), WHITE)


def test_a_grey_picture_of_sixteen_bits_keeps_its_greys():
    half = 40 * 25
    picture = Image.frombytes("I;16", (40, 50), b"\x00\x00" * half + b"\x00\x80" * half)

    drawn = shown(store(encoded(picture)))

    assert looks(drawn.getpixel((200, 100)), (0, 0, 0))
    assert looks(drawn.getpixel((200, 400)), (128, 128, 128))


def test_of_a_film_the_first_picture_is_kept():
    frames = [Image.new("RGB", (40, 50), colour) for colour in (GREEN, RED, BLUE)]

    key = store(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))

    assert looks(shown(key).getpixel((200, 250)), GREEN)
    assert getattr(Image.open(io.BytesIO(files(key)[400, "webp"])), "n_frames", 1) == 1


# What else a file may carry


def with_metadata() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn it by a quarter to the right.
    exif[0x010E] = SECRET.decode()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    return encoded(halves(), "JPEG", exif=exif, comment=SECRET, quality=95)


def test_a_picture_that_a_camera_took_sideways_is_set_upright():
    drawn = shown(store(with_metadata()))

    assert looks(drawn.getpixel((200, 100)), RED)
    assert looks(drawn.getpixel((200, 400)), BLUE)


def test_where_and_with_what_a_picture_was_taken_reaches_nobody():
    data = with_metadata()

    made = files(store(data))

    assert SECRET in data
    assert not any(SECRET in content for content in made.values())
    assert all(dict(Image.open(io.BytesIO(content)).getexif()) == {} for content in made.values())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_script_behind_the_picture_is_left_behind(kind: str):
    made = files(store(encoded(halves(), kind) + b"<script>alert(1)</script>"))

    assert not any(b"<script>" in content for content in made.values())


# What is refused


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
NO_PICTURES = {
    "nothing": b"",
    "svg": SVG,
    "svg with an xml head": b'<?xml version="1.0"?>' + SVG,
    "html": b"<!doctype html><script>alert(1)</script>",
    "html in png's clothing": PNG_SIGNATURE + b"<!doctype html><script>alert(1)</script>",
    "html in jpeg's clothing": b"\xff\xd8\xff\xe0<!doctype html><script>alert(1)</script>",
    "html in webp's clothing": b"RIFF\x40\0\0\0WEBPVP8 <!doctype html><script>alert(1)</script>" + b" " * 40,
    "pdf": b"%PDF-1.7\n",
    "a program": b"\x7fELF" + b"\0" * 200,
    "zeros": b"\0" * 5000,
    "gif": encoded(halves(), "GIF"),
    "bmp": encoded(halves(), "BMP"),
    "tiff": encoded(halves(), "TIFF"),
    "ico": encoded(halves(), "ICO"),
    "postscript": encoded(halves(), "EPS"),
    "half a png": encoded(Image.effect_noise((99, 99), 90))[:4000],
    "half a jpeg": encoded(Image.effect_noise((99, 99), 90), "JPEG")[:2000],
    "half a webp": encoded(Image.effect_noise((99, 99), 90), "WEBP")[:900],
    "half an avif": encoded(Image.effect_noise((99, 99), 90), "AVIF")[:900],
    "a png without end": encoded(halves())[:40],
}


@pytest.mark.parametrize("what", NO_PICTURES)
def test_what_is_no_picture_is_refused_and_nothing_kept(what: str):
    with translation.override("en"), pytest.raises(PictureRefused) as caught:
        store(NO_PICTURES[what])

    assert caught.value.sentence.startswith("This file is not a picture that we can read.")
    assert kept() == []


def test_an_avif_whose_pixels_are_damaged_is_refused():
    head, mark, pixels = encoded(halves(), "AVIF").partition(b"mdat")

    with pytest.raises(PictureRefused):
        store(head + mark + b"\xff" * len(pixels))

    assert kept() == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_whose_metadata_are_damaged_is_no_error_page(kind: str):
    """Whether it is taken or refused is a matter of taste."""
    with suppress(PictureRefused):
        store(encoded(halves(), kind, exif=b"Exif\0\0garbage garbage"))


def test_a_file_of_five_megabytes_is_taken_and_one_byte_more_is_not():
    picture = encoded(halves())
    full = picture + b"\0" * (5 * 1024 * 1024 - len(picture))

    assert store(full)
    with translation.override("en"), pytest.raises(PictureRefused, match="larger than 5 MB"):
        store(full + b"\0")


def test_a_file_that_is_too_large_is_not_even_read():
    class Unread(ContentFile):
        read = staticmethod(pytest.fail)

    with pytest.raises(PictureRefused):
        pictures.store(Unread(b"\0" * (6 * 1024 * 1024), "picture.png"))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(5001, 5000), (25_000_001, 1), (10_000, 10_000)])
def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", pytest.fail)

    with translation.override("en"), pytest.raises(PictureRefused, match="more than 25 million pixels"):
        store(claiming(*size))


@pytest.mark.parametrize("size", [(50_000, 50_000), (2**31 - 1, 2**31 - 1), (0, 0), (0, 5)])
def test_an_impossible_size_is_refused(size: tuple[int, int]):
    with pytest.raises(PictureRefused):
        store(claiming(*size))


def test_the_limit_itself_is_allowed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pictures, "MAX_PIXELS", 40 * 20)

    assert store(encoded(halves((40, 20))))
    with pytest.raises(PictureRefused):
        store(encoded(halves((40, 21))))

"""Product pictures: checked, re-encoded in modern formats and two sizes, kept in the media bucket.

A product's ``image_url`` is the key of its picture; the files lie beside it as ``<key>-<width>.<format>``.
"""

from __future__ import annotations

import hashlib
import io
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from inventory.errors import PictureRefused

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTHS = (400, 800)
RATIO = (4, 5)
# The encoders' slower settings save a tenth of the bytes and take five times as long, while an admin waits.
FORMATS = {
    "avif": {"quality": 60, "speed": 10, "max_threads": 1},
    "webp": {"quality": 80, "method": 2},
    "jpg": {"quality": 82},
}
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 25_000_000
_READS = ("PNG", "JPEG", "WEBP", "AVIF")
_PREFIX = "products/"
# What Pillow's readers raise over damaged files, one or the other by format and place of the damage.
_BROKEN = (OSError, EOFError, SyntaxError, ValueError, RuntimeError, struct.error)


def store(upload: File[bytes]) -> str:
    """Check and keep a picture; gives its key. Raises PictureRefused; nothing is kept then.

    What is stored is drawn anew from the pixels, so nothing else that a file may carry reaches a customer.
    """
    if upload.size > MAX_BYTES:
        raise PictureRefused(_("The picture is larger than 5 MB. Please choose a smaller one."))
    data = upload.read(MAX_BYTES + 1)
    picture = _on_canvas(_opened(data))
    key = f"{_PREFIX}{hashlib.sha256(data).hexdigest()[:20]}"
    sizes = {width: _resized(picture, width) for width in WIDTHS}
    jobs = [(width, kind) for width in WIDTHS for kind in FORMATS]
    with ThreadPoolExecutor(max_workers=2) as pool:
        encoded = pool.map(lambda job: _encoded(sizes[job[0]], job[1]), jobs)
        for (width, kind), content in zip(jobs, encoded, strict=True):
            default_storage.save(file_name(key, width, kind), ContentFile(content))
    return key


def file_name(key: str, width: int, kind: str) -> str:
    """The name in the bucket of one file of a picture."""
    return f"{key}-{width}.{kind}"


def is_key(image_url: str) -> bool:
    """Whether an ``image_url`` names a picture that was stored here; the first version's paths do not."""
    return image_url.startswith(_PREFIX)


def height(width: int) -> int:
    """Every stored picture has the same shape."""
    return width * RATIO[1] // RATIO[0]


def _opened(data: bytes) -> Image:
    """The picture in a file, upright. Raises PictureRefused."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(data), formats=_READS)
        if picture.width * picture.height > MAX_PIXELS:
            raise PictureRefused(_("The picture has more than 25 million pixels. Please choose a smaller one."))
        upright = ImageOps.exif_transpose(picture)
        upright.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, *_BROKEN) as broken:
        raise PictureRefused(
            _("This file is not a picture that we can read. Please choose a PNG, JPEG, WebP or AVIF file.")
        ) from broken
    if upright.mode.startswith("I"):  # Sixteen bits of grey: Pillow would cut them off instead of scaling them.
        upright = upright.convert("I").point(lambda value: value / 256).convert("L")
    return upright


def _on_canvas(picture: Image) -> Image:
    """The whole picture on a canvas of the shop's shape, in the colour of its own corner."""
    from PIL import Image, ImageOps

    layer = picture.convert("RGBA")
    flat = Image.new("RGBA", layer.size, "white")
    flat.alpha_composite(layer)
    rgb = flat.convert("RGB")
    width = max(WIDTHS)
    return ImageOps.pad(rgb, (width, height(width)), Image.Resampling.LANCZOS, color=_corner(rgb))


def _corner(picture: Image) -> tuple[int, ...]:
    """The colour of the pixel at the upper left, in red, green and blue."""
    red, green, blue = picture.crop((0, 0, 1, 1)).tobytes()
    return red, green, blue


def _resized(picture: Image, width: int) -> Image:
    from PIL import Image

    return picture.resize((width, height(width)), Image.Resampling.LANCZOS)


def _encoded(picture: Image, kind: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, format="JPEG" if kind == "jpg" else kind.upper(), **FORMATS[kind])
    return out.getvalue()

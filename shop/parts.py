"""Pieces of a page that are compressed once, each for itself, and joined to a gzip file for every visitor.

A piece is a raw deflate stream that ends on a whole byte (a sync flush), so pieces may follow one another, and none
refers back to another. That also keeps secrets apart: were a visitor's token compressed together with a query that the
page repeats, the length of the answer would tell how much of the token somebody has guessed right (BREACH).
"""

from __future__ import annotations

import functools
import hashlib
import struct
import zlib
from collections.abc import Iterable

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_END = b"\x03\x00"
_ALL_ONES, _FIRST = 0xFFFFFFFF, 1 << 31
_POLYNOMIAL = 0xEDB88320
#: Up to so many bytes the checksum is counted anew; beyond, it is put together from what is known.
_SMALL_BYTES = 2048
# Half the time of the usual 6, and a tenth larger: many pages are asked for once.
_LEVEL = 3


class Part:
    """Some bytes of a page, as they are sent. What is small is kept as it is, too."""

    __slots__ = ("_crc", "_power", "_small", "deflated", "length")

    def __init__(self, plain: bytes) -> None:
        self.length = len(plain)
        self._small = plain if self.length <= _SMALL_BYTES else None
        squeeze = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
        self.deflated = squeeze.compress(plain) + squeeze.flush(zlib.Z_SYNC_FLUSH)
        if self._small is None:
            self._crc = zlib.crc32(plain)
            # What moves a checksum on by so many bytes: x to the power of 8 times the length, modulo the polynomial.
            self._power = zlib.crc32(bytes(self.length), _FIRST ^ _ALL_ONES) ^ _ALL_ONES

    @property
    def plain(self) -> bytes:
        if self._small is not None:
            return self._small
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.deflated)

    def crc_after(self, crc: int) -> int:
        """The checksum of everything up to the end of this part, from the one of what goes before."""
        if self._small is not None:
            return zlib.crc32(self._small, crc)
        return _product(self._power, crc) ^ self._crc

    @property
    def bytes_kept(self) -> int:
        return len(self.deflated) + (self.length if self._small is not None else 0) + 200


class Stored(Part):
    """A short part that is not compressed at all."""

    __slots__ = ()

    def __init__(self, plain: bytes) -> None:
        self.length, self._small = len(plain), plain
        self.deflated = b"\x00" + struct.pack("<HH", self.length, self.length ^ 0xFFFF) + plain


def gzipped(parts: Iterable[Part]) -> bytes:
    """One gzip file of all of it."""
    crc = length = 0
    written = [_HEADER]
    for part in parts:
        crc = part.crc_after(crc)
        length += part.length
        written.append(part.deflated)
    return b"".join([*written, _END, struct.pack("<LL", crc, length & _ALL_ONES)])


def digest(parts: Iterable[Part]) -> bytes:
    """Says whether two lists of parts are the same, in every process."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(part.deflated)
    return found.digest()


@functools.lru_cache(maxsize=500)
def accepts_gzip(header: str) -> bool:
    """What an ``Accept-Encoding`` says of gzip: named or ``*``, and not with a weight of nothing."""
    weights: dict[str, float] = {}
    for choice in header.lower().split(","):
        name, _, parameter = (word.strip() for word in choice.partition(";"))
        key, _, weight = (word.strip() for word in parameter.partition("="))
        try:
            weights[name] = float(weight) if key == "q" else 1.0
        except ValueError:
            weights[name] = 0.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _product(one: int, other: int) -> int:
    """The product of two polynomials modulo CRC-32's, the lowest power in the highest bit."""
    product, bit = 0, _FIRST
    while one:
        if one & bit:
            product ^= other
            one ^= bit
        bit >>= 1
        other = other >> 1 ^ _POLYNOMIAL if other & 1 else other >> 1
    return product

"""Sets of positions as the bits of whole numbers: joined, met and counted at the speed of memory."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence

_FEW = 64
_ONE = ord("1")


def of(positions: Collection[int], *, size: int) -> int:
    """The set of some positions, all of them below ``size``."""
    if len(positions) * _FEW < size:
        octets = bytearray(size // 8 + 1)
        for position in positions:
            octets[position >> 3] |= 1 << (position & 7)
        return int.from_bytes(octets, "little")
    # As a number that somebody writes down: three times as fast for each position, and slow for all that are not there.
    digits = bytearray(b"0") * size
    for position in positions:
        digits[~position] = _ONE
    return int(digits or b"0", 2)


def positions(bits: int) -> list[int]:
    """The positions in a set, ascending. Made for sets with few."""
    # Text, since finding a letter in it is the fastest way to the next bit that Python has.
    text, found, at = bin(bits)[:1:-1], [], -1
    while (at := text.find("1", at + 1)) >= 0:
        found.append(at)
    return found


def among(bits: int, order: Sequence[int] | array[int]) -> Iterator[int]:
    """Of positions in some order those that are in a set."""
    octets = bits.to_bytes(bits.bit_length() // 8 + 1, "little")
    beyond = len(octets) * 8
    return (one for one in order if one < beyond and octets[one >> 3] >> (one & 7) & 1)

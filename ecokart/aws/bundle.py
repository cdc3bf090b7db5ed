"""All modules of the package in one file: a cold process would open and read eight hundred, which takes it longer than
to run what is in them.

The file has the interpreter's magic number, the length of an index, the index (module → whether it is a package, its
file, where its code begins and ends) and the code objects, as ``marshal`` writes them. ``ecokart/aws/package.py`` makes
it. Python's own way of importing comes after it, for everything else.
"""

from __future__ import annotations

import marshal
import mmap
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    # What it stands for would be one more module to read.
    from importlib.abc import Loader

NAME = "modules.bin"
_LENGTH_BYTES = 8
Code = bytes
Module = tuple[bool, str, Code]
_Place = tuple[bool, str, int, int]


def pack(modules: Mapping[str, Module], magic: bytes) -> bytes:
    """The file for modules by name: whether it is a package, its file in the package, and its code."""
    index: dict[str, _Place] = {}
    end = 0
    for name, (is_package, file, code) in modules.items():
        index[name] = (is_package, file, end, end + len(code))
        end += len(code)
    # Later formats depend on who else refers to a text at that moment, and so would the package's bytes.
    listed = marshal.dumps(index, 2)
    codes = b"".join(code for _, _, code in modules.values())
    return magic + len(listed).to_bytes(_LENGTH_BYTES, "little") + listed + codes


class Bundle:
    """Finds and loads what is in the file, as importlib asks for it. Raises ImportError for another version's."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as opened:
            # What nobody imports is never read.
            data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        if data[: len(MAGIC_NUMBER)] != MAGIC_NUMBER:
            raise ImportError(f"{file} was made for another version of Python.")
        start = len(MAGIC_NUMBER) + _LENGTH_BYTES
        length = int.from_bytes(data[len(MAGIC_NUMBER) : start], "little")
        self._folder = str(file.parent)
        self._index: dict[str, _Place] = marshal.loads(data[start : start + length])  # noqa: S302 (We made it.)
        self._codes = memoryview(data)[start + length :]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._index:
            return None
        is_package, file, *_ = self._index[name]
        spec = ModuleSpec(name, cast("Loader", self), origin=f"{self._folder}/{file}", is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [f"{self._folder}/{file.rpartition('/')[0]}"]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Nothing special: importlib makes it."""

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(module.__name__), module.__dict__)  # noqa: S102 (That is what importing is.)

    def get_code(self, name: str) -> CodeType:
        *_, start, end = self._index[name]
        code: CodeType = marshal.loads(self._codes[start:end])  # noqa: S302 (We made it.)
        return code

    def get_source(self, name: str) -> None:
        """There is none: tracebacks name file and line."""

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

"""Arrays out of numpy's `.npz` files, without numpy.

The format is numpy's NEP 1: a zip of files, each with a line that says what follows it. Only what
is needed to read the heads: little-endian numbers and text, in C order.
"""

from __future__ import annotations

import ast
import struct
import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

_MAGIC: Final = b"\x93NUMPY"
_CODES: Final = {"<i8": "q", "<f2": "e", "<f4": "f", "<f8": "d"}
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of one array."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An array as its bytes. `kind` is numpy's name of the type of its elements."""

    kind: str
    shape: tuple[int, ...]
    data: memoryview

    def values(self) -> tuple[Any, ...]:
        """Return all elements.

        Raises:
            ValueError: they are of a kind that is not read here.
        """
        count = prod(self.shape)
        if self.kind.startswith("<U"):
            size = 4 * int(self.kind[2:])
            texts = (self.data[at * size : at * size + size] for at in range(count))
            return tuple(str(text, "utf-32-le").rstrip("\0") for text in texts)
        if self.kind not in _CODES:
            raise ValueError(f"elements of kind {self.kind}")
        return struct.unpack(f"<{count}{_CODES[self.kind]}", self.data)


def read_npz(path: Path) -> dict[str, Packed]:
    """Return the arrays of a file by name.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no such file, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as file:
            if any(entry.file_size > _LARGEST for entry in file.infolist()):
                raise ValueError("an array is too large")
            return {
                entry.filename.removesuffix(".npy"): _array(file.read(entry))
                for entry in file.infolist()
            }
    except (zipfile.BadZipFile, struct.error, SyntaxError, TypeError, KeyError) as error:
        raise ValueError(f"not an .npz file: {error}") from error


def _array(file: bytes) -> Packed:
    if not file.startswith(_MAGIC):
        raise ValueError("no array")
    (length,) = struct.unpack_from("<H" if file[6] == 1 else "<I", file, 8)
    begins = (10 if file[6] == 1 else 12) + length
    head = ast.literal_eval(file[begins - length : begins].decode("latin-1").strip())
    if head["fortran_order"]:
        raise ValueError("an array in the order of Fortran")
    return Packed(str(head["descr"]), tuple(head["shape"]), memoryview(file)[begins:])

"""The accurate stage's model: a small transformer encoder of six layers, in plain numpy.

The file is one line of JSON, a newline, and zlib-compressed bytes:

    {"schema": 1, "labels": [...], "heads": 12, "longest": 56, "temperature": 1.0, "sha256": "...",
     "matrices": [[name, rows, columns], ...], "vectors": [[name, length], ...],
     "vocabulary": [...], "training": {...}}

Each row of a matrix is stored as small integers with a factor (two bytes) of its own; then come the
vectors, in two bytes a number. Derived from all-MiniLM-L6-v2 (Apache License 2.0), see
data/README.md.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from hashlib import sha256
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.errors import SettingsRejected
from bot.routing.table import LABEL_NAMES, Scores
from bot.routing.wordpiece import WordPieces

SCHEMA = 1
READABLE = 1.5
"""Pieces for each word beyond which a message is not English enough for the encoder."""
PAIRED_BEYOND = 40
"""Pieces beyond which the upper half of the layers reads the means of two neighbours each: so a
message of 56 costs little more than one of 40."""
_LARGEST_FILE = 32 * 1024 * 1024
_LARGEST_TENSORS = 64 * 1024 * 1024
_EPSILON = 1e-12

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tensors:
    """The weights as they are stored."""

    matrices: dict[str, tuple[npt.NDArray[np.int8], Singles]]
    """Small integers, and a factor for each row."""
    vectors: dict[str, Singles]

    def matrix(self, name: str) -> Singles:
        """Return a matrix in single precision."""
        steps, factors = self.matrices[name]
        return steps.astype(np.float32) * factors


class Encoder:
    """Gives its opinion of a message in a few milliseconds. Blocking: run it in a thread."""

    def __init__(self, header: dict[str, Any], tensors: Tensors) -> None:
        self._heads = int(header["heads"])
        self._heat = float(header["temperature"])
        self._pieces = WordPieces(header["vocabulary"], int(header["longest"]))
        self._words = tensors.matrices["word.weight"]
        self._positions = tensors.matrix("pos.weight")
        self._norm = tensors.vectors["norm.weight"], tensors.vectors["norm.bias"]
        self._head = tensors.matrix("head.weight").T, tensors.vectors["head.bias"]
        self._layers: list[_Layer] = []
        while (name := f"layers.{len(self._layers)}") + ".q.weight" in tensors.matrices:
            self._layers.append(_Layer(tensors, name, self._heads))

    def scores(self, message: str) -> Scores | None:
        """Return probabilities for a message; None for one that it can't read."""
        found = self._pieces.pieces(message)
        if found.fragmentation > READABLE or len(found.ids) <= 2:
            return None
        ids = list(found.ids)
        states = self._words[0][ids] * self._words[1][ids] + self._positions[: len(ids)]
        states = _normed(states, *self._norm)
        for number, layer in enumerate(self._layers):
            if 2 * number == len(self._layers) and len(ids) > PAIRED_BEYOND:
                states = _paired(states)
            states = layer.after(states)
        raw = (states.mean(axis=0) @ self._head[0] + self._head[1]) / self._heat
        weights = [exp(float(value - raw.max())) for value in raw]
        *routes, continuation = weights
        alone = sum(routes)
        return Scores(
            (routes[0] / alone, routes[1] / alone, routes[2] / alone),
            continuation / (alone + continuation),
        )


class _Layer:
    """One transformer layer. Queries, keys and values are one product."""

    def __init__(self, tensors: Tensors, name: str, heads: int) -> None:
        def both(*parts: str) -> tuple[Singles, Singles]:
            weight = np.concatenate([tensors.matrix(f"{name}.{part}.weight") for part in parts])
            bias = np.concatenate([tensors.vectors[f"{name}.{part}.bias"] for part in parts])
            return np.ascontiguousarray(weight.T), bias

        self._attend = both("q", "k", "v")
        self._mix = both("o")
        self._widen = both("i")
        self._narrow = both("d")
        first, second = f"{name}.n1", f"{name}.n2"
        self._first = tensors.vectors[f"{first}.weight"], tensors.vectors[f"{first}.bias"]
        self._second = tensors.vectors[f"{second}.weight"], tensors.vectors[f"{second}.bias"]
        self._heads = heads

    def after(self, states: Singles) -> Singles:
        """Return the states (pieces x width) after this layer."""
        count, width = states.shape
        size = width // self._heads
        joined = states @ self._attend[0] + self._attend[1]
        query, key, value = joined.reshape(count, 3, self._heads, size).transpose(1, 2, 0, 3)
        shares = query @ key.transpose(0, 2, 1)
        shares *= np.float32(size**-0.5)
        shares -= shares.max(axis=-1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=-1, keepdims=True)
        seen = (shares @ value).transpose(1, 0, 2).reshape(count, width)
        states = _normed(states + seen @ self._mix[0] + self._mix[1], *self._first)
        wide = _gelu(states @ self._widen[0] + self._widen[1])
        return _normed(states + wide @ self._narrow[0] + self._narrow[1], *self._second)


def _paired(states: Singles) -> Singles:
    """Return the means of two neighbours each; the last of an odd number stays alone."""
    ends = states[1::2] if len(states) % 2 == 0 else np.concatenate((states[1::2], states[-1:]))
    return (states[::2] + ends) * np.float32(0.5)


def _normed(states: Singles, weight: Singles, bias: Singles) -> Singles:
    centred = states - states.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(_EPSILON))
    result: Singles = centred / spread * weight + bias
    return result


def _gelu(values: Singles) -> Singles:
    """Return the smooth rectifier, by its tanh form, which the training used too."""
    inner = values * values
    inner *= np.float32(0.044715)
    inner += np.float32(1.0)
    inner *= values
    inner *= np.float32(0.7978845608)
    np.tanh(inner, out=inner)
    inner += np.float32(1.0)
    inner *= values
    inner *= np.float32(0.5)
    return inner


def read_encoder(path: Path) -> Encoder:
    """Return the encoder of a file. Blocking: a third of a second.

    Raises:
        SettingsRejected: not an encoder of this program, or damaged.
        OSError: the file can't be read.
    """
    if path.stat().st_size > _LARGEST_FILE:
        raise _rejected(f"{path.name} is larger than {_LARGEST_FILE} bytes")
    line, _, packed = path.read_bytes().partition(b"\n")
    try:
        header = json.loads(line)
        if (header["schema"], header["labels"]) != (SCHEMA, list(LABEL_NAMES)):
            raise _rejected(f"{path.name} is of another version")
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, _LARGEST_TENSORS)
        if not unpacker.eof or sha256(data).hexdigest() != header["sha256"]:
            raise _rejected(f"{path.name} does not match its own checksum")
        return Encoder(header, _tensors(header, data))
    except (ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
        raise _rejected(f"{path.name} is damaged: {type(error).__name__}") from error


def _tensors(header: dict[str, Any], data: bytes) -> Tensors:
    found = Tensors({}, {})
    at = 0
    for name, rows, columns in header["matrices"]:
        steps = np.frombuffer(data, np.int8, rows * columns, at).reshape(rows, columns)
        at += rows * columns
        factors = np.frombuffer(data, "<f2", rows, at).astype(np.float32)[:, None]
        at += 2 * rows
        found.matrices[name] = steps.copy(), factors
    for name, length in header["vectors"]:
        found.vectors[name] = np.frombuffer(data, "<f2", length, at).astype(np.float32)
        at += 2 * length
    if at != len(data):
        raise ValueError("bytes are left over")
    return found


def _rejected(problem: str) -> SettingsRejected:
    return SettingsRejected([f"accurate stage: {problem}"])

"""The route table: one small integer for each feature and output, and its file.

The file is one line of JSON, a newline, and the table as zlib-compressed bytes:

    {"schema": 1, "features": 1, "labels": [...], "bits": 18, "scale": 0.02,
     "temperature": 1.1, "long_heat": 1.6, "long_shift": 0.75, "gate_temperature": 1.2,
     "threshold": 0.65, "words": "the you what …", "sha256": "...", "training": {...}}

Each bucket holds four bytes, one for each label, with 128 for nothing.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from math import exp
from pathlib import Path
from stat import S_ISREG
from typing import Any, TypeAlias

from bot.errors import SettingsRejected
from bot.routing.features import (
    BITS,
    FEATURE_VERSION,
    cut_words,
    far_buckets,
    norms,
    piece_buckets,
    shape_buckets,
    spelled,
    word_buckets,
)
from bot.routing.route import Route
from bot.routing.text import MAX_TOKENS, fold, words

SCHEMA = 1
LABELS = (Route.FACTUAL, Route.CREATIVE, Route.COMPANION)
LABEL_NAMES = (*(label.value for label in LABELS), "continuation")
_LANES = len(LABEL_NAMES)
_NOTHING = 128
_LARGEST_HEADER = 64 * 1024
_LARGEST_FILE = 4 * 1024 * 1024
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "scale": (1e-6, 10.0),
    "temperature": (0.05, 20.0),
    "long_heat": (0.2, 10.0),
    "long_shift": (-5.0, 5.0),
    "gate_temperature": (0.05, 20.0),
    "gate_shift": (-10.0, 10.0),
    "threshold": (0.0, 0.99),
}
"""Least and greatest value of each number of a header. The checksum is of the weights alone: what
damages a header must not make every message sure, doubtful or a continuation."""
_SHORT = 16
"""Words up to which a message is short."""
_MOST_USUAL = 4_096
"""Words that a table may have added up before it serves: each costs the start four microseconds."""
_Part: TypeAlias = tuple[int, int, int, int, int]
"""The sums of pieces in the four lanes, and how many pieces they are."""


@dataclass(frozen=True, slots=True)
class TableHeader:
    """What a table says of itself."""

    scale: float
    """What one step of a byte is worth."""
    temperature: float = 1.0
    """Of a short message; the larger, the less sure."""
    long_heat: float = 1.0
    """How often that, for a message of the greatest length."""
    long_shift: float = 0.0
    """How much less of a fact such a message is than its words say, in log-odds."""
    gate_temperature: float = 1.0
    gate_shift: float = 0.0
    threshold: float = 0.65
    """Below this probability a decision is uncertain."""
    usual: tuple[str, ...] = ()
    """The words of the training text that are met most often: their pieces are added up at once."""
    digest: str = ""
    """SHA-256 of the uncompressed table."""
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    """The table's opinion: probabilities of the three routes, and of a mere continuation."""

    routes: tuple[float, float, float]
    continuation: float


def lengthy(count: int) -> float:
    """Return how long a message of so many words is, from 0 to 1.

    Half of what a long message holds is its subject, and the words of that outvote the request.
    """
    return min(max((count - _SHORT) / (MAX_TOKENS - _SHORT), 0.0), 1.0)


class RouteTable:
    """The weights: two million small numbers, kept as the bytes that they are."""

    def __init__(self, header: TableHeader, weights: bytes) -> None:
        if len(weights) != _LANES << BITS:
            raise _rejected(f"the table has {len(weights)} bytes, not {_LANES << BITS}")
        self._buckets = memoryview(weights).cast("I")
        self._usual = {word: self._part([word]) for word in header.usual}
        self.header = header

    def raw(self, message: str) -> tuple[float, float, float, float]:
        """Return the four scores before calibration."""
        folded = fold(message)
        return self._raw(folded, words(folded))

    def _raw(self, folded: str, tokens: list[str]) -> tuple[float, float, float, float]:
        said = spelled(tokens)
        word_ids, far_ids = word_buckets(said), far_buckets(said)
        *piece_sums, piece_count = self._piece_sums(tokens)
        parts = zip(
            norms(len(word_ids), len(far_ids), piece_count),
            (
                self._sums(word_ids),
                self._sums(far_ids),
                piece_sums,
                self._sums(shape_buckets(folded, tokens)),
            ),
            strict=True,
        )
        a = b = c = d = 0.0
        for norm, sums in parts:
            a += norm * sums[0]
            b += norm * sums[1]
            c += norm * sums[2]
            d += norm * sums[3]
        scale = self.header.scale
        return scale * a, scale * b, scale * c, scale * d

    def scores(self, message: str) -> Scores:
        """Return calibrated probabilities for a message."""
        folded = fold(message)
        tokens = words(folded)
        raw = self._raw(folded, tokens)
        length = lengthy(len(tokens))
        heat = self.header.temperature * self.header.long_heat**length
        factual, creative, companion = (value / heat for value in raw[:3])
        factual -= self.header.long_shift * length
        top = max(factual, creative, companion)
        weights = [exp(value - top) for value in (factual, creative, companion)]
        total = sum(weights)
        gate = (raw[3] - self.header.gate_shift) / self.header.gate_temperature
        return Scores(
            (weights[0] / total, weights[1] / total, weights[2] / total),
            1.0 / (1.0 + exp(-max(-30.0, min(30.0, gate)))),
        )

    def _sums(self, ids: list[int]) -> tuple[int, int, int, int]:
        met = array("I", map(self._buckets.__getitem__, ids)).tobytes()
        nothing = _NOTHING * len(ids)
        return (
            sum(met[0::_LANES]) - nothing,
            sum(met[1::_LANES]) - nothing,
            sum(met[2::_LANES]) - nothing,
            sum(met[3::_LANES]) - nothing,
        )

    def _piece_sums(self, tokens: list[str]) -> _Part:
        """Return the sums of all pieces and their count."""
        usual, cut = self._usual, cut_words(tokens)
        added = [usual[word] for word in cut if word in usual]
        others = self._part([word for word in cut if word not in usual])
        a, b, c, d, count = map(sum, zip(others, *added, strict=True))
        return a, b, c, d, count

    def _part(self, cut: Sequence[str]) -> _Part:
        """Return the sums of the pieces of some words, and their count."""
        ids = [each for word in cut for each in piece_buckets(word)]
        return (*self._sums(ids), len(ids))


def write_table(header: TableHeader, weights: bytes) -> bytes:
    """Return the file's bytes; the same table always gives the same bytes."""
    head = {
        "schema": SCHEMA,
        "features": FEATURE_VERSION,
        "labels": list(LABEL_NAMES),
        "bits": BITS,
        "scale": header.scale,
        "temperature": header.temperature,
        "long_heat": header.long_heat,
        "long_shift": header.long_shift,
        "gate_temperature": header.gate_temperature,
        "gate_shift": header.gate_shift,
        "threshold": header.threshold,
        "words": " ".join(header.usual),
        "sha256": sha256(weights).hexdigest(),
        "training": dict(header.training),
    }
    line = json.dumps(head, separators=(",", ":"), sort_keys=True, ensure_ascii=True)
    return line.encode("ascii") + b"\n" + zlib.compress(weights, 9)


def read_table(path: Path) -> RouteTable:
    """Return the table of a file.

    Raises:
        SettingsRejected: not a table, damaged, or of another version of this program.
        OSError: the file can't be read.
    """
    line, _, packed = _content(path).partition(b"\n")
    if len(line) > _LARGEST_HEADER:
        raise _rejected(f"{path.name} has no header")
    try:
        head = json.loads(line)
        found = (head["schema"], head["features"], head["labels"], head["bits"])
        header = TableHeader(
            scale=float(head["scale"]),
            temperature=float(head["temperature"]),
            long_heat=float(head.get("long_heat", 1.0)),
            long_shift=float(head.get("long_shift", 0.0)),
            gate_temperature=float(head["gate_temperature"]),
            gate_shift=float(head["gate_shift"]),
            threshold=float(head["threshold"]),
            usual=tuple(str(head.get("words", "")).split()[:_MOST_USUAL]),
            digest=str(head["sha256"]),
            training=dict(head["training"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _rejected(f"{path.name} has no readable header: {error}") from error
    wanted = (SCHEMA, FEATURE_VERSION, list(LABEL_NAMES), BITS)
    if found != wanted:
        raise _rejected(f"{path.name} is {found}, this program reads {wanted}")
    for name, (least, greatest) in _BOUNDS.items():
        if not least <= getattr(header, name) <= greatest:  # false of what is no number, too
            raise _rejected(f"{path.name}: `{name}` must be from {least} to {greatest}")
    return RouteTable(header, _unpack(path.name, packed, header.digest))


def _content(path: Path) -> bytes:
    """Return the bytes of a file that is one: a pipe or a device would block whoever reads it."""
    found = path.stat()
    if not S_ISREG(found.st_mode):
        raise _rejected(f"{path.name} is no regular file")
    if found.st_size > _LARGEST_FILE:
        raise _rejected(f"{path.name} is larger than {_LARGEST_FILE} bytes")
    return path.read_bytes()


def _unpack(name: str, packed: bytes, digest: str) -> bytes:
    size = _LANES << BITS
    try:
        unpacker = zlib.decompressobj()
        weights = unpacker.decompress(packed, size + 1)
    except zlib.error as error:
        raise _rejected(f"{name} is damaged: {error}") from error
    if len(weights) != size or not unpacker.eof:
        raise _rejected(f"{name} is cut short, or too long")
    if sha256(weights).hexdigest() != digest:
        raise _rejected(f"{name} does not match its own checksum")
    return weights


def _rejected(problem: str) -> SettingsRejected:
    return SettingsRejected([f"route table: {problem}"])

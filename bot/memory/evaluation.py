"""How well retrieval finds the evidence: recall at 5 and 10, by category, and its latency."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from bot.errors import InputRejected
from bot.memory.locomo import Case, Question
from bot.memory.retrieval import Vectors, best, build

DEPTHS: Final = (5, 10)


class VectorFile:
    """Vectors of texts, from an `.npz` with two arrays.

    `keys`: for each text the hexadecimal SHA-256 of its UTF-8 form, as strings; or, in their place,
    `texts`: the texts themselves. `vectors`: a matrix of float32 (or float16), one row for each.
    Rows are brought to unit length when read. `--list-texts` writes which texts are wanted.
    """

    def __init__(self, keys: Sequence[str], vectors: Vectors) -> None:
        self._rows = {key: row for row, key in enumerate(keys)}
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    @classmethod
    def read(cls, path: Path) -> VectorFile:
        """Read a file.

        Raises:
            InputRejected: it is not of this form.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                vectors = arrays["vectors"].astype(np.float32)
                if "texts" in arrays:
                    keys = np.array([digest(str(text)) for text in arrays["texts"]])
                else:
                    keys = arrays["keys"]
        except (OSError, KeyError, ValueError, TypeError, BadZipFile, EOFError) as error:
            raise InputRejected([f"{path}: no .npz with `keys` and `vectors`"]) from error
        if vectors.ndim != 2 or keys.ndim != 1 or len(keys) != len(vectors):
            raise InputRejected([f"{path}: needs one row of `vectors` for each of `keys`"])
        return cls([str(key) for key in keys], vectors)

    def rows(self, texts: Sequence[str]) -> Vectors:
        """Return a row for each text.

        Raises:
            InputRejected: the file lacks a text.
        """
        try:
            places = [self._rows[digest(text)] for text in texts]
        except KeyError as error:
            raise InputRejected(
                ["the vectors lack some texts: write them anew with `--list-texts`"]
            ) from error
        rows: Vectors = self._vectors[places]
        return rows


def digest(text: str) -> str:
    """Return a text's key in a `VectorFile`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def texts_of(cases: Sequence[Case]) -> list[str]:
    """Return every text whose vector an evaluation wants, each once."""
    found: dict[str, None] = {}
    for case in cases:
        found.update(dict.fromkeys(passage.text for passage in case.passages))
        found.update(dict.fromkeys(question.text for question in case.questions))
    return list(found)


def evaluate(cases: Sequence[Case], vectors: VectorFile | None) -> dict[str, Any]:
    """Return the figures: shares of the evidence found, averaged over questions."""
    found: list[tuple[Question, dict[int, float]]] = []
    seconds: list[float] = []
    for case in cases:
        index = build(case.passages)
        rows = None
        if vectors is not None:
            rows = vectors.rows([passage.text for passage in case.passages])
        for question in case.questions:
            asked = None if vectors is None else vectors.rows([question.text])[0]
            began = perf_counter()
            near = None if rows is None or asked is None else rows @ asked
            scores = index.rank(question.text, near=near)
            places = best(scores, max(DEPTHS))
            seconds.append(perf_counter() - began)
            ids = [case.passages[place].id for place in places]
            found.append((question, {k: _recall(ids[:k], question.evidence) for k in DEPTHS}))
    return _figures(found, seconds)


def _recall(ids: Sequence[str], evidence: frozenset[str]) -> float:
    return len(evidence.intersection(ids)) / len(evidence)


def _figures(
    found: Sequence[tuple[Question, Mapping[int, float]]], seconds: Sequence[float]
) -> dict[str, Any]:
    if not found:
        raise InputRejected(["the file holds no question with evidence"])
    by_category: dict[str, list[Mapping[int, float]]] = {}
    for question, recall in found:
        by_category.setdefault(question.category, []).append(recall)
    means = {name: _means(rows) for name, rows in sorted(by_category.items())}
    return {
        "n": len(found),
        "recall": _means([recall for _, recall in found]),
        "macro": {str(k): _percent([row[str(k)] / 100 for row in means.values()]) for k in DEPTHS},
        "by_category": {
            name: {"n": len(by_category[name]), "recall": row} for name, row in means.items()
        },
        "latency_ms": {
            "p50": round(float(np.percentile(seconds, 50)) * 1000, 3),
            "p99": round(float(np.percentile(seconds, 99)) * 1000, 3),
        },
    }


def _means(rows: Sequence[Mapping[int, float]]) -> dict[str, float]:
    return {str(k): _percent([row[k] for row in rows]) for k in DEPTHS}


def _percent(shares: Sequence[float]) -> float:
    return round(100 * sum(shares) / len(shares), 2)

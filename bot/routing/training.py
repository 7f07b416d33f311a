"""Training of the route table: the corpus, and corrections, to the bytes of a table file."""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, repeat

import numpy as np
import numpy.typing as npt

from bot.routing.calibration import (
    CONTINUATION,
    LONG_SHIFT,
    HeldOut,
    gate_temperature_and_shift,
    temperatures,
)
from bot.routing.corpus import LABELS, Corpus, Example
from bot.routing.features import BITS, features, piece_buckets
from bot.routing.learning import Floats, Ints, Rows, Singles, fit
from bot.routing.table import TableHeader, lengthy, write_table
from bot.routing.text import fold, words

DRAWS = (7, 8)
"""The corpus is expanded once with each of these seeds, each time at a share of the weight.

Which slips of the finger and which disclosures were drawn counts for less then: files of
strangers went up and down by 1.5 % macro-F1 with the seed.
"""
PASSES = 6
FOLDS = 4
RARE = 2
"""A feature of fewer messages is left out: it only remembers them."""
STEPS = 51
"""Steps from nothing to a large weight: more would cost space and not gain accuracy."""
LIGHT = 4
"""A feature that moves no score by more than this many steps is left out: it costs space."""
CORRECTION_WEIGHT = 5.0
_OTHERS = 2.0
"""Weight of the languages beside English, which alone has a pool."""
USUAL = 2_000
"""Words whose pieces a table adds up before it serves: two thirds of those of a long message."""
_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Trained:
    """A new table: its file's bytes, and the figures of the training."""

    file: bytes
    examples: int
    accuracy: float
    """Share of messages of files that were held out that got their label, over the folds."""


@dataclass(frozen=True, slots=True)
class _Data:
    rows: Rows
    labels: Ints
    weights: Floats
    targets: Floats
    folds: Ints
    """The fold of each message of the corpus, -1 for others. A file falls into one fold."""
    lengths: Floats
    """How long each message is, from 0 to 1."""
    buckets: Ints


def train(
    corpus: Corpus, corrections: Sequence[Example] = (), pool: Sequence[Example] = ()
) -> Trained:
    """Return a table trained on a corpus, on corrections, which count five times, and on a pool.

    The same input gives the same bytes. Takes minutes; run it in a process of its own.
    """
    examples = [
        replace(each, weight=each.weight / len(DRAWS))
        for seed in DRAWS
        for each in corpus.examples(seed=seed)
    ]
    examples += pool
    examples += [replace(each, weight=each.weight * CORRECTION_WEIGHT) for each in corrections]
    data = _data(examples)
    held = _held_out(data)
    temperature, long_heat = temperatures(held)
    gate_temperature, gate_shift = gate_temperature_and_shift(held)
    every = np.arange(len(data.rows))
    weights = fit(data.rows, data.targets, data.weights, every, passes=PASSES)
    scale, table = _quantised(weights, data.buckets)
    languages = sorted({each.lang for each in examples})
    header = TableHeader(
        scale=scale,
        temperature=temperature,
        long_heat=long_heat,
        long_shift=LONG_SHIFT,
        gate_temperature=gate_temperature,
        gate_shift=gate_shift,
        threshold=0.65,
        usual=_usual_words(examples),
        training={
            "examples": len(examples),
            "corrections": len(corrections),
            "pool": len(pool),
            "languages": languages,
            "held_out_accuracy": round(held.accuracy, 4),
            "passes": PASSES,
        },
    )
    return Trained(write_table(header, table), len(examples), held.accuracy)


def _data(examples: Sequence[Example]) -> _Data:
    # Arrays and not lists: there are forty million features.
    columns, values, starts = array("i"), array("f"), array("q", (0,))
    lengths = array("d")
    for example in examples:
        found = features(example.text)
        lengths.append(lengthy(len(words(fold(example.text)))))
        for ids, norm in zip(found.groups(), found.norms(), strict=True):
            columns.extend(ids)
            values.extend(repeat(norm, len(ids)))
        starts.append(len(columns))
    rows, buckets = _narrowed(
        np.frombuffer(columns, np.int32),
        np.frombuffer(values, np.float32),
        np.frombuffer(starts, np.int64),
    )
    return _Data(
        rows,
        np.array([LABELS.index(each.label) for each in examples], np.int64),
        _balanced(examples),
        np.array([each.shares or _sure(each.label) for each in examples]),
        np.array([_fold(each.batch) for each in examples], np.int64),
        np.frombuffer(lengths, np.float64),
        buckets,
    )


def _usual_words(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the words that most messages of the corpus hold, of those that have pieces."""
    met: Counter[str] = Counter()
    for example in examples:
        if example.batch:
            met.update(set(words(fold(example.text))))
    ranked = sorted(met, key=lambda word: (-met[word], word))
    return tuple(islice(filter(piece_buckets, ranked), USUAL))


def _sure(label: str) -> tuple[float, ...]:
    return tuple(float(label == each) for each in LABELS)


def _narrowed(columns: npt.NDArray[np.int32], values: Singles, starts: Ints) -> tuple[Rows, Ints]:
    """Drop rare features, and number the others without gaps; the columns are overwritten."""
    # Part by part: numpy copies what it counts, and there are forty million.
    parts = [columns[at : at + _AT_ONCE] for at in range(0, len(columns), _AT_ONCE)]
    seen = np.zeros(1 << BITS, np.int64)
    for part in parts:
        seen += np.bincount(part, minlength=len(seen))
    # Each message has the feature "always", so no row becomes empty.
    buckets = np.flatnonzero(seen >= RARE)
    number = np.full(len(seen), -1, np.int32)
    number[buckets] = np.arange(len(buckets))
    for part in parts:
        part[:] = number[part]
    kept = columns >= 0
    counts = np.add.reduceat(kept, starts[:-1], dtype=np.int64)
    ends = np.concatenate(([0], np.cumsum(counts)))
    return Rows(columns[kept], values[kept], ends, len(buckets)), buckets


def _balanced(examples: Sequence[Example]) -> Floats:
    """Return weights under which every label of every language counts alike, more or less."""
    totals: dict[tuple[str, str], float] = {}
    for each in examples:
        key = (each.lang, each.label)
        totals[key] = totals.get(key, 0.0) + each.weight
    mean: dict[str, float] = {}
    for (lang, _), total in totals.items():
        mean[lang] = mean.get(lang, 0.0) + total / len(LABELS)
    return np.array(
        [
            each.weight
            * (mean[each.lang] / totals[each.lang, each.label]) ** 0.5
            * (1.0 if each.lang == "en" else _OTHERS)
            for each in examples
        ]
    )


def _fold(batch: str) -> int:
    return zlib.crc32(batch.encode()) % FOLDS if batch else -1


def _held_out(data: _Data) -> HeldOut:
    """Return the scores of the corpus, each fold judged by the others.

    The pool takes no part: its teacher saw every file. Small corpora, of one file, are parted by
    message.
    """
    folds = data.folds
    inside_any = np.flatnonzero(folds >= 0)
    if len(np.unique(folds[inside_any])) < FOLDS:
        folds = np.where(folds >= 0, np.arange(len(folds)) % FOLDS, -1)
    scores = np.zeros((len(folds), CONTINUATION + 1))
    for held in range(FOLDS):
        inside = np.flatnonzero((folds >= 0) & (folds != held))
        outside = np.flatnonzero(folds == held)
        weights = fit(data.rows, data.targets, data.weights, inside, passes=PASSES)
        scores[outside] = data.rows.times(weights, outside)
    return HeldOut(scores[inside_any], data.labels[inside_any], data.lengths[inside_any])


def _quantised(weights: Singles, buckets: Ints) -> tuple[float, bytes]:
    """Return the scale and the bytes of the whole table."""
    scale = float(np.quantile(np.abs(weights), 0.9998)) / STEPS
    scale = float(f"{scale:.6g}")
    steps = np.clip(np.rint(weights / scale), -127, 127).astype(np.int64)
    steps[np.abs(steps).max(axis=1) <= LIGHT] = 0
    table = np.full((1 << BITS, CONTINUATION + 1), 128, np.uint8)
    table[buckets] = steps + 128
    return scale, table.tobytes()

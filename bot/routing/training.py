"""Training of the route table: the corpus, and corrections, to the bytes of a table file."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.routing.corpus import LABELS, Corpus, Example
from bot.routing.features import BITS, features
from bot.routing.learning import Floats, Ints, Rows, fit, fitted_temperature
from bot.routing.table import TableHeader, write_table

ROUTES = 3
CONTINUATION = LABELS.index("continuation")
DECAY = 2e-6
GATE_DECAY = 4e-6
STEPS = 90
FOLD_STEPS = 40
FOLDS = 4
RARE = 2
"""A feature of fewer messages is left out: it only remembers them."""
CORRECTION_WEIGHT = 5.0
_OTHERS = 2.0
"""Weight of the languages beside English, which alone has a pool."""
_STANDALONE_CAUGHT = 0.015
"""Share of stand-alone messages that the gate may take for continuations."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A new table: its file's bytes, and the figures of the training."""

    file: bytes
    examples: int
    accuracy: float
    """Share of held-out examples that got their label, over the folds."""


@dataclass(frozen=True, slots=True)
class _Data:
    rows: Rows
    labels: Ints
    weights: Floats
    targets: Floats
    groups: Ints
    buckets: Ints


def train(
    corpus: Corpus, corrections: Sequence[Example] = (), pool: Sequence[Example] = ()
) -> Trained:
    """Return a table trained on a corpus, on corrections, which count five times, and on a pool.

    The same input gives the same bytes. Takes minutes; run it in a process of its own.
    """
    examples = [*corpus.examples(), *pool]
    examples += [replace(each, weight=each.weight * CORRECTION_WEIGHT) for each in corrections]
    data = _data(examples)
    everything = np.arange(len(data.labels))
    temperature, accuracy = _calibrated(data)
    gate_temperature, gate_shift = _gate_calibrated(data)
    weights = np.concatenate(
        (_fit_routes(data, everything, STEPS), _fit_gate(data, everything, STEPS)),
        axis=1,
    )
    scale, table = _quantised(weights, data.buckets)
    languages = sorted({each.lang for each in examples})
    header = TableHeader(
        scale=scale,
        temperature=temperature,
        gate_temperature=gate_temperature,
        gate_shift=gate_shift,
        threshold=0.65,
        training={
            "examples": len(examples),
            "corrections": len(corrections),
            "pool": len(pool),
            "languages": languages,
            "held_out_accuracy": round(accuracy, 4),
            "decay": DECAY,
            "steps": STEPS,
        },
    )
    return Trained(write_table(header, table), len(examples), accuracy)


def _data(examples: Sequence[Example]) -> _Data:
    columns: list[int] = []
    values: list[float] = []
    starts = [0]
    for example in examples:
        found = features(example.text)
        for ids, norm in zip((found.words, found.pieces, found.shape), found.norms(), strict=True):
            columns += ids
            values += [norm] * len(ids)
        starts.append(len(columns))
    wide = Rows(
        np.array(columns, np.int64), np.array(values), np.array(starts, np.int64), 1 << BITS
    )
    rows, buckets = _narrowed(wide)
    return _Data(
        rows,
        np.array([LABELS.index(each.label) for each in examples], np.int64),
        _balanced(examples),
        np.array([each.shares or _sure(each.label) for each in examples]),
        np.array([each.group for each in examples], np.int64),
        buckets,
    )


def _sure(label: str) -> tuple[float, ...]:
    return tuple(float(label == each) for each in LABELS)


def _narrowed(wide: Rows) -> tuple[Rows, Ints]:
    """Drop rare features, and number the others without gaps."""
    seen = np.bincount(wide.columns, minlength=wide.width)
    # Each message has the feature "always", so no row becomes empty.
    buckets = np.flatnonzero(seen >= RARE)
    number = np.full(wide.width, -1, np.int64)
    number[buckets] = np.arange(len(buckets))
    columns = number[wide.columns]
    kept = columns >= 0
    before = np.concatenate(([0], np.cumsum(kept)))
    rows = Rows(columns[kept], wide.values[kept], before[wide.starts], len(buckets))
    return rows, buckets


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


def _fit_routes(data: _Data, chosen: Ints, steps: int) -> Floats:
    """Return three columns: the scores of the routes.

    A mere continuation has no route of its own: it is taught to be equally likely in all three,
    so that the previous turn decides even where the gate is not sure.
    """
    targets = data.targets[chosen, :ROUTES] + data.targets[chosen, ROUTES:] / ROUTES
    return fit(data.rows.some(chosen), targets, data.weights[chosen], decay=DECAY, steps=steps)


def _fit_gate(data: _Data, chosen: Ints, steps: int) -> Floats:
    """Return one column: the log-odds of a continuation."""
    share = data.targets[chosen, CONTINUATION]
    both = fit(
        data.rows.some(chosen),
        np.stack((1.0 - share, share), axis=1),
        data.weights[chosen],
        decay=GATE_DECAY,
        steps=steps,
    )
    return both[:, 1:2] - both[:, 0:1]


def _folds(groups: Ints) -> Ints:
    """Return the fold of each example; all examples of a template fall into one."""
    return np.array([zlib.crc32(b"%d" % group) % FOLDS for group in groups], np.int64)


def _calibrated(data: _Data) -> tuple[float, float]:
    """Return the temperature, and the accuracy, on templates that were held out."""
    folds = _folds(data.groups)
    scores = np.zeros((len(folds), ROUTES))
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        weights = _fit_routes(data, inside, FOLD_STEPS)
        held = data.rows.some(outside)
        scores[outside] = np.stack([held.times(column) for column in weights.T], axis=1)
    written = np.flatnonzero((data.labels < ROUTES) & (data.groups >= 0))
    scores, labels = scores[written], data.labels[written]
    accuracy = float((scores.argmax(axis=1) == labels).mean())
    return fitted_temperature(scores, labels), accuracy


def _gate_calibrated(data: _Data) -> tuple[float, float]:
    """Return temperature and shift of the gate, on templates that were held out."""
    folds = _folds(data.groups)
    odds = np.zeros(len(data.labels))
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        weights = _fit_gate(data, inside, FOLD_STEPS)
        odds[outside] = data.rows.some(outside).times(weights[:, 0])
    written = data.groups >= 0
    positive = (data.labels[written] == CONTINUATION).astype(np.int64)
    scores = np.stack((np.zeros(len(odds)), odds), axis=1)[written]
    temperature = fitted_temperature(scores, positive)
    alone = odds[written & (data.labels < ROUTES)]
    shift = float(np.quantile(alone, 1.0 - _STANDALONE_CAUGHT))
    return temperature, round(min(max(shift, -2.0), 2.0), 4)


def _quantised(weights: Floats, buckets: Ints) -> tuple[float, bytes]:
    """Return the scale and the bytes of the whole table."""
    scale = float(np.quantile(np.abs(weights), 0.9998)) / 127.0
    scale = float(f"{scale:.6g}")
    table = np.full((1 << BITS, CONTINUATION + 1), 128, np.uint8)
    table[buckets] = np.clip(np.rint(weights / scale), -127, 127).astype(np.int64) + 128
    return scale, table.tobytes()

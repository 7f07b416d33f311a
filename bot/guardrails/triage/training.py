"""Training of the heads on sentences written for this project, with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.guardrails.triage.corpus import (
    CORPUS,
    HEADS_OF,
    ORDINARY,
    Sentence,
    Taught,
    read_corpus,
    read_taught,
)
from bot.guardrails.triage.heads import MEANING, VERSION
from bot.guardrails.triage.phrase_fitting import FittedPhrases, fit_phrases, sigmoid
from bot.guardrails.triage.pieces import Floats, Pieces, read_pieces

FOLDS = 4
"""Groups of files, where files are held out whole."""
HELD = 0
"""The group of lines that is held out to calibrate the heads."""
ORDINARY_ALARMS = {
    "care": 0.045, "acute": 0.006, "order": 0.003, "human": 0.003, "bond": 0.003, "harm": 0.014,
}  # fmt: skip
"""Share of ordinary messages, held out, on which a head may speak up."""
TWIN_ALARMS = {
    "care": 0.15, "acute": 0.06, "order": 0.03, "human": 0.02, "bond": 0.02, "harm": 0.15,
}  # fmt: skip
"""The same of harmless twins of dangerous wording: the hard cases."""


def train(corpus: Path, out: Path, *, by_source: bool = False) -> dict[str, Any]:
    """Train, calibrate on what was held out, write the file, and return what was measured.

    A quarter of the lines is held out, with all that was made of them; with `by_source` files
    of the corpus are held out as a whole instead, and the teacher is not heard, who knows them all.
    That tells more about strangers' text, and nothing is written.

    Raises:
        InputRejected: the corpus can't be read.
    """
    sentences = read_corpus(corpus)
    # What the teacher says is about the shipped corpus.
    taught = read_taught() if corpus == CORPUS and not by_source else []
    lessons = Lessons.of(sentences, taught, read_pieces())
    held = np.zeros((len(sentences), len(MEANING)), np.float32)
    folds = _by_source(sentences) if by_source else _by_group(sentences)
    for fold in np.unique(folds[folds >= 0]):
        learned = lessons.without(folds == fold, None if by_source else HELD)
        for at in map(int, np.flatnonzero(folds == fold)):
            held[at] = lessons.chances(at, learned)
    tested = [at for at, fold in enumerate(folds) if fold >= 0]
    names = tuple(MEANING)
    thresholds = np.array(
        [_threshold(held[:, at], sentences, tested, name) for at, name in enumerate(names)],
        np.float32,
    )
    if not by_source:
        learned = lessons.without(np.zeros(len(sentences), bool), None)
        _write(out, names, learned, thresholds, lessons.pieces.vocabulary)
    figures: dict[str, Any] = {"sentences": len(sentences), "taught": len(taught)}
    figures["file"] = "" if by_source else str(out)
    for at, name in enumerate(names):
        figures[name] = _measured(held[:, at], sentences, tested, name, float(thresholds[at]))
    return figures


@dataclass(frozen=True, slots=True)
class Lessons:
    """Texts as the heads see them, what each head should say, and how much that counts.

    First the sentences, then what a teacher judged.
    """

    pieces: Pieces
    rows: list[NDArray[np.int64]]
    targets: Floats
    weight: Floats
    groups: NDArray[np.int64]
    """Of what a teacher judged."""

    @classmethod
    def of(cls, sentences: Sequence[Sentence], taught: Sequence[Taught], pieces: Pieces) -> Lessons:
        texts = [each.text for each in sentences] + [each.text for each in taught]
        told = [[float(name in HEADS_OF[each.label]) for name in MEANING] for each in sentences]
        weight = np.ones((len(texts), len(MEANING)), np.float32)
        weight[: len(sentences)] = [[each.teaches(name) for name in MEANING] for each in sentences]
        return cls(
            pieces,
            [pieces.of(text) for text in texts],
            np.array([*told, *(each.chances for each in taught)], np.float32),
            weight,
            np.array([each.group for each in taught], np.int64),
        )

    def without(self, held: NDArray[np.bool_], group: int | None) -> FittedPhrases:
        """Return what is learned without some of the sentences, and a group of the taught."""
        kept = np.flatnonzero(np.concatenate([~held, self.groups != group]))
        told = [self.rows[at] for at in kept]
        return fit_phrases(self.pieces, told, self.targets[kept], self.weight[kept])

    def chances(self, at: int, learned: FittedPhrases) -> Floats:
        """Return the probability of each head for a sentence."""
        return sigmoid(learned.logits(self.rows[at]))


def _by_group(sentences: Sequence[Sentence]) -> NDArray[np.int64]:
    """Return a fold for the group that is held out, and none for the others."""
    return np.array([HELD if each.group == HELD else -1 for each in sentences], np.int64)


def _by_source(sentences: Sequence[Sentence]) -> NDArray[np.int64]:
    """Return a fold for each file, of few; ordinary messages are spread."""
    sources = sorted({each.source for each in sentences} - {ORDINARY})
    folds = [
        at % FOLDS if each.source == ORDINARY
        else sources.index(each.source) % FOLDS
        for at, each in enumerate(sentences)
    ]  # fmt: skip
    return np.array(folds, np.int64)


def _write(
    out: Path,
    names: Sequence[str],
    phrases: FittedPhrases,
    thresholds: Floats,
    vocabulary: Sequence[str],
) -> None:
    stored: dict[str, Any] = dict(phrases.arrays)
    np.savez_compressed(
        out,
        version=VERSION,
        names=np.array(names),
        thresholds=thresholds,
        phrases_vocabulary=np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
        **stored,
    )


def _groups(
    scores: Floats, sentences: Sequence[Sentence], tested: Sequence[int], name: str
) -> tuple[Floats, Floats, Floats]:
    """Return the held-out scores of what a head is for, of ordinary messages, and of twins."""
    yes: list[np.float32] = []
    ordinary: list[np.float32] = []
    twins: list[np.float32] = []
    for at in tested:
        each = sentences[at]
        if not each.teaches(name):
            continue
        if name in HEADS_OF[each.label]:
            yes.append(scores[at])
        else:
            (ordinary if each.source == ORDINARY else twins).append(scores[at])
    one, two, three = (np.sort(np.array(group, np.float32)) for group in (yes, ordinary, twins))
    return one, two, three


def _threshold(
    scores: Floats, sentences: Sequence[Sentence], tested: Sequence[int], name: str
) -> float:
    """Return the chance from which few enough harmless held-out sentences speak up."""
    _, ordinary, twins = _groups(scores, sentences, tested, name)
    least = 0.0
    for group, share in ((ordinary, ORDINARY_ALARMS[name]), (twins, TWIN_ALARMS[name])):
        if len(group):
            least = max(least, float(group[min(len(group) - 1, int(len(group) * (1 - share)))]))
    return least + 1e-3


def _measured(
    scores: Floats, sentences: Sequence[Sentence], tested: Sequence[int], name: str, least: float
) -> dict[str, float]:
    yes, ordinary, twins = _groups(scores, sentences, tested, name)
    no = np.concatenate([ordinary, twins])
    if not len(yes) or not len(no):
        return {"n": len(yes)}
    ranks = np.argsort(np.argsort(np.concatenate([no, yes]))) + 1
    area = (ranks[len(no) :].sum() - len(yes) * (len(yes) + 1) / 2) / (len(yes) * len(no))
    figures = {
        "auc": float(area),
        "threshold": least,
        "recall": float((yes >= least).mean()),
        "alarms_ordinary": float((ordinary >= least).mean()) if len(ordinary) else 0.0,
        "alarms_twins": float((twins >= least).mean()) if len(twins) else 0.0,
    }
    return {"n": len(yes)} | {key: round(value, 4) for key, value in figures.items()}

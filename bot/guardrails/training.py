"""Training of the heads on sentences written for this project, with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.guardrails.corpus import HEADS_OF, ORDINARY, Sentence, read_corpus, rule_sentences
from bot.guardrails.features import features
from bot.guardrails.fitting import Fitted, Floats, fit, sigmoid
from bot.guardrails.heads import MEANING, SHARE, VERSION
from bot.guardrails.phrase_fitting import FittedPhrases, fit_phrases
from bot.guardrails.pieces import Pieces, read_pieces

FOLDS = 4
ORDINARY_ALARMS = {
    "care": 0.049, "acute": 0.006, "order": 0.003, "human": 0.003, "bond": 0.003, "harm": 0.02,
}  # fmt: skip
"""Share of ordinary messages, held out, on which a head may speak up."""
TWIN_ALARMS = {
    "care": 0.08, "acute": 0.02, "order": 0.03, "human": 0.02, "bond": 0.02, "harm": 0.15,
}  # fmt: skip
"""The same of harmless twins of dangerous wording: the hard cases."""


def train(corpus: Path, out: Path, *, seed: int = 7, by_source: bool = False) -> dict[str, Any]:
    """Train, calibrate on what was held out, write the file, and return what was measured.

    Folds are drawn by chance; with `by_source` each file of the corpus is held out as a whole
    instead, which tells more about strangers' text, and nothing is written.

    Raises:
        SettingsRejected: the corpus can't be read.
    """
    told = read_corpus(corpus)
    sentences = told + rule_sentences()
    lessons = Lessons.of(sentences, read_pieces())
    held = np.zeros_like(lessons.targets)
    folds = _by_source(sentences) if by_source else _by_chance(sentences, seed)
    for fold in np.unique(folds[folds >= 0]):
        learned = lessons.learned(np.flatnonzero(folds != fold))
        for at in map(int, np.flatnonzero(folds == fold)):
            held[at] = lessons.chances(at, *learned)
    tested = [at for at, fold in enumerate(folds) if fold >= 0]
    names = tuple(MEANING)
    thresholds = np.array(
        [_threshold(held[:, at], sentences, tested, name) for at, name in enumerate(names)],
        np.float32,
    )
    if not by_source:
        learned = lessons.learned(np.arange(len(sentences)))
        _write(out, names, *learned, thresholds, lessons.pieces.vocabulary)
    figures: dict[str, Any] = {"sentences": len(sentences), "file": "" if by_source else str(out)}
    for at, name in enumerate(names):
        figures[name] = _measured(held[:, at], sentences, tested, name, float(thresholds[at]))
    return figures


@dataclass(frozen=True, slots=True)
class Lessons:
    """Sentences as the heads see them, what each head should say, and how much that counts."""

    pieces: Pieces
    buckets: list[NDArray[np.int64]]
    phrases: list[NDArray[np.int64]]
    targets: Floats
    weight: Floats

    @classmethod
    def of(cls, sentences: Sequence[Sentence], pieces: Pieces) -> Lessons:
        targets = [[name in HEADS_OF[each.label] for name in MEANING] for each in sentences]
        weight = [[each.teaches(name) for name in MEANING] for each in sentences]
        return cls(
            pieces,
            [np.array(sorted(features(each.text)), np.int64) for each in sentences],
            [pieces.of(each.text) for each in sentences],
            np.array(targets, np.float32),
            np.array(weight, np.float32),
        )

    def learned(self, taught: NDArray[np.int64]) -> tuple[Fitted, FittedPhrases]:
        """Return what is learned from some of the sentences."""
        targets, weight = self.targets[taught], self.weight[taught]
        fitted = fit([self.buckets[at] for at in taught], targets, weight)
        told = [self.phrases[at] for at in taught]
        return fitted, fit_phrases(self.pieces, told, targets, weight)

    def chances(self, at: int, fitted: Fitted, phrases: FittedPhrases) -> Floats:
        """Return the probability of each head for a sentence."""
        heard = phrases.logits(self.phrases[at])
        return sigmoid(fitted.logits(self.buckets[at]) + SHARE * heard)


def _by_chance(sentences: Sequence[Sentence], seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(len(sentences)) % FOLDS


def _by_source(sentences: Sequence[Sentence]) -> NDArray[np.int64]:
    """Return a fold for each file; ordinary messages are spread over all, rules are in none."""
    sources = sorted({each.source for each in sentences} - {ORDINARY, "rules"})
    folds = [
        at % len(sources) if each.source == ORDINARY
        else -1 if each.source == "rules"
        else sources.index(each.source)
        for at, each in enumerate(sentences)
    ]  # fmt: skip
    return np.array(folds, np.int64)


def _write(
    out: Path,
    names: Sequence[str],
    fitted: Fitted,
    phrases: FittedPhrases,
    thresholds: Floats,
    vocabulary: Sequence[str],
) -> None:
    stored: dict[str, Any] = dict(phrases.arrays)
    np.savez_compressed(
        out,
        version=VERSION,
        names=np.array(names),
        weights=fitted.weights.astype(np.float16),
        bias=fitted.bias,
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
        if not each.teaches(name) or each.source == "rules":
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

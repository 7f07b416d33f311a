"""How sure a table may be, by files of the corpus that were held out of a training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.routing.corpus import LABELS
from bot.routing.learning import ROUTES, Floats, Ints, softmax

CONTINUATION = LABELS.index("continuation")
FACTUAL = LABELS.index("factual")
SURER = 0.73
"""The table may be this much surer than those that were held out: it learns from every file.

Measured on fixtures of other hands; see data/README.md.
"""
LONG_SHIFT = 0.75
"""Log-odds by which a message of the greatest length is less of a fact than its words say.

Files of the corpus that were held out ask for 0.5 in English, five of strangers for 0.75 to 1.25.
"""
STANDALONE_CAUGHT = 0.04
"""Share of stand-alone messages that the gate may take for continuations."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Scores of messages by weights that saw no message of the same file."""

    scores: Floats
    labels: Ints
    lengths: Floats

    @property
    def accuracy(self) -> float:
        """Return the share of the messages that are no continuations that got their route."""
        alone = self.labels < ROUTES
        guessed = self.scores[alone, :ROUTES].argmax(axis=1)
        return float((guessed == self.labels[alone]).mean())


def temperatures(held: HeldOut) -> tuple[float, float]:
    """Return the temperature of short messages, and how often that the longest ones need, on
    messages of files that were held out."""
    alone = held.labels < ROUTES
    scores, labels, lengths = held.scores[alone, :ROUTES], held.labels[alone], held.lengths[alone]
    short = lengths == 0.0
    if not short.any():
        short = ~short
    temperature = fitted_temperature(scores[short], labels[short])
    best, least = 1.0, float("inf")
    for heat in np.geomspace(1.0, 3.0, 34):
        cooled = scores[~short] / (temperature * heat ** lengths[~short])[:, None]
        cooled[:, FACTUAL] -= LONG_SHIFT * lengths[~short]
        if (loss := mean_surprise(cooled, labels[~short])) < least:
            best, least = float(heat), loss
    return round(SURER * temperature, 4), round(best, 4)


def gate_temperature_and_shift(held: HeldOut) -> tuple[float, float]:
    """Return temperature and shift of the gate, on messages of files that were held out."""
    odds = held.scores[:, CONTINUATION]
    positive = (held.labels == CONTINUATION).astype(np.int64)
    temperature = fitted_temperature(np.stack((np.zeros(len(odds)), odds), axis=1), positive)
    alone = odds[held.labels < ROUTES]
    shift = float(np.quantile(alone, 1.0 - STANDALONE_CAUGHT))
    return temperature, round(min(max(shift, -2.0), 2.0), 4)


def mean_surprise(scores: Floats, labels: Ints) -> float:
    """Return the mean negative logarithm of the probability of the labels; 0 for no rows."""
    if not len(labels):
        return 0.0
    guessed = softmax(scores)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(guessed, 1e-12)).mean())


def fitted_temperature(scores: Floats, labels: Ints) -> float:
    """Return the temperature that makes the scores' probabilities most honest."""
    best, least = 1.0, float("inf")
    for temperature in np.geomspace(0.2, 5.0, 97):
        if (loss := mean_surprise(scores / temperature, labels)) < least:
            best, least = float(temperature), loss
    return round(best, 4)

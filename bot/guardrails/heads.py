"""Small linear heads over hashed n-grams: triage, never a block.

A head may ask for care, for a word of honesty, or for a deflection, all of which only change the
tone of a reply. What keeps a person from an answer needs a rule or the guard model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.errors import SettingsRejected
from bot.guardrails.features import BUCKETS, features
from bot.guardrails.normalise import Views
from bot.guardrails.rules import Hit
from bot.guardrails.taxonomy import Severity

HEADS_FILE = Path(__file__).parent / "heads.npz"
VERSION = 1
SHORTEST = 14
"""Bytes of text below which a head has nothing to go by."""
SOONER = 0.9
"""Share of its threshold at which the care head speaks up beside a word of distress."""

MEANING: dict[str, tuple[str, Severity]] = {
    "care": ("sh_support", Severity.PASSIVE),
    "order": ("jailbreak", Severity.PLAIN),
    "human": ("human_claim", Severity.PLAIN),
    "bond": ("dependency", Severity.PLAIN),
}
"""What a head's alarm counts as."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Weights by head, with the calibrated probability from which a head speaks up."""

    names: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    thresholds: NDArray[np.float32]

    def scores(self, plain: str) -> dict[str, float]:
        """Return a probability by head."""
        found = features(plain)
        if not len(found):
            return dict.fromkeys(self.names, 0.0)
        logits = self.weights[found].sum(axis=0) / np.sqrt(len(found)) + self.bias
        chances = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))
        return dict(zip(self.names, map(float, chances), strict=True))

    def hits(self, views: Views, *, distressed: bool = False) -> tuple[Hit, ...]:
        """Return the heads that speak up, as findings; care sooner where sorrow was heard."""
        if len(views.plain.encode()) < SHORTEST:
            return ()
        scores = self.scores(views.plain)
        if distressed and "care" in scores:
            scores["care"] /= SOONER
        loud = [n for n, t in zip(self.names, self.thresholds, strict=True) if scores[n] >= t]
        return tuple(
            Hit(f"head.{name}", *MEANING[name], fiction_ok=name != "order") for name in loud
        )


def read_heads(path: Path = HEADS_FILE) -> Heads:
    """Read trained heads.

    Raises:
        SettingsRejected: the file is missing, of another version, or of a wrong shape.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if int(file["version"]) != VERSION:
                raise SettingsRejected([f"{path.name}: other version; run `guard train`"])
            names = tuple(str(name) for name in file["names"])
            weights = file["weights"].astype(np.float32)
            bias, thresholds = file["bias"], file["thresholds"]
    except (OSError, KeyError, ValueError) as error:
        raise SettingsRejected([f"{path.name}: {error}; run `guard train`"]) from error
    right = weights.shape == (BUCKETS, len(names)) and len(bias) == len(thresholds) == len(names)
    if not right or not set(names) <= set(MEANING) or not np.isfinite(weights).all():
        raise SettingsRejected([f"{path.name}: not what `guard train` writes"])
    return Heads(names, weights, bias.astype(np.float32), thresholds.astype(np.float32))

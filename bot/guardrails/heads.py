"""Small heads over hashed n-grams and over phrases: triage, never a block.

A head may ask for care, for a word of honesty, or for a deflection, all of which only change the
tone of a reply; and one that is sure of a danger has the crisis card shown. What keeps a person
from an answer, or a persona from speaking for a day, needs a rule or the guard model; a head may
only confirm a rule whose patterns are too wide to act alone (`needs`).
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from math import exp, sqrt
from pathlib import Path

from bot.errors import SettingsRejected
from bot.guardrails.features import BUCKETS, features
from bot.guardrails.normalise import LONG, Views
from bot.guardrails.npz import read_npz
from bot.guardrails.phrases import Phrases, Windows, read_phrases
from bot.guardrails.rules import Hit
from bot.guardrails.taxonomy import Severity

HEADS_FILE = Path(__file__).parent / "heads.npz"
VERSION = 2
SHARE = 0.5
"""Weight of what phrases say beside what n-grams say; chosen on files held out whole."""
SHORTEST = 14
"""Bytes of text below which a head has nothing to go by."""
SOONER = 0.9
"""Share of its threshold at which the care head speaks up beside a word of distress."""
ASIDE = 0.75
"""The same where somebody steps out of a story to say something of their own."""
FAINT = 0.6
"""Share of its threshold from which the care head leaves a note for the trend."""

MEANING: dict[str, tuple[str, Severity] | None] = {
    "care": ("sh_support", Severity.PASSIVE),
    "acute": None,
    "order": ("jailbreak", Severity.PLAIN),
    "human": ("human_claim", Severity.PLAIN),
    "bond": ("dependency", Severity.PLAIN),
    "harm": None,
}
"""What a head's alarm counts as; None: it only confirms rules that need it."""
CALM = 0.35
"""Share of its threshold below which the care head finds a text calm, whatever its words."""
MOST_VIEWS = 4
"""Views of a text that are scored: the plain one, and the first of those without a disguise; of a
long text only the plain one."""
HALF = 2
"""Bytes of a weight."""
ENDLESS = 0x7C
"""The upper byte's bits of a half float that is no number."""


@dataclass(slots=True)
class Earlier:
    """What was found in one view of a text, for the next ones."""

    buckets: set[int] = field(default_factory=set)
    sums: list[float] = field(default_factory=list)
    windows: Windows = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heads:
    """Weights by head, with the calibrated probability from which a head speaks up."""

    names: tuple[str, ...]
    weights: bytes
    """For each bucket a number for each head: half floats, as they are in the file."""
    bias: tuple[float, ...]
    thresholds: tuple[float, ...]
    phrases: Phrases | None = None

    def scores(self, plain: str, earlier: Earlier | None = None) -> dict[str, float]:
        """Return a probability by head. `earlier` is what other views of the same text had."""
        found = features(plain)
        if not found:
            return dict.fromkeys(self.names, 0.0)
        earlier = Earlier() if earlier is None else earlier
        sums, root = self._sums(found, earlier), sqrt(len(found))
        heard = (0.0,) * len(sums)
        if self.phrases is not None:
            heard = self.phrases.logits(plain, earlier.windows)
        return {
            name: _chance(total / root + bias + SHARE * said)
            for name, bias, total, said in zip(self.names, self.bias, sums, heard, strict=True)
        }

    def _sums(self, found: set[int], earlier: Earlier) -> list[float]:
        """Return the sum of the buckets' weights for each head.

        Views of one text have most buckets in common. The others are added and taken off: that is
        exact, since half floats have so few digits that no such sum is ever rounded.
        """
        if not earlier.buckets:
            earlier.buckets, earlier.sums = found, self._added(found)
            return earlier.sums
        more, less = self._added(found - earlier.buckets), self._added(earlier.buckets - found)
        return [a + b - c for a, b, c in zip(earlier.sums, more, less, strict=True)]

    def _added(self, found: set[int]) -> list[float]:
        heads, row = len(self.names), HALF * len(self.names)
        picked = b"".join([self.weights[at * row : at * row + row] for at in found])
        values = struct.unpack(f"<{heads * len(found)}e", picked)
        return [sum(values[at::heads]) for at in range(heads)]

    def loud(
        self, views: Views, *, distressed: bool = False, aside: bool = False
    ) -> dict[str, float]:
        """Return the heads that speak up, each with how far it is above its threshold; `faint`
        and `calm` tell of the care head when it does not.

        Care speaks up sooner where sorrow was heard, and beside a story.
        """
        if len(views.plain.encode()) < SHORTEST:
            return {}
        texts = (views.plain,) if len(views.plain) > LONG else views.all[:MOST_VIEWS]
        sooner = ASIDE if aside else SOONER if distressed else 1.0
        found: dict[str, float] = {}
        earlier = Earlier()
        sorrow = 0.0
        for text in texts:
            scores = self.scores(text, earlier)
            sorrow = max(sorrow, scores.get("care", 1.0))
            if scores.get("care", 0.0) >= FAINT * self._least("care"):
                found.setdefault("faint", 0.0)
            if "care" in scores:
                scores["care"] = min(1.0, scores["care"] / sooner)
            for name, least in zip(self.names, self.thresholds, strict=True):
                if scores[name] >= least:
                    found[name] = max(found.get(name, 0.0), _odds(scores[name]) / _odds(least))
        if sorrow < CALM * self._least("care"):
            found["calm"] = 0.0
        return found

    def _least(self, name: str) -> float:
        return self.thresholds[self.names.index(name)] if name in self.names else 1.0


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, logit))))


def _odds(chance: float) -> float:
    return chance / max(1e-6, 1.0 - chance)


DANGER = Hit("head.acute", "sh_crisis", Severity.ACTIVE, fiction_ok=True)
SURE = 2.0
"""Odds over those of its threshold from which the acute head needs no rule to have the card shown.

On files that no head was trained on: 10 of 22 people in danger who named nothing, and 1 of 2,438
other messages.
"""
NOTED = Hit("head.faint", "distress", Severity.MILD, fiction_ok=True)
"""Sorrow too faint to act upon: the trend alone hears of it."""


def alarms(loud: Collection[str]) -> tuple[Hit, ...]:
    """Return what heads that speak up count as, as findings."""
    meant = [(name, MEANING.get(name)) for name in sorted(loud)]
    found = tuple(
        Hit(f"head.{name}", *meaning, fiction_ok=name != "order")
        for name, meaning in meant
        if meaning is not None
    )
    return (*found, NOTED) if "faint" in loud and "care" not in loud else found


def read_heads(path: Path = HEADS_FILE) -> Heads:
    """Read trained heads.

    Raises:
        SettingsRejected: the file is missing, of another version, or of a wrong shape.
    """
    try:
        file = read_npz(path)
        if int(file["version"].values()[0]) != VERSION:
            raise SettingsRejected([f"{path.name}: other version; run `guard train`"])
        names = tuple(map(str, file["names"].values()))
        bias, thresholds = file["bias"].values(), file["thresholds"].values()
        weights = file["weights"]
        phrases = read_phrases(file)
    except (OSError, KeyError, ValueError) as error:
        raise SettingsRejected([f"{path.name}: {error}; run `guard train`"]) from error
    right = (weights.kind, weights.shape) == ("<f2", (BUCKETS, len(names)))
    right = right and len(bias) == len(thresholds) == len(phrases.weights) == len(names)
    right = right and set(names) <= set(MEANING)
    if not right or any(high & ENDLESS == ENDLESS for high in set(weights.data[1::2])):
        raise SettingsRejected([f"{path.name}: not what `guard train` writes"])
    numbers = tuple(map(float, bias)), tuple(map(float, thresholds))
    return Heads(names, bytes(weights.data), *numbers, phrases)

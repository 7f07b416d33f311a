"""Small heads over the phrases of a message: triage, never a block.

A head may ask for care, for a word of honesty, or for a deflection, all of which only change the
tone of a reply; and one that is sure of a danger has the crisis card shown. What keeps a person
from an answer, or a persona from speaking for a day, needs a rule or the guard model; a head may
only confirm a rule whose patterns are too wide to act alone (`needs`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

from bot.errors import SettingsRejected
from bot.guardrails.matching.rules import Hit
from bot.guardrails.reading.normalise import LETTERS, LONG, RUN, Views, together
from bot.guardrails.reading.sentences import sentences
from bot.guardrails.taxonomy import Severity
from bot.guardrails.triage.npz import read_npz
from bot.guardrails.triage.phrases import Phrases, read_phrases

HEADS_FILE = Path(__file__).parent / "heads.npz"
VERSION = 3
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
CALM = {"care": 0.2, "acute": 0.2, "harm": 0.1, "order": 0.1, "human": 0.1, "bond": 0.1}
"""Share of its threshold below which a head finds a text calm, whatever its words."""
SIGN = 0.03
"""Share of its threshold from which the care head gives a sign, if a small one, of need."""
SPELLED = re.compile(rf"{RUN.pattern}\.?|(?<![^\W_])(?:[^\W\d_]\.){{2}}(?![^\W_])")
"""Letters in a row that stand alone, and what is short for two words."""
TOLD_AT_LENGTH = 240
"""Characters from which the sentences of a text are heard by themselves, too: what matters may be
one of them, and past `phrases.LONGEST` the middle would not be read at all."""
MOST_SENTENCES = 12
"""Parts of a text that are heard so; of more sentences, several make a part."""
AMID = 6.0
"""How many times the odds of its threshold a head has to hear in one sentence for the whole text to
count: among many, one is easily mistaken."""
MOST_VIEWS = 4
"""Views of a text that are scored: the plain one, and the first of those without a disguise; of a
long text only the plain one."""


@dataclass(frozen=True, slots=True)
class Heads:
    """What is heard in phrases, with the calibrated probability from which a head speaks up."""

    names: tuple[str, ...]
    thresholds: tuple[float, ...]
    phrases: Phrases

    def scores(self, plain: str) -> dict[str, float]:
        """Return a probability by head; zeros where there is no word."""
        heard = self.phrases.logits(plain)
        if not heard:
            return dict.fromkeys(self.names, 0.0)
        return dict(zip(self.names, map(_chance, heard), strict=True))

    def heard(self, views: Views) -> Heard:
        """Return what each head hears at most, in any view; nothing in a text that is too short."""
        texts = (views.plain,) if len(views.plain) > LONG else views.all[:MOST_VIEWS]
        scored = [self.scores(text) for text in self._read(texts) if _long_enough(text)]
        if not scored or not _long_enough(views.plain):
            return SILENCE
        if len(views.plain) > TOLD_AT_LENGTH:
            scored += [_amid(self.scores(part)) for part in _parts(views.plain)]
        return Heard(
            {name: max(scores[name] for scores in scored) for name in self.names},
            dict(zip(self.names, self.thresholds, strict=True)),
        )

    def _read(self, texts: Sequence[str]) -> Collection[str]:
        """Return what can be read in views: letters in a row as the words that they spell.

        Nobody trained a head on single letters, nor on `nyc`: what is no word is no evidence. A
        view that only parts or joins them otherwise adds nothing.
        """
        plain = "".join(LETTERS.findall(texts[0]))
        others = [text for text in texts[1:] if "".join(LETTERS.findall(text)) != plain]
        found = list(SPELLED.finditer(texts[0]))
        if not found:
            return (texts[0], *others)
        rows = [together(row) for row in found]
        words = {word for row in rows for word in LETTERS.findall(row)}
        odd = [word for word in words if word.isascii() and not self.phrases.words.knows(word)]
        joined = [SPELLED.sub(together, text) for text in (texts[0], *others)]
        if odd:
            unread = re.compile(rf"\b(?:{'|'.join(odd)})\b")
            joined = [unread.sub("", text) for text in joined]
        if odd or any("." in row[0] for row in found):
            # Of a text of acronyms too little may be left to go by.
            joined = [text for text in joined if _long_enough("".join(LETTERS.findall(text)))]
        return dict.fromkeys(" ".join(text.split()) for text in joined)


def _long_enough(text: str) -> bool:
    return len(text.encode()) >= SHORTEST


def _parts(text: str) -> list[str]:
    """Return the sentences of a long text, as many at a time as leave few parts."""
    told = [each for each in sentences(text) if _long_enough(each)]
    size = -(-len(told) // MOST_SENTENCES) or 1
    parts = [" ".join(told[at : at + size]) for at in range(0, len(told), size)]
    return parts if len(parts) > 1 else []


def _amid(scores: Mapping[str, float]) -> dict[str, float]:
    """Return what is left of what one sentence says, as a word for the whole text."""
    odds = {name: _odds(chance) / AMID for name, chance in scores.items()}
    return {name: each / (1 + each) for name, each in odds.items()}


@dataclass(frozen=True, slots=True)
class Heard:
    """What each head hears in a text, with the chances from which they speak up."""

    chances: Mapping[str, float]
    thresholds: Mapping[str, float]

    def loud(self, *, distressed: bool = False, aside: bool = False) -> dict[str, float]:
        """Return the heads that speak up, each with how far it is above its threshold; `faint`
        tells of the care head when it does not.

        Care speaks up sooner where sorrow was heard, and beside a story.
        """
        sooner = ASIDE if aside else SOONER if distressed else 1.0
        found: dict[str, float] = {}
        for name, chance in self.chances.items():
            least = self.thresholds[name]
            if name == "care":
                if chance >= FAINT * least:
                    found["faint"] = 0.0
                chance = min(1.0, chance / sooner)
            if chance >= least:
                found[name] = _odds(chance) / _odds(least)
        return found

    def odds(self, name: str) -> float:
        """Return how far a head is above its threshold, or below; 0 where it heard nothing."""
        if name not in self.chances:
            return 0.0
        return _odds(self.chances[name]) / _odds(self.thresholds[name])

    def or_there(self, there: Heard) -> Heard:
        """Return the louder of what is heard here and in one place of the text, for each head."""
        louder = {
            name: max(chance, self.chances.get(name, 0.0)) for name, chance in there.chances.items()
        }
        return Heard({**self.chances, **louder}, self.thresholds or there.thresholds)

    def calm(self, names: Collection[str]) -> bool:
        """Whether these heads are all far from speaking up; of a text without words none is."""
        asked = [name for name in names if name in self.chances]
        return bool(asked) and all(
            self.chances[name] < CALM[name] * self.thresholds[name] for name in asked
        )

    @property
    def sign(self) -> bool:
        """Whether there is any sign of need, so that a rule of care is not alone with it."""
        return self.chances.get("care", 0.0) >= SIGN * self.thresholds.get("care", 1.0)


SILENCE = Heard({}, {})


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, logit))))


def _odds(chance: float) -> float:
    return chance / max(1e-6, 1.0 - chance)


CARE_RULE = "head.care"
DANGER = Hit("head.acute", "sh_support", Severity.PASSIVE, fiction_ok=True)
SURE = 6.0
"""Odds over those of its threshold from which the acute head needs no rule and no turn before to
have care shown, with lines to call. The card and a day without personas take a rule.

On files that no head was trained on: 5 of 64 people in danger, whom no rule had heard, and none of
688 other messages.
"""
NOTED = Hit("head.faint", "distress", Severity.MILD, fiction_ok=True)
"""Sorrow too faint to act upon: the trend alone hears of it."""


def alarms(loud: Mapping[str, float]) -> tuple[Hit, ...]:
    """Return what heads that speak up count as, as findings."""
    found = []
    for name in sorted(loud):
        meaning = MEANING.get(name)
        if meaning is not None:
            found.append(Hit(f"head.{name}", *meaning, fiction_ok=name != "order"))
    return (*found, NOTED) if "faint" in loud and "care" not in loud else tuple(found)


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
        thresholds = file["thresholds"].values()
        phrases = read_phrases(file)
    except (OSError, KeyError, ValueError) as error:
        raise SettingsRejected([f"{path.name}: {error}; run `guard train`"]) from error
    if not len(thresholds) == len(phrases.weights) == len(names) or not set(names) <= set(MEANING):
        raise SettingsRejected([f"{path.name}: not what `guard train` writes"])
    return Heads(names, tuple(map(float, thresholds)), phrases)

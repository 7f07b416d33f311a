"""How many tokens a text has, before a model says so.

Ollama has no tokenize endpoint. Words are counted by class of script; the rates were fitted, with
35 languages, code and emoji, to the vocabularies of Llama 3, Llama 4, Qwen and Mistral Nemo, so
that none of these needs more tokens than estimated by over about a tenth. Estimates are therefore
high at first, for scripts whose vocabularies differ much (Greek, Hebrew, Bengali) up to threefold.
Every reply's `prompt_eval_count` then corrects them for its model, script by script. Where the
model's vocabulary is known (`bot.prompting.vocabulary`) counts are exact.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bot.recent import Recent

MAX_MODELS = 64
MAX_REMEMBERED = 4_096
"""Texts whose estimate is remembered, by their hash: history is counted again each turn."""
MAX_ESTIMATED = 1_024
"""Texts of a model whose estimate as it stands is remembered: a prompt asks for most of them twice,
and the next one for many of them again."""
MARGIN = 1.1
"""Room for the estimator's error."""
PER_MESSAGE = 6
"""Tokens that a chat template adds to each message, at most, for the common ones."""
PER_PICTURE = 768
"""Tokens of a picture, as Ollama reckons when it makes a prompt fit (server/prompt.go)."""
PER_PROMPT = 6
"""Tokens that it adds once: the beginning, and the opening of the reply."""
SMALL_VOCABULARY = 64_000
"""Entries; the older, smaller vocabularies cut most scripts into nearly single letters."""

_LOW, _HIGH = 0.25, 3.0
"""Bounds of a factor that was learnt."""
_MIN_ACTUAL = 50
_NOISE, _DOUBT, _DRIFT = 0.04, 0.4, 0.01
"""Standard deviations: of one prompt's count, of a factor not yet learnt, of its drift."""
_ROOM = 1.04
"""Factor on a model's learnt counts: texts of one script differ among themselves."""
_ENOUGH, _EVERY, _NEAR = 24, 8, 1.25
"""Prompts after which one whose estimate was near teaches little: of those only every eighth is
counted anew. Near is enough, and not a quarter too much."""
_MOVED = 0.01
"""Change of a factor from which on a model's estimates are made anew."""
_SHY = 0.4
"""Share of a correction downwards that is believed: too high an estimate costs some history, too
low a one the reply."""

_CLASSES = re.compile(
    r"(?P<ascii>[A-Za-z]+(?![A-Za-z\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f]))"
    r"|(?P<vietnamese>[A-Za-z\u00c0-\u00ff\u0102\u0103\u0110\u0111\u0128\u0129\u0168\u0169]*"
    r"[\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9][A-Za-z\u00c0-\u024f\u1ea0-\u1ef9]*)"
    r"|(?P<latin>[A-Za-z\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f]+)"
    r"|(?P<digits>[0-9]+)"
    r"|(?P<greek>[\u0370-\u03ff\u1f00-\u1fff]+)"
    r"|(?P<cyrillic>[\u0400-\u052f]+)"
    r"|(?P<hebrew>[\u0590-\u05ff]+)"
    r"|(?P<arabic>[\u0600-\u08ff\u200c]+)"
    r"|(?P<devanagari>[\u0900-\u097f]+)"
    r"|(?P<indic>[\u0980-\u0dff]+)"
    r"|(?P<thai>[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+)"
    r"|(?P<caucasian>[\u0530-\u058f\u10a0-\u10ff]+)"
    r"|(?P<hangul>[\uac00-\ud7af\u1100-\u11ff]+)"
    r"|(?P<kana>[\u3040-\u30ff\u31f0-\u31ff]+)"
    r"|(?P<han>[\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)"
    r"|(?P<lines>\n+)"
    r"|(?P<indent>[ \t]{2,})"
    r"|(?P<astral>[\U00010000-\U0010ffff])"
    r"|(?P<joiner>[\u200d\ufe0f\u20e3])"
    r"|(?P<sign>[!-/:-@\[-`{-~]+)"
    r"|(?P<mark>[^\s\w])"
    r"|(?P<other>\w)"
)
_RATES: dict[str, tuple[str, float, int, float]] = {
    "english": ("english", 1.25, 6, 0.2),
    "ascii": ("latin", 1.0, 3, 0.35),
    "latin": ("latin", 1.0, 2, 0.75),
    "vietnamese": ("vietnamese", 1.0, 2, 0.25),
    "digits": ("signs", 1.0, 1, 1.0),
    "greek": ("greek", 1.3, 2, 1.15),
    "cyrillic": ("cyrillic", 1.6, 3, 0.5),
    "hebrew": ("hebrew", 0.8, 2, 1.8),
    "arabic": ("arabic", 1.5, 2, 0.7),
    "devanagari": ("devanagari", 1.6, 2, 1.4),
    "indic": ("indic", 0.8, 1, 2.2),
    "thai": ("thai", 1.6, 1, 0.5),
    "caucasian": ("caucasian", 0.8, 1, 2.3),
    "hangul": ("hangul", 0.8, 1, 0.85),
    "kana": ("cjk", 0.8, 1, 0.65),
    "han": ("cjk", 0.9, 1, 1.1),
    "lines": ("signs", 1.0, 9, 0.0),
    "indent": ("signs", 1.0, 8, 0.1),
    "astral": ("emoji", 3.7, 1, 0.0),
    "joiner": ("emoji", 2.4, 1, 0.0),
    "sign": ("signs", 0.8, 1, 0.25),
    "mark": ("signs", 1.1, 1, 0.0),
    "other": ("other", 2.5, 1, 0.0),
}
"""By class: what is corrected together, tokens of a run, the characters these cover, and tokens
for each one beyond."""
_ENGLISH = frozenset(
    {"the", "of", "and", "to", "a", "in", "is", "you", "that", "it", "for", "on", "with", "as", "i",
     "he", "was", "are", "be", "this", "have", "not", "they", "his", "her", "she", "at", "but",
     "your", "my", "we", "so", "no", "what", "me", "do"}
)  # fmt: skip
"""Words that tell English from the languages that are written with the same letters; these take
more tokens for their words."""
_ENGLISH_SHARE = 0.2
_LONGEST_TOLD = 4

_SMALL = {"english": 1.1, "latin": 1.4, "signs": 1.1}
_SMALL_ELSE = 1.8
"""What a small vocabulary takes more, before it taught better; fitted to Mistral 7B's."""

V = TypeVar("V")
Shape = Mapping[str, float]
"""Tokens of a text by what is corrected together."""


_ASCII_WORD = re.compile(r"[A-Za-z]+")
_ASCII_CLASSES = {
    "digits": re.compile(r"[0-9]+"),
    "lines": re.compile(r"\n+"),
    "indent": re.compile(r"[ \t]{2,}"),
    "sign": re.compile(r"[!-/:-@\[-`{-~]+"),
    "mark": re.compile(r"[\x00-\x08\x0e-\x1b\x7f]"),
}
"""The classes of plain ASCII: they share no character, so each can be counted by itself."""


def raw_shape(text: str) -> Shape:
    """Return the tokens of a text before any correction, by group."""
    return _shape_of(*(_ascii_runs if text.isascii() else _runs)(text))


def _shape_of(runs: dict[str, int], beyond: dict[str, int], english: int, long: int) -> Shape:
    """Return the tokens of so many runs of each class, and so many characters beyond theirs."""
    if english and english >= _ENGLISH_SHARE * runs["ascii"]:
        runs["english"], beyond["english"] = runs.pop("ascii"), long
    shape: dict[str, float] = defaultdict(float)
    for kind, count in runs.items():
        group, base, _, rate = _RATES[kind]
        shape[group] += count * base + beyond[kind] * rate
    return dict(shape)


def _ascii_runs(text: str) -> tuple[dict[str, int], dict[str, int], int, int]:
    """Return what `_runs` does, in a third of the time."""
    found = {kind: pattern.findall(text) for kind, pattern in _ASCII_CLASSES.items()}
    words = found["ascii"] = _ASCII_WORD.findall(text.lower())
    runs = {kind: len(each) for kind, each in found.items() if each}
    beyond = {kind: _beyond(found[kind], _RATES[kind][2]) for kind in runs}
    told = sum(map(_ENGLISH.__contains__, words))
    return runs, beyond, told, _beyond(words, _RATES["english"][2])


def _beyond(runs: Iterable[str], covered: int) -> int:
    return sum([size - covered for size in map(len, runs) if size > covered])


def _runs(text: str) -> tuple[dict[str, int], dict[str, int], int, int]:
    """Return runs and characters beyond by class, English words, and what is long for them."""
    runs: dict[str, int] = defaultdict(int)
    beyond: dict[str, int] = defaultdict(int)
    english = long = 0
    for match in _CLASSES.finditer(text):
        kind = match.lastgroup or "other"
        length = match.end() - match.start()
        runs[kind] += 1
        beyond[kind] += max(0, length - _RATES[kind][2])
        if kind == "ascii":
            long += max(0, length - _RATES["english"][2])
            english += length <= _LONGEST_TOLD and match.group().lower() in _ENGLISH
    return runs, beyond, english, long


@dataclass(slots=True)
class _Learnt:
    """What one model's counts have taught: a factor for each group, and the doubt about it.

    A Kalman filter with a diagonal: of a prompt in two scripts the one that is known less is
    corrected more.
    """

    factors: dict[str, float] = field(default_factory=lambda: defaultdict(lambda: 1.0))
    doubts: dict[str, float] = field(default_factory=dict)
    met: int = 0
    """Prompts whose counts were told."""
    in_use: dict[str, float] = field(default_factory=dict)
    """The factors of the estimates that are remembered."""

    def knows(self, actual: int, estimated: int) -> bool:
        """Whether there is little to learn from a count."""
        self.met += 1
        near = actual <= estimated <= actual * _NEAR
        return near and self.met > _ENOUGH and self.met % _EVERY > 0

    def apply(self, shape: Shape) -> float:
        return sum(tokens * self.factors[group] for group, tokens in shape.items())

    def learn(self, shape: Shape, actual: float) -> None:
        estimated = self.apply(shape)
        if estimated <= 0:
            return
        error = min(2.5, max(0.3, actual / estimated)) - 1.0
        shares = {g: t * self.factors[g] / estimated for g, t in shape.items()}
        doubts = {g: self.doubts.get(g, _DOUBT**2) + _DRIFT**2 for g in shares}
        scale = sum(doubts[g] * share**2 for g, share in shares.items()) + _NOISE**2
        for group, share in shares.items():
            gain = doubts[group] * share / scale * (_SHY if error < 0 else 1.0)
            factor = self.factors[group] * (1.0 + gain * error)
            self.factors[group] = min(_HIGH, max(_LOW, factor))
            self.doubts[group] = max(_DRIFT**2, doubts[group] * (1.0 - gain * share))

    def moved(self) -> bool:
        """Whether what was estimated so far is out of date from now on."""
        before, now = self.in_use, dict(self.factors)  # threads meet new groups meanwhile
        if before and all(abs(now[g] - before.get(g, 0.0)) <= _MOVED * now[g] for g in now):
            return False
        self.in_use = now
        return True


class TokenEstimator:
    """Estimates by model; learns from what the models report. Safe to use from any thread."""

    def __init__(self) -> None:
        self._learnt = Recent[str, _Learnt](MAX_MODELS)
        self._exact: dict[str, Callable[[str], int]] = {}
        self._remembered = Recent[int, Shape](MAX_REMEMBERED)
        self._counts = Recent[int, int](MAX_REMEMBERED)
        self._estimates = Recent[str, dict[int, int]](MAX_MODELS)
        """By model, until it teaches something new."""
        self._met: dict[str, None] = {}
        self._lock = threading.Lock()

    def estimate(self, text: str, model: str = "") -> int:
        """Return the tokens of a text, rounded up."""
        if not text:
            return 0
        known, key = self._estimates.get(model), hash((text, len(text)))
        found = known.get(key) if known is not None else None
        return self._newly(text, model, key) if found is None else found

    def _newly(self, text: str, model: str, key: int) -> int:
        """Return the tokens of a text for whose estimate nobody has asked, as things stand."""
        exact = self._exact.get(model)
        if exact is not None:
            return self._counted(text, model, exact)
        if model not in self._met and len(self._met) < MAX_MODELS:
            self._met[model] = None
        known = self._estimates.get(model)
        if known is None or len(known) >= MAX_ESTIMATED:
            known = {}
            with self._lock:
                self._estimates[model] = known
        found = known[key] = self._estimated(text, model)
        return found

    def _estimated(self, text: str, model: str) -> int:
        shape, learnt = self._shape(text), self._learnt.get(model)
        return int(sum(shape.values()) if learnt is None else learnt.apply(shape) * _ROOM) + 1

    def margin(self, model: str) -> float:
        """Return the factor of room to leave: 1.02 where counts are exact."""
        return 1.02 if model in self._exact else MARGIN

    def calibrate(
        self, model: str, texts: Iterable[str], actual: int, *, estimated: int = 0
    ) -> None:
        """Learn from one prompt: the texts of its messages, and what the model counted.

        `estimated` is what was estimated for the prompt's parts: of a model that has taught much,
        counts that were expected are learnt from only now and then.
        """
        if model in self._exact or actual < _MIN_ACTUAL:
            return
        known = self._learnt.get(model)
        if known is not None and known.knows(actual, estimated):
            return
        whole: dict[str, float] = defaultdict(float)
        for text in texts:
            for group, tokens in self._shape(text).items():
                whole[group] += tokens
            actual -= PER_MESSAGE
        actual -= PER_PROMPT
        if not whole or actual <= 0:
            return
        with self._lock:
            learnt = self._learnt[model] = self._learnt.get(model) or _Learnt()
            learnt.learn(whole, actual)
            if learnt.moved():
                self._estimates.pop(model, None)

    @property
    def met(self) -> tuple[str, ...]:
        """The models that texts were estimated for, first met first."""
        return tuple(model for model in tuple(self._met) if model)

    def expect_small(self, model: str) -> None:
        """Begin a model, of which nothing is known yet, as one with a small vocabulary."""
        with self._lock:
            if model not in self._learnt and len(self._learnt) < MAX_MODELS:
                factors = defaultdict(lambda: _SMALL_ELSE, _SMALL)
                self._learnt[model] = _Learnt(factors)
                self._estimates.pop(model, None)

    def teach(self, model: str, count: Callable[[str], int]) -> None:
        """Use an exact count for a model from now on."""
        with self._lock:
            if model in self._exact or len(self._exact) < MAX_MODELS:
                self._exact[model] = count
                self._estimates.pop(model, None)

    def _shape(self, text: str) -> Shape:
        return self._once(self._remembered, hash((text, len(text))), lambda: raw_shape(text))

    def _counted(self, text: str, model: str, count: Callable[[str], int]) -> int:
        return self._once(self._counts, hash((model, text, len(text))), lambda: count(text))

    def _once(self, known: Recent[int, V], key: int, make: Callable[[], V]) -> V:
        """Return what was made for a text before, or make it.

        By hash, not by text: what a person deletes must not live on here.
        """
        value = known.get(key)
        if value is None:
            value = make()
            with self._lock:
                known[key] = value
        return value

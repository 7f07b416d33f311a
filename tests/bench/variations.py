"""New texts made of the heads' corpus: words changed for their neighbours, parts joined anew."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from bot.guardrails.reading.normalise import plain_view
from bot.guardrails.triage.corpus import CORPUS, GROUPS, ORDINARY, group_of, woven
from bot.routing.corpus import CORPUS as ROUTED

LONGEST, SHORTEST = 260, 14
WAYS, NEIGHBOURS, FEWEST = 4, 8, 300
WORD = re.compile(r"[^\W\d_]{3,}")
LONG_WORD = re.compile(r"[^\W\d_]{4,}")
UNSPACED = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
ENDS = re.compile(r"(?<=[.!?;,。！？、，…])\s*")
NEIGHBOURLY, CHANGED, PART = 0.40, 0.55, 0.70
"""Shares, added up, of texts with neighbours, with any words, and of parts; the rest is joined."""


def spoken(folder: Path = CORPUS) -> dict[tuple[str, int], list[str]]:
    """Return the corpus' sentences by language and group."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.txt")):
        lang = "en"
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("## "):
                named = line.split()[2:]
                lang = named[0] if named else "many" if path.stem == ORDINARY else "en"
            elif line.strip() and not line.startswith("# "):
                texts = [plain_view(text) for text in woven(line)[:WAYS]]
                found[lang, group_of(line)] += texts
    return found


def neighbours(words: Iterable[str], of: dict[str, np.ndarray]) -> dict[str, list[str]]:
    """Return the nearest of these words to each of them; few words have none."""
    known = sorted(word for word in set(words) if word in of)
    if len(known) < FEWEST:
        return {}
    rows = np.array([of[word] for word in known], np.float32)
    rows = rows - rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9
    near = {}
    for start in range(0, len(rows), 1000):
        order = np.argsort(-(rows[start : start + 1000] @ rows.T), axis=1)[:, : NEIGHBOURS + 1]
        for at, row in enumerate(order, start):
            near[known[at]] = [known[other] for other in row if other != at]
    return near


def folded(word: str) -> str:
    """Return a word in small letters and without accents, as the vocabulary has it."""
    signs = unicodedata.normalize("NFD", word.lower())
    return "".join(sign for sign in signs if unicodedata.category(sign) != "Mn")


class Variations:
    """Makes texts, the same ones every time; a text mixes sentences of one group only."""

    def __init__(self, vectors: dict[str, np.ndarray], english: Iterable[str]) -> None:
        """Take vectors of words, and English words beside those of the corpora."""
        self._chance = random.Random(3)
        self._told = spoken()
        self._langs = sorted({lang for lang, _ in self._told})
        count = {lang: sum(len(self._told[lang, g]) for g in range(GROUPS)) for lang in self._langs}
        self._shares = [count[lang] ** 0.75 for lang in self._langs]
        words: dict[str, set[str]] = defaultdict(set)
        words["en"].update(english)
        for (lang, _), texts in self._told.items():
            for text in texts:
                words[lang].update(map(folded, WORD.findall(text)))
        for path in sorted(ROUTED.glob("*.txt")):
            lang = "en"
            for line in path.read_text("utf-8").splitlines():
                if line.startswith("@lang"):
                    lang = line.split()[1]
                elif line[:1] not in ("@", "#"):
                    words[lang].update(map(folded, WORD.findall(plain_view(line))))
        self._near = {lang: neighbours(found, vectors) for lang, found in words.items()}
        self._words = {
            lang: sorted({w for g in range(GROUPS) for t in self._told[lang, g]
                          for w in LONG_WORD.findall(t)})
            for lang in self._langs
        }  # fmt: skip

    def texts(self, count: int) -> list[tuple[int, str]]:
        """Return so many texts, each with its group, in order."""
        known = {text for texts in self._told.values() for text in texts}
        found: dict[str, int] = {}
        while len(found) < count:
            lang = self._chance.choices(self._langs, self._shares)[0]
            group = self._chance.randrange(GROUPS)
            if not self._told[lang, group]:
                continue
            text = plain_view(" ".join(self._one(lang, group).split()))[:LONGEST].strip()
            if len(text.encode()) >= SHORTEST and text not in known:
                found.setdefault(text, group)
        return sorted((group, text) for text, group in found.items())

    def _one(self, lang: str, group: int) -> str:
        chance, told = self._chance, self._told[lang, group]
        text, luck = chance.choice(told), chance.random()
        unspaced = UNSPACED.search(text) is not None
        if luck < NEIGHBOURLY and not unspaced:
            return self._with_neighbours(text, lang, chance.choice((0.2, 0.4, 0.6)))
        if luck < CHANGED and not unspaced:
            return self._with_any(text, lang, chance.choice((0.2, 0.4)))
        if luck < PART:
            return chance.choice(self._parts(text))
        one, other = self._parts(text), self._parts(chance.choice(told))
        one = one[: chance.randint(1, len(one))]
        other = other[-chance.randint(1, len(other)) :]
        parts = [*one, *other] if chance.random() < 0.6 else [*other, *one]
        joined = ("" if unspaced else " ").join(parts)
        if unspaced or chance.random() < 0.6:
            return joined
        return self._with_neighbours(joined, lang, 0.3)

    def _with_neighbours(self, text: str, lang: str, rate: float) -> str:
        near = self._near.get(lang, {})
        parts = re.findall(r"\w+|\W+", text)
        for at, part in enumerate(parts):
            beside = near.get(folded(part))
            if beside and self._chance.random() < rate:
                parts[at] = unicodedata.normalize("NFC", self._chance.choice(beside))
        return "".join(parts)

    def _with_any(self, text: str, lang: str, rate: float) -> str:
        words, chance = self._words[lang], self._chance
        return LONG_WORD.sub(
            lambda word: chance.choice(words) if chance.random() < rate else word[0], text
        )

    def _parts(self, text: str) -> Sequence[str]:
        """Return the clauses of a text, or two halves of it."""
        parts = [part for part in ENDS.split(text) if len(part) > 3]
        if len(parts) > 1:
            return parts
        if UNSPACED.search(text):
            half = max(2, len(text) // 2)
            return [text[:half], text[half:]]
        words = text.split()
        if len(words) < 4:
            return [text]
        half = self._chance.randint(2, len(words) - 2)
        return [" ".join(words[:half]), " ".join(words[half:])]

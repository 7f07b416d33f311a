"""Finding what somebody once said: words and meaning together. Pure; no I/O, no clock.

BM25 over stems (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) and cosine
of vectors, each divided by its maximum, then mixed. Reciprocal rank fusion was measured and lowers
recall (47.0 against 57.6 % at 5): one weak ranker counts as much as a good one. A turn's score is
helped by its neighbours', since what is asked for often stands beside the words of the question.
Age never counts: on the same questions a recency term only lowered recall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.memory.words import Terms, languages_of, query_terms, terms_of, words_of

Scores = NDArray[np.float32]
Vectors = NDArray[np.float32]

K1: Final = 1.2
B: Final = 0.75
NEIGHBOURS: Final = 0.3
"""How much of each neighbour's score a turn gets."""
DENSE: Final = 0.5
"""The share of vectors in the mixed score."""
SPEAKER: Final = 0.15
"""Added, in parts of the best score, to turns of the only speaker whom the question names."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A turn, or a fact, that can be found."""

    id: str
    text: str
    group: str = ""
    """Neighbours count within a group: a session, or a place's run of messages."""
    speaker: str = ""
    when: str = ""
    """The date in words, for questions that name one."""
    context: str = ""
    """What was said before, by somebody else; only a key."""
    facts: tuple[str, ...] = ()
    """Facts that were drawn from this turn; only keys."""
    language: str | None = None


def key_of(passage: Passage) -> str:
    """Return the words by which a passage can be found."""
    parts = (passage.when, passage.speaker, passage.context, passage.text, *passage.facts)
    return "\n".join(part for part in parts if part)


class Index:
    """Passages made searchable. Immutable; safe to use from several threads."""

    def __init__(
        self,
        terms: Sequence[Terms],
        groups: Sequence[str],
        speakers: Sequence[str],
        languages: Sequence[str],
    ) -> None:
        """Take each passage's terms, group and speaker, in the order in which they were said."""
        self.size = len(terms)
        self.languages = tuple(languages)
        lengths = np.fromiter((len(each) for each in terms), dtype=np.int64, count=self.size)
        words = np.concatenate(terms) if self.size else np.empty(0, np.uint32)
        owners = np.repeat(np.arange(self.size, dtype=np.int64), lengths)
        pairs, counts = np.unique(
            words.astype(np.uint64) << np.uint64(32) | owners.astype(np.uint64), return_counts=True
        )
        self._terms = (pairs >> np.uint64(32)).astype(np.uint32)
        self._owners = (pairs & np.uint64(0xFFFF_FFFF)).astype(np.int64)
        mean = float(lengths.mean()) if lengths.sum() else 1.0
        norm = K1 * (1 - B + B * lengths / mean)
        self._weights = counts * (K1 + 1) / (counts + norm[self._owners])
        same = [a == b for a, b in pairwise(groups)]
        self._joined = np.array(same, dtype=np.float32)
        self._speakers = {
            name: np.array([each == name for each in speakers])
            for name in dict.fromkeys(speakers)
            if name
        }

    def words(self, question: str) -> Scores:
        """Return each passage's BM25 score."""
        scores = np.zeros(self.size, dtype=np.float64)
        wanted = query_terms(question, self.languages)
        starts = np.searchsorted(self._terms, wanted, "left")
        ends = np.searchsorted(self._terms, wanted, "right")
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            if start < end:
                found = end - start
                weight = np.log1p((self.size - found + 0.5) / (found + 0.5))
                scores[self._owners[start:end]] += weight * self._weights[start:end]
        return scores.astype(np.float32)

    def smooth(self, scores: Scores, share: float = NEIGHBOURS) -> Scores:
        """Return scores with a share of each neighbour's added."""
        smoothed = scores.copy()
        if self.size > 1:
            smoothed[1:] += share * self._joined * scores[:-1]
            smoothed[:-1] += share * self._joined * scores[1:]
        return smoothed

    def rank(
        self,
        question: str,
        *,
        question_vector: Vectors | None = None,
        vectors: Vectors | None = None,
        lexical: Scores | None = None,
    ) -> Scores:
        """Return each passage's score; 0 where nothing speaks for it.

        `vectors` are the passages' unit vectors, a row each; a row of zeros for one without.
        `lexical` are the smoothed BM25 scores, if the caller has them already.
        """
        if lexical is None:
            lexical = self.smooth(self.words(question))
        scores = _scaled(lexical)
        if vectors is not None and question_vector is not None and len(vectors) == self.size:
            near = np.maximum(vectors @ question_vector, 0.0)
            scores = (1 - DENSE) * scores + DENSE * _scaled(self.smooth(near))
        named = self._named(question)
        if named is not None and self.size:
            scores = scores + SPEAKER * float(scores.max()) * named
        return scores

    def _named(self, question: str) -> Scores | None:
        """Return who spoke, if the question names exactly one of several speakers."""
        if len(self._speakers) < 2:
            return None
        asked = f" {' '.join(words_of(question))} "
        names = [name for name in self._speakers if f" {' '.join(words_of(name))} " in asked]
        if len(names) != 1:
            return None
        return self._speakers[names[0]].astype(np.float32)


def build(passages: Sequence[Passage]) -> Index:
    """Index passages that stand in the order in which they were said."""
    languages, kept = languages_of(passage.text for passage in passages)
    terms = [
        terms_of(key_of(passage), passage.language or language)
        for passage, language in zip(passages, languages, strict=True)
    ]
    return Index(terms, [p.group for p in passages], [p.speaker for p in passages], kept)


def best(scores: Scores, k: int) -> list[int]:
    """Return the places of the `k` best scores above 0, best first; of equals the later one."""
    order = np.lexsort((-np.arange(len(scores)), -scores))[:k]
    return [int(place) for place in order if scores[place] > 0]


def retrieve(
    question: str,
    turns: Sequence[Passage],
    *,
    k: int = 10,
    question_vector: Vectors | None = None,
    vectors: Vectors | None = None,
) -> list[str]:
    """Return the ids of the `k` turns that answer the question best, best first.

    Args:
        turns: in the order in which they were said.
        question_vector: the question's unit vector, if there is one.
        vectors: the turns' unit vectors, a row each.
    """
    scores = _indexed(tuple(turns)).rank(question, question_vector=question_vector, vectors=vectors)
    return [turns[place].id for place in best(scores, k)]


@lru_cache(maxsize=4)
def _indexed(turns: tuple[Passage, ...]) -> Index:
    """Return the index of turns that are asked about again and again."""
    return build(turns)


def _scaled(scores: Scores) -> Scores:
    """Return scores divided by the greatest, which is 1 then."""
    top = float(scores.max()) if len(scores) else 0.0
    return scores / top if top > 0 else scores

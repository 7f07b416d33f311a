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
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.memory.arrays import np
from bot.memory.words import Terms, languages_of, query_terms, terms_of, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scores: TypeAlias = "NDArray[np.float32]"
Vectors: TypeAlias = "NDArray[np.float32]"

K1: Final = 1.2
B: Final = 0.4
"""Less than the usual 0.75: the length of a chat turn says little about it."""
NEIGHBOURS: Final = 0.3
"""How much of each neighbour's score a turn gets."""
SAME_SPEAKER: Final = 0.15
"""How much it gets of what its own speaker said before and after the other's turn between."""
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


def key_of(passage: Passage, language: str) -> Terms:
    """Return the terms by which a passage can be found.

    What was said counts twice, with its day, its speaker and what is known from it; what was said
    before it once.
    """
    own = (passage.when, passage.speaker, passage.text, *passage.facts)
    said = terms_of("\n".join(part for part in own if part), language)
    return np.concatenate([said, said, terms_of(passage.context, language)])


@dataclass(frozen=True, slots=True)
class Postings:
    """Which words stand in which rows, ordered by word and row."""

    terms: NDArray[np.uint32]
    rows: NDArray[np.uint16]
    counts: NDArray[np.uint16]
    lengths: NDArray[np.int32]
    """Words of each row."""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(a.nbytes for a in (self.terms, self.rows, self.counts, self.lengths))

    def kept(self, keep: NDArray[np.bool_]) -> Postings:
        """Return the postings of some rows, numbered anew."""
        number = (np.cumsum(keep) - 1).astype(np.uint16)
        left = keep[self.rows]
        return Postings(
            self.terms[left], number[self.rows[left]], self.counts[left], self.lengths[keep]
        )

    def followed_by(self, other: Postings) -> Postings:
        """Return these postings with those of rows that come after."""
        places = np.searchsorted(self.terms, other.terms, "right")
        rows = other.rows + np.uint16(len(self.lengths))
        return Postings(
            np.insert(self.terms, places, other.terms),
            np.insert(self.rows, places, rows),
            np.insert(self.counts, places, other.counts),
            np.concatenate([self.lengths, other.lengths]),
        )

    def frequencies(self, wanted: Terms) -> NDArray[np.float32]:
        """Return how often each wanted word stands in each row."""
        starts = np.searchsorted(self.terms, wanted, "left")
        sizes = np.searchsorted(self.terms, wanted, "right") - starts
        found = np.flatnonzero(sizes)
        table = np.zeros((len(found), len(self.lengths)), dtype=np.float32)
        for line, place in enumerate(found.tolist()):
            run = slice(starts[place], starts[place] + sizes[place])
            table[line, self.rows[run]] = self.counts[run]
        return table


def postings_of(terms: Sequence[Terms]) -> Postings:
    """Return the postings of rows, of which each has some words."""
    lengths = np.fromiter((len(each) for each in terms), dtype=np.int64, count=len(terms))
    words = np.concatenate(terms) if len(terms) else np.empty(0, np.uint32)
    owners = np.repeat(np.arange(len(terms), dtype=np.uint64), lengths)
    pairs, counts = np.unique(words.astype(np.uint64) << np.uint64(16) | owners, return_counts=True)
    return Postings(
        (pairs >> np.uint64(16)).astype(np.uint32),
        (pairs & np.uint64(0xFFFF)).astype(np.uint16),
        counts.astype(np.uint16),
        lengths.astype(np.int32),
    )


class Index:
    """Some rows made searchable. Immutable; safe to use from several threads."""

    def __init__(
        self,
        postings: Postings,
        rows: NDArray[Any],
        joined: NDArray[np.bool_],
        *,
        languages: Sequence[str],
        speakers: Sequence[str] = (),
        keys: tuple[NDArray[Any], NDArray[Any]] | None = None,
    ) -> None:
        """Take the rows in the order in which they were said.

        `joined` says for each but the first whether it belongs to the one before it. `keys` are
        places of `rows`, in order, and further rows whose words count as theirs.
        """
        self.size = len(rows)
        self.languages = tuple(languages)
        self._postings = postings
        self._rows = rows
        self._joined = joined.astype(np.float32)
        names = np.array(speakers or [""] * self.size)
        same = (names[2:] == names[:-2]) & (names[2:] != "") & joined[1:] & joined[:-1]
        self._same_speaker = same.astype(np.float32)
        lengths = postings.lengths[rows].astype(np.float32)
        self._keys = None
        if keys is not None and len(keys[0]):
            places, starts = np.unique(keys[0], return_index=True)
            self._keys = (places, starts, keys[1])
            lengths[places] += np.add.reduceat(postings.lengths[keys[1]], starts)
        mean = float(lengths.mean()) if lengths.sum() else 1.0
        self._norm = (K1 * (1 - B + B * lengths / mean)).astype(np.float32)
        self._speakers = {
            name: np.array([each == name for each in speakers])
            for name in dict.fromkeys(speakers)
            if name
        }

    def words(self, question: str) -> Scores:
        """Return each passage's BM25 score."""
        table = self._postings.frequencies(query_terms(question, self.languages))
        found = table[:, self._rows]
        if self._keys is not None:
            places, starts, further = self._keys
            found[:, places] += np.add.reduceat(table[:, further], starts, axis=1)
        held = np.count_nonzero(found, axis=1)
        weights = np.log1p((self.size - held + 0.5) / (held + 0.5)).astype(np.float32)
        scores: Scores = weights @ (found * np.float32(K1 + 1) / (found + self._norm))
        return scores

    def smooth(self, scores: Scores) -> Scores:
        """Return scores with a share of each neighbour's added."""
        smoothed = scores.copy()
        if self.size > 1:
            smoothed[1:] += NEIGHBOURS * self._joined * scores[:-1]
            smoothed[:-1] += NEIGHBOURS * self._joined * scores[1:]
            smoothed[2:] += SAME_SPEAKER * self._same_speaker * scores[:-2]
            smoothed[:-2] += SAME_SPEAKER * self._same_speaker * scores[2:]
        return smoothed

    def rank(
        self,
        question: str,
        *,
        near: Scores | None = None,
        lexical: Scores | None = None,
    ) -> Scores:
        """Return each passage's score; 0 where nothing speaks for it.

        `near` are the cosines of the passages' vectors with the question's; 0 for one without.
        `lexical` are the smoothed BM25 scores, if the caller has them already.
        """
        if lexical is None:
            lexical = self.smooth(self.words(question))
        scores = _scaled(lexical)
        if near is not None:
            near = self.smooth(np.maximum(near, 0.0))
            scores = (1 - DENSE) * scores + DENSE * _scaled(near)
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
        key_of(passage, passage.language or language)
        for passage, language in zip(passages, languages, strict=True)
    ]
    joined = np.array([a.group == b.group for a, b in pairwise(passages)], dtype=bool)
    rows = np.arange(len(passages))
    speakers = [passage.speaker for passage in passages]
    return Index(postings_of(terms), rows, joined, languages=kept, speakers=speakers)


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
    near = None if vectors is None or question_vector is None else vectors @ question_vector
    scores = _indexed(tuple(turns)).rank(question, near=near)
    return [turns[place].id for place in best(scores, k)]


@lru_cache(maxsize=4)
def _indexed(turns: tuple[Passage, ...]) -> Index:
    """Return the index of turns that are asked about again and again."""
    return build(turns)


def _scaled(scores: Scores) -> Scores:
    """Return scores divided by the greatest, which is 1 then."""
    top = float(scores.max()) if len(scores) else 0.0
    return scores / top if top > 0 else scores

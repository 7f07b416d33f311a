"""A guild's corrections: near-duplicates of a corrected message take the corrected route at once.

A few dozen corrections do not generalise by training anew, but the same message said in nearly
the same words comes again. What is kept of a message are the hashed features that the route table
reads; its text only where a guild opts in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from math import ceil

from bot.chat.place import MessageId, UserId
from bot.routing.features import FEATURE_VERSION, features
from bot.routing.route import Route
from bot.routing.text import has_words

ALIKE = 0.7
"""Jaccard similarity of two feature sets from which one message stands for the other."""
SKETCH = 256
"""Features kept of a message: the smallest ids, which are a fair sample of a longer one's."""
CONTINUES = 0.5
"""Probability of a continuation from which a message means nothing without the turn before."""
TEXT_CHARACTERS = 2_000
"""Characters kept of a text, where texts are kept at all."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One message that went the wrong way, and the way it should have gone."""

    messages: tuple[MessageId, ...]
    """The corrected message, or the burst of them."""
    author: UserId
    by: UserId
    """Who corrected it."""
    label: Route
    instead_of: Route
    at: float
    """Unix seconds."""
    features: tuple[int, ...]
    version: int = FEATURE_VERSION
    follows: Route | None = None
    """The route of the turn before, for a message that only continues."""
    continues: bool = False
    text: str | None = None
    """Only where the guild keeps texts."""

    @property
    def id(self) -> str:
        """Return the decimal id of the first message."""
        return str(self.messages[0])


@dataclass(frozen=True, slots=True)
class Match:
    """A correction that a message is nearly a duplicate of. `alike` is their similarity."""

    correction: Correction
    alike: float


def sketch(message: str) -> tuple[int, ...]:
    """Return the ids of a message's words and pieces in ascending order, at most `SKETCH`.

    Empty for a message of signs, emoji and links only: nothing can be learned from it.
    """
    if not has_words(message):
        return ()
    found = features(message)
    return tuple(sorted({*found.words, *found.pieces})[:SKETCH])


def alike(one: Set[int], other: Set[int]) -> float:
    """Return the Jaccard similarity of two sets of features, 0 to 1."""
    shared = len(one & other)
    union = len(one) + len(other) - shared
    return shared / union if union else 0.0


class CorrectionBook:
    """Corrections of one guild, found without comparing a message with each of them.

    Two sets with a Jaccard similarity of t share an element among the first n - ceil(t·n) + 1 of
    both, for any common order of elements: the prefix filter of Chaudhuri, Ganti and Kaushik,
    "A Primitive Operator for Similarity Joins in Data Cleaning", ICDE 2006. With rare elements
    first there is hardly anything left to compare.
    """

    def __init__(self, corrections: Iterable[Correction] = ()) -> None:
        self._corrections = tuple(sorted(corrections, key=lambda each: -each.at))
        # Features of another version of the program can match nothing.
        self._sets = [
            frozenset(each.features if each.version == FEATURE_VERSION else ())
            for each in self._corrections
        ]
        self._held_by = Counter(feature for each in self._sets for feature in each)
        self._by_feature: dict[int, list[int]] = defaultdict(list)
        for number, held in enumerate(self._sets):
            for feature in self._rarest(held):
                self._by_feature[feature].append(number)

    def __len__(self) -> int:
        return len(self._corrections)

    def __iter__(self) -> Iterator[Correction]:
        return iter(self._corrections)

    def match(self, message: str, previous: Route | None) -> Match | None:
        """Return the correction most like a message; of equal ones the newest.

        `previous` is the route of the turn before: a correction of a mere continuation holds only
        after a turn of the same route.
        """
        if not self._by_feature:
            return None
        wanted = frozenset(sketch(message))
        candidates = {
            number for each in self._rarest(wanted) for number in self._by_feature.get(each, ())
        }
        best: Match | None = None
        for number in sorted(candidates):
            correction = self._corrections[number]
            if correction.continues and correction.follows is not previous:
                continue
            share = alike(wanted, self._sets[number])
            if share >= ALIKE and (best is None or share > best.alike):
                best = Match(correction, share)
        return best

    def _rarest(self, ids: Set[int]) -> Sequence[int]:
        """Return those elements of a set of which one is in every set that is alike."""
        ordered = sorted(ids, key=lambda each: (self._held_by[each], each))
        return ordered[: len(ids) - ceil(ALIKE * len(ids)) + 1] if ids else ()


NO_CORRECTIONS = CorrectionBook()

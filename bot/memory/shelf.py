"""A person's memory as loaded, and what of it answers a question at a place.

Immutable but for indexes that it makes on demand; held in the store's cache while its version
stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from bot.chat.place import Place
from bot.memory.item import LIFETIMES, Item, Kind
from bot.memory.retrieval import Index, Vectors, best
from bot.memory.scope import Use, use_of
from bot.memory.words import LATIN, Terms

SESSION_GAP: Final = 1800.0
"""Seconds of silence after which a new run of neighbours begins."""
USED: Final = (Kind.PROFILE, Kind.CONSTRAINT, Kind.PREFERENCE, Kind.FACT, Kind.EPISODE)
VIEWS: Final = 8
"""Places for which a person's indexes are kept."""
NEAREST: Final = 0.25
"""A passage without a word in common needs at least this cosine."""


class Stored(NamedTuple):
    """An item as stored, with its terms. A tuple, as `Item` is, and for the same reason."""

    item: Item
    terms: Terms


@dataclass(frozen=True, slots=True)
class Part:
    """Facts, or episodes, that may be used at a place."""

    items: tuple[Item, ...]
    index: Index
    vectors: Vectors | None


@dataclass(frozen=True, slots=True)
class View:
    """What may be used at one place, before any question. `denied` counts what may not."""

    profile: tuple[tuple[Item, Use], ...]
    constraints: tuple[Item, ...]
    preferences: tuple[Item, ...]
    facts: Part
    episodes: Part
    denied: int


@dataclass(frozen=True, slots=True)
class Found:
    """An item that answers, with its score."""

    item: Item
    score: float


@dataclass(slots=True)
class Shelf:
    """All of a person's items. `epoch` changes with each consent, `version` with each write."""

    version: bytes
    epoch: bytes
    paused: bool
    stored: tuple[Stored, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    space: str = ""
    """The space that `vectors` are in; items in another space have none."""
    vectors: Vectors | None = None
    """A row for each of `stored`, zeros where there is none."""
    size: int = 0
    """Bytes, about."""
    _by_kind: dict[Kind, list[Item]] = field(default_factory=dict)
    _views: dict[tuple[object, ...], tuple[float, View]] = field(default_factory=dict)

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(each.item for each in self.stored)

    @property
    def linked(self) -> bool:
        """Whether all personas share what the person told one of them."""
        return self.values.get("linked") == "1"

    def get(self, ident: str) -> Item | None:
        return next((each.item for each in self.stored if each.item.id == ident), None)

    def of(self, *kinds: Kind) -> list[Item]:
        """Return the items of some kinds, oldest first."""
        if not self._by_kind:
            for each in self.stored:
                self._by_kind.setdefault(each.item.kind, []).append(each.item)
        found = [item for kind in kinds for item in self._by_kind.get(kind, ())]
        return found if len(kinds) == 1 else sorted(found, key=_when)

    def view(self, place: Place, persona: str, now: float) -> View:
        """Return what may be used at a place; the filter comes before any score."""
        key = (place.guild, place.channel, persona, place.is_dm)
        held = self._views.get(key)
        if held is not None and now < held[0]:
            return held[1]
        made = self._view(place, persona, now)
        while len(self._views) >= VIEWS:
            self._views.pop(next(iter(self._views)))
        # Lifetimes end while a view is held: never more than an hour late.
        self._views[key] = (now + 3600.0, made)
        return made

    def _view(self, place: Place, persona: str, now: float) -> View:
        uses: list[tuple[int, Use]] = []
        denied = 0
        since = {kind: now - LIFETIMES.get(kind, now) for kind in USED}
        # Most items share their origin, so that few are judged.
        judged: dict[tuple[object, ...], Use] = {}
        for row, each in enumerate(self.stored):
            item = each.item
            kind = item.kind
            if kind not in since or item.at < since[kind]:
                continue
            origin = (kind, item.guild, item.channel, item.closed, item.persona, item.shared)
            use = judged.get((*origin, item.slot))
            if use is None:
                use = judged[*origin, item.slot] = use_of(item, place, persona, linked=self.linked)
            if use is Use.NO:
                denied += 1
            else:
                uses.append((row, use))
        by_kind: dict[Kind, list[int]] = {kind: [] for kind in Kind}
        for row, use in uses:
            kind = self.stored[row].item.kind
            if use is Use.OPEN:
                by_kind[kind].append(row)

        def items(kind: Kind) -> tuple[Item, ...]:
            return tuple(self.stored[row].item for row in by_kind[kind])

        return View(
            profile=tuple(
                (self.stored[row].item, use)
                for row, use in uses
                if self.stored[row].item.kind is Kind.PROFILE
            ),
            constraints=items(Kind.CONSTRAINT),
            preferences=items(Kind.PREFERENCE),
            facts=self._part(by_kind[Kind.FACT], {}),
            episodes=self._part(by_kind[Kind.EPISODE], self._fact_keys(by_kind[Kind.FACT])),
            denied=denied,
        )

    def _fact_keys(self, facts: Sequence[int]) -> dict[tuple[int, int], list[Terms]]:
        """Return the terms of usable facts by the message they came from."""
        found: dict[tuple[int, int], list[Terms]] = {}
        for row in facts:
            for source in self.stored[row].item.sources:
                found.setdefault(source, []).append(self.stored[row].terms)
        return found

    def _part(self, rows: Sequence[int], keys: Mapping[tuple[int, int], Sequence[Terms]]) -> Part:
        terms: list[Terms] = []
        groups: list[str] = []
        languages: dict[str, None] = {}
        last: Item | None = None
        group = 0
        for row in rows:
            item = self.stored[row].item
            extra = [each for source in item.sources for each in keys.get(source, ())]
            own = self.stored[row].terms
            terms.append(np.concatenate([own, *extra]) if extra else own)
            languages[item.language or LATIN] = None
            joined = (
                last is not None
                and item.kind is Kind.EPISODE
                and last.channel == item.channel
                and item.at - last.at <= SESSION_GAP
            )
            group += not joined
            groups.append(str(group))
            last = item
        vectors = None if self.vectors is None else self.vectors[list(rows)]
        items = tuple(self.stored[row].item for row in rows)
        index = Index(terms, groups, [""] * len(terms), tuple(languages) or (LATIN,))
        return Part(items, index, vectors)

    def find(self, part: Part, question: str, vector: Vectors | None, k: int) -> list[Found]:
        """Return the `k` items of a part that answer best."""
        if not part.items:
            return []
        vectors = part.vectors if vector is not None else None
        if vectors is not None and vector is not None and vectors.shape[1] != len(vector):
            vectors = None
        lexical = part.index.smooth(part.index.words(question))
        scores = part.index.rank(question, question_vector=vector, vectors=vectors, lexical=lexical)
        if vectors is not None and vector is not None:
            # Fusion scales whatever is nearest to 1: what is near to nothing must not come up.
            near = vectors @ vector >= NEAREST
            scores = np.where(near | (lexical > 0), scores, 0.0).astype(np.float32)
        return [Found(part.items[row], float(scores[row])) for row in best(scores, k)]


def _when(item: Item) -> str:
    """Return the part of an id that is in the order of time."""
    return item.id[1:]

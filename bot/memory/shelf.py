"""A person's memory as loaded, and what of it answers a question at a place.

Immutable but for indexes that it makes on demand; held in the store's cache while its version
stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.chat.place import Place
from bot.memory.arrays import np
from bot.memory.item import LIFETIMES, Item, Kind
from bot.memory.retrieval import Index, Scores, Vectors, best
from bot.memory.rows import ID_LENGTH, Rows
from bot.memory.scope import Use, use_of
from bot.memory.words import LATIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

SESSION_GAP: Final = 1800.0
"""Seconds of silence after which a new run of neighbours begins."""
USED: Final = (Kind.PROFILE, Kind.CONSTRAINT, Kind.PREFERENCE, Kind.FACT, Kind.EPISODE)
VIEWS: Final = 8
"""Places for which a person's indexes are kept."""
NEAREST: Final = 0.25
"""A passage without a word in common needs at least this cosine."""

Places: TypeAlias = "NDArray[Any]"


@dataclass(frozen=True, slots=True)
class Part:
    """Facts, or episodes, that may be used at a place: their rows, made searchable."""

    rows: Places
    index: Index


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
    rows: Rows
    values: Mapping[str, str] = field(default_factory=dict)
    space: str = ""
    """The space that the rows' vectors are in; items in another space have none."""
    _items: tuple[Item, ...] | None = None
    _wide: Vectors | None = None
    _views: dict[tuple[object, ...], tuple[float, View]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes, about."""
        return self.rows.size

    @property
    def items(self) -> tuple[Item, ...]:
        """Return everything, oldest first. For a reply `view` and `find` read far less."""
        if self._items is None:
            self._items = self.rows.items(range(len(self.rows)))
        return self._items

    def near(self, vector: Vectors) -> Scores | None:
        """Return each item's cosine with a unit vector; None if there is nothing to compare."""
        coded = self.rows.vectors
        if coded is None or coded.codes.shape[1] != len(vector):
            return None
        if self._wide is None:
            self._wide = coded.codes.astype(np.float32)
        return (self._wide @ vector) * coded.scales

    @property
    def linked(self) -> bool:
        """Whether all personas share what the person told one of them."""
        return self.values.get("linked") == "1"

    def get(self, ident: str) -> Item | None:
        """Return an item by its id."""
        name = ident.encode("utf-8", "replace")
        if len(name) > ID_LENGTH:
            return None
        return next(iter(self.rows.items(np.flatnonzero(self.rows.ids == name))), None)

    def of(self, *kinds: Kind) -> list[Item]:
        """Return the items of some kinds, oldest first."""
        letters = self.rows.letters()
        wanted = np.zeros(len(letters), dtype=bool)
        for kind in kinds:  # `isin` costs more than a few comparisons
            wanted |= letters == ord(kind.value)
        return list(self.rows.items(np.flatnonzero(wanted)))

    def since(self, kind: Kind, ident: str) -> list[Item]:
        """Return the items of a kind that came after an id, oldest first."""
        later = (self.rows.letters() == ord(kind.value)) & (self.rows.ids > ident.encode())
        return list(self.rows.items(np.flatnonzero(later)))

    def ids_of(self, kind: Kind) -> list[str]:
        """Return the ids of one kind, oldest first."""
        rows = np.flatnonzero(self.rows.letters() == ord(kind.value))
        return [self.rows.ident(row) for row in rows.tolist()]

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
        rows = self.rows
        # Most items share their origin, so that few are judged.
        uses = [use_of(origin, place, persona, linked=self.linked) for origin in rows.origins]
        used = _by_origin(rows, [origin.kind in USED for origin in rows.origins], bool)
        since = [now - LIFETIMES.get(origin.kind, now) for origin in rows.origins]
        used &= rows.at >= _by_origin(rows, since, float)
        usable = used & _by_origin(rows, [use is Use.OPEN for use in uses], bool)
        silent = used & _by_origin(rows, [use is Use.SILENT for use in uses], bool)
        letters = rows.letters()

        def of(kind: Kind, among: NDArray[np.bool_] = usable) -> Places:
            return np.flatnonzero(among & (letters == ord(kind.value)))

        profile = of(Kind.PROFILE, usable | silent)
        return View(
            profile=tuple(
                (item, uses[rows.origin[row]])
                for item, row in zip(rows.items(profile), profile, strict=True)
            ),
            constraints=rows.items(of(Kind.CONSTRAINT)),
            preferences=rows.items(of(Kind.PREFERENCE)),
            facts=self._facts(of(Kind.FACT)),
            episodes=self._episodes(of(Kind.EPISODE), of(Kind.FACT)),
            denied=int(np.count_nonzero(used & ~usable & ~silent)),
        )

    def _facts(self, rows: Places) -> Part:
        alone = np.zeros(max(0, len(rows) - 1), dtype=bool)
        return Part(rows, Index(self.rows.postings, rows, alone, languages=self._spoken(rows)))

    def _episodes(self, rows: Places, facts: Places) -> Part:
        """Return episodes; the facts drawn from one, as far as they may be used, are its keys."""
        channels = np.array([o.channel for o in self.rows.origins] or [0])[self.rows.origin[rows]]
        at = self.rows.at[rows]
        joined = (channels[1:] == channels[:-1]) & (at[1:] - at[:-1] <= SESSION_GAP)
        index = Index(
            self.rows.postings,
            rows,
            joined,
            languages=self._spoken(rows),
            keys=self._keys(rows, facts),
        )
        return Part(rows, index)

    def _keys(self, episodes: Places, facts: Places) -> tuple[Places, Places]:
        """Return places of episodes, in order, each with a fact that came from the same message."""
        owners, channels, messages = self.rows.sources
        of_fact = np.flatnonzero(np.isin(owners, facts))
        of_turn = np.flatnonzero(np.isin(owners, episodes))
        of_turn = of_turn[np.argsort(messages[of_turn], kind="stable")]
        if not len(of_turn) or not len(of_fact):
            return of_turn[:0], of_fact[:0]
        place = np.searchsorted(messages[of_turn], messages[of_fact])
        turn = of_turn[np.minimum(place, len(of_turn) - 1)]
        same = (messages[turn] == messages[of_fact]) & (channels[turn] == channels[of_fact])
        places = np.searchsorted(episodes, owners[turn[same]])
        order = np.argsort(places, kind="stable")
        return places[order], owners[of_fact[same]][order]

    def _spoken(self, rows: Places) -> Sequence[str]:
        found = np.unique(self.rows.language[rows])
        return [self.rows.languages[place] for place in found] or [LATIN]

    def find(self, part: Part, question: str, near: Scores | None, k: int) -> list[Found]:
        """Return the `k` items of a part that answer best; `near` is of all items."""
        if not len(part.rows):
            return []
        if near is not None:
            near = near[part.rows]
        lexical = part.index.smooth(part.index.words(question))
        scores = part.index.rank(question, near=near, lexical=lexical)
        if near is not None:
            # Fusion scales whatever is nearest to 1: what is near to nothing must not come up.
            scores = np.where((near >= NEAREST) | (lexical > 0), scores, 0.0).astype(np.float32)
        places = best(scores, k)
        items = self.rows.items(part.rows[places])
        return [Found(i, float(scores[place])) for i, place in zip(items, places, strict=True)]


def _by_origin(rows: Rows, values: Sequence[Any], kind: type) -> NDArray[Any]:
    """Return for each row what holds for its origin."""
    return np.array(values or [0], dtype=kind)[rows.origin]

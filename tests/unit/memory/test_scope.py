"""Where a memory was learned decides where it may be used."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.place import ChannelId, GuildId, Place
from bot.memory.item import Item, Kind, Slot, new_id
from bot.memory.recording import terms_for
from bot.memory.rows import from_items
from bot.memory.scope import SILENT_SLOTS, Use, is_closed, use_of
from bot.memory.shelf import Shelf

GUILDS = st.sampled_from([None, GuildId(1), GuildId(2), GuildId(3)])
CHANNELS = st.integers(10, 14).map(ChannelId)
PERSONAS = st.sampled_from(["", "wren", "maud"])


@dataclass(frozen=True)
class Told:
    """Something told at a place to a persona, perhaps shared afterwards."""

    kind: Kind
    slot: str
    place: Place
    persona: str
    shared: tuple[int, ...]

    @property
    def item(self) -> Item:
        return Item(
            new_id(self.kind, 1000.0),
            "secret dog",
            slot=self.slot,
            guild=self.place.guild or 0,
            channel=self.place.channel,
            closed=is_closed(self.place),
            persona=self.persona,
            shared=self.shared,
            at=1000.0,
        )


@st.composite
def places(draw: st.DrawFn) -> Place:
    guild = draw(GUILDS)
    flags = draw(st.tuples(st.booleans(), st.booleans()))
    return Place(draw(CHANNELS), guild, restricted=flags[0], age_restricted=flags[1])


TOLD = st.builds(
    Told,
    kind=st.sampled_from([Kind.PROFILE, Kind.CONSTRAINT, Kind.PREFERENCE, Kind.FACT, Kind.EPISODE]),
    slot=st.sampled_from([slot.value for slot in Slot]),
    place=places(),
    persona=PERSONAS,
    shared=st.lists(st.integers(1, 3), max_size=1).map(tuple),
)


def leaks(told: Told, asked: Place, persona: str, linked: bool, use: Use) -> bool:
    """Whether a use is against the rules, said in other words than the code's."""
    if use is Use.NO:
        return False
    everybodys = told.kind in (Kind.PROFILE, Kind.CONSTRAINT)
    if told.persona not in ("", persona) and not linked and not everybodys:
        return True
    if asked.is_dm or asked.guild in told.shared:
        return False
    if told.place.is_dm:
        obeyed = told.kind is Kind.PROFILE and told.slot in SILENT_SLOTS
        return not (obeyed and use is Use.SILENT)
    if told.place.guild != asked.guild:
        return True
    closed = told.place.restricted or told.place.age_restricted
    return closed and told.place.channel != asked.channel


def told_at_random(chance: random.Random) -> Told:
    kinds = [Kind.PROFILE, Kind.CONSTRAINT, Kind.PREFERENCE, Kind.FACT, Kind.EPISODE]
    return Told(
        chance.choice(kinds),
        chance.choice(list(Slot)).value,
        place_at_random(chance),
        chance.choice(["", "wren", "maud"]),
        tuple(chance.sample([1, 2, 3], chance.randint(0, 1))),
    )


def place_at_random(chance: random.Random) -> Place:
    guild = chance.choice([None, GuildId(1), GuildId(2), GuildId(3)])
    return Place(
        ChannelId(chance.randint(10, 14)),
        guild,
        restricted=chance.random() < 0.4,
        age_restricted=chance.random() < 0.2,
    )


def test_nothing_leaks_in_twenty_thousand_cases() -> None:
    chance = random.Random(7)
    uses: set[Use] = set()
    for _ in range(20_000):
        told, asked = told_at_random(chance), place_at_random(chance)
        persona, linked = chance.choice(["", "wren", "maud"]), chance.random() < 0.3
        use = use_of(told.item, asked, persona, linked=linked)
        assert not leaks(told, asked, persona, linked, use), (told, asked, persona, linked)
        uses.add(use)
    assert uses == set(Use), "the cases reach every answer"


@settings(deadline=None, max_examples=300)
@given(TOLD, places(), PERSONAS, st.booleans())
def test_nothing_leaks(told: Told, asked: Place, persona: str, linked: bool) -> None:
    use = use_of(told.item, asked, persona, linked=linked)
    assert not leaks(told, asked, persona, linked, use)


@settings(deadline=None, max_examples=200)
@given(st.lists(TOLD, max_size=6), places(), PERSONAS)
def test_what_may_not_be_used_is_not_even_scored(
    tolds: list[Told], asked: Place, persona: str
) -> None:
    items = [told.item for told in tolds]
    items.sort(key=lambda item: item.id[1:])
    rows = from_items(items, [terms_for(item) for item in items])
    shelf = Shelf(b"1", b"e", False, rows)
    view = shelf.view(asked, persona, 1001.0)
    usable = {item.id for item in items if use_of(item, asked, persona) is Use.OPEN}
    searched = rows.items([*view.facts.rows, *view.episodes.rows])
    assert {item.id for item in searched} <= usable
    assert {item.id for item in (*view.constraints, *view.preferences)} <= usable
    assert view.facts.index.size == len(view.facts.rows)
    assert view.denied == sum(use_of(item, asked, persona) is Use.NO for item in items)


DM = Place(ChannelId(10))
OPEN = Place(ChannelId(11), GuildId(1))
CLOSED = Place(ChannelId(12), GuildId(1), restricted=True)
ELSEWHERE = Place(ChannelId(13), GuildId(2))


@pytest.mark.parametrize(
    ("learned", "asked", "use"),
    [
        (DM, DM, Use.OPEN),
        (DM, OPEN, Use.NO),
        (OPEN, OPEN, Use.OPEN),
        (OPEN, CLOSED, Use.OPEN),
        (OPEN, DM, Use.OPEN),
        (OPEN, ELSEWHERE, Use.NO),
        (CLOSED, CLOSED, Use.OPEN),
        (CLOSED, OPEN, Use.NO),
        (CLOSED, DM, Use.OPEN),
    ],
)
def test_what_is_allowed_is_allowed(learned: Place, asked: Place, use: Use) -> None:
    assert use_of(Told(Kind.FACT, "", learned, "", ()).item, asked, "wren") is use


def test_the_language_told_in_a_dm_is_obeyed_in_a_guild_in_silence() -> None:
    told = Told(Kind.PROFILE, "language", DM, "", ())
    assert use_of(told.item, OPEN, "wren") is Use.SILENT
    assert use_of(told.item, DM, "wren") is Use.OPEN


def test_a_companion_keeps_what_it_was_told_unless_personas_are_linked() -> None:
    told = Told(Kind.FACT, "", DM, "wren", ())
    assert use_of(told.item, DM, "maud") is Use.NO
    assert use_of(told.item, DM, "maud", linked=True) is Use.OPEN


def test_sharing_opens_one_guild_only() -> None:
    told = Told(Kind.FACT, "", DM, "", (2,))
    assert use_of(told.item, ELSEWHERE, "wren") is Use.OPEN
    assert use_of(told.item, OPEN, "wren") is Use.NO

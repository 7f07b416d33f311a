"""How a person likes replies: what may be learned of it, and what they write themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.chat.place import UserId
from bot.errors import InvalidChoice
from bot.memory.item import Item, Kind, new_id
from bot.memory.preferences import COMPARE
from bot.memory.shelf import Shelf
from bot.memory.shelves import Shelves
from bot.memory.store import Changes, Put
from bot.memory.style import WORDS as STYLE_WORDS
from bot.memory.style import persona_text, refused_style
from bot.memory.stylist import WANTED
from bot.ports import Clock

STYLE_CHARACTERS: Final = 600


@dataclass(frozen=True, slots=True)
class PersonaPage:
    """What `/memory persona` shows. `pairs` are the choices that it is drawn from."""

    wanted: bool
    text: str
    pairs: tuple[Item, ...]
    by_hand: bool


class Liking:
    """The user persona, in its owner's hand."""

    def __init__(self, shelves: Shelves, clock: Clock) -> None:
        self._shelves = shelves
        self._clock = clock

    async def want(self, person: UserId, wanted: bool) -> None:
        """Begin to learn how the person likes replies, or forget that and stop."""

        def decided(shelf: Shelf) -> tuple[Changes, None]:
            if wanted:
                return Changes(values=((WANTED, "1"),)), None
            learned = tuple(item.id for item in shelf.of(Kind.PERSONA, Kind.TASTE))
            return Changes(remove=learned, values=((WANTED, ""), (COMPARE, ""))), None

        await self._shelves.change(person, decided)

    async def want_comparisons(self, person: UserId, wanted: bool) -> None:
        """Let the person choose between two replies now and then, or no longer.

        Raises:
            InvalidChoice: their choices are not learned from.
        """

        def decided(shelf: Shelf) -> tuple[Changes, None]:
            if wanted and shelf.values.get(WANTED) != "1":
                raise InvalidChoice(
                    "I don't learn from your choices yet. Switch that on with the option `learn` "
                    "first."
                )
            return Changes(values=((COMPARE, "1" if wanted else ""),)), None

        await self._shelves.change(person, decided)

    async def page(self, person: UserId) -> PersonaPage:
        """Return the user persona with what it rests on."""
        shelf = await self._shelves.of(person)
        ids = frozenset(item.id for item in shelf.items)
        item = next(iter(shelf.of(Kind.PERSONA)), None)
        text = persona_text(item, ids) if item else ""
        wanted = shelf.values.get(WANTED) == "1"
        return PersonaPage(wanted, text, tuple(shelf.of(Kind.TASTE)), bool(item and item.pinned))

    async def edit(self, person: UserId, text: str) -> None:
        """Put the user persona in the person's own words; with an empty text delete it.

        Raises:
            InvalidChoice: it is too long, or about more than style.
        """
        text = " ".join(text.split())
        puts: tuple[Put, ...] = ()
        if text:
            if len(text.split()) > STYLE_WORDS or len(text) > STYLE_CHARACTERS:
                raise InvalidChoice("That has at most {most} words.", most=STYLE_WORDS)
            if refused_style(text) is not None:
                raise InvalidChoice("That may say how you like replies, and nothing else.")
            now = self._clock.now()
            puts = (Put(Item(new_id(Kind.PERSONA, now), text, at=now, pinned=True)),)

        def edited(shelf: Shelf) -> tuple[Changes, None]:
            return Changes(puts, tuple(item.id for item in shelf.of(Kind.PERSONA))), None

        await self._shelves.change(person, edited)

"""What a person may do with their memory: look, search, change, share, forget, take along."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

from bot.chat.place import GuildId, MessageId, Place, UserId
from bot.errors import InvalidChoice, NotAllowed, NotFound
from bot.languages import mark
from bot.memory.explicit import Request, Wish, matching
from bot.memory.export import exported
from bot.memory.forgetting import SAID, forget, messages_of
from bot.memory.gates import normalised
from bot.memory.item import LONGEST_STATEMENT, STATEMENTS, Item, Kind, new_id, restored, without
from bot.memory.liking import Liking
from bot.memory.orders import is_command
from bot.memory.recording import statement
from bot.memory.retrieval import Passage, best, build
from bot.memory.scope import Use, use_of
from bot.memory.sensitive import sensitive_class
from bot.memory.shelf import Shelf
from bot.memory.shelves import Shelves
from bot.memory.store import Changes, Consent, MemoryStore, Put
from bot.memory.undo import KEPT, Undo
from bot.ports import Clock
from bot.recent import Recent

MOST_FORGOTTEN: Final = 10
"""Items that a request in words may take away at once; who wants more chooses."""


class Asking(StrEnum):
    """How people come to a memory; the operator decides."""

    ASK = "ask"
    """They are asked, once."""
    OFF = "off"
    """They ask for it."""
    NEVER = "never"
    """Not at all. What was remembered can still be seen, taken along and deleted."""


NO_MEMORIES: Final = mark("Memories are switched off by who runs this bot.")


class Said(Protocol):
    """Where what people said is kept, beside the memory: the conversations."""

    async def delete(self, place: Place, messages: Sequence[MessageId]) -> object:
        """Remove messages, and the replies to them. Raises `StoreError`."""

    async def delete_person(self, person: UserId) -> int:
        """Remove what the person said. Raises `StoreError`."""


class Notebook:
    """A person's own hand in their memory. Everything here works while the memory is paused."""

    def __init__(
        self,
        store: MemoryStore,
        clock: Clock,
        asking: Asking = Asking.ASK,
        taken_back: Callable[[], Collection[tuple[int, int]]] = frozenset,
        said: Said | None = None,
    ) -> None:
        """`taken_back` returns the messages that were deleted or edited of late; what is forgotten
        goes from `said`, too."""
        self._shelves = Shelves(store)
        self.liking = Liking(self._shelves, clock)
        self._taken_back = taken_back
        self._said = said
        self._store = store
        self._clock = clock
        self._asking = asking
        self._undos = Recent[tuple[UserId, str], Undo](KEPT)

    def keep(self, person: UserId, undo: Undo) -> str:
        """Keep what undoes a change for a button, which holds no more than a name; return it."""
        name = secrets.token_hex(8)
        self._undos[person, name] = undo
        return name

    async def take_back(self, person: UserId, name: str) -> None:
        """Undo what was kept by a name, once.

        Raises:
            NotFound: it was undone, or is too long ago.
        """
        undo = self._undos.pop((person, name), None)
        if undo is None:
            # Not over a restart: what was forgotten should not lie in the store for this.
            raise NotFound("This can't be undone any more. `/memory show` lists what I remember.")
        await self.undo(person, undo)

    async def show(
        self, person: UserId, place: Place, *, kinds: Sequence[Kind] = STATEMENTS
    ) -> list[Item]:
        """Return what is remembered, as far as it may be said at this place; newest first.

        In a guild that leaves out what was told elsewhere: somebody may look over a shoulder.

        Raises:
            NotFound: there is no memory.
        """
        shelf = await self._shelves.of(person)
        now = self._clock.now()
        return [
            item
            for item in reversed(shelf.items)
            if item.kind in kinds
            and not item.expired(now)
            and use_of(item, place, item.persona) is Use.OPEN
        ]

    async def search(self, person: UserId, place: Place, words: str, k: int = 10) -> list[Item]:
        """Return what of it answers best, messages included."""
        items = await self.show(person, place, kinds=(*STATEMENTS, Kind.EPISODE))
        items.reverse()
        index = build([Passage(i.id, i.text, group=i.id, context=i.context) for i in items])
        return [items[row] for row in best(index.words(words), k)]

    async def remember(
        self,
        person: UserId,
        place: Place,
        text: str,
        *,
        locale: str | None = None,
        message: MessageId | None = None,
    ) -> tuple[Item, Undo]:
        """Write down what a person asks for.

        Raises:
            NotFound: there is no memory.
            InvalidChoice: it is too long, an instruction, or of a kind that is never stored.
        """
        text = " ".join(text.split())
        check_statement(text)
        shelf = await self._shelves.of(person)
        request = Request(Wish.REMEMBER, text)
        sources = () if message is None else (message,)
        put = statement(request, place, self._clock.now(), locale, sources)
        old = [
            item
            for item in shelf.items
            if item.kind is put.item.kind
            and (item.slot == put.item.slot != "" or normalised(item.text) == normalised(text))
            and (item.guild, item.closed) == (put.item.guild, put.item.closed)
        ]
        changes = Changes(put=(put,), remove=tuple(item.id for item in old))
        written = await self._store.apply(person, shelf, changes, by_person=True)
        if not written.stored:
            raise InvalidChoice("There is no room for another one. Forget an old one first.")
        return put.item, Undo(tuple(old), (put.item.id,), epoch=shelf.epoch)

    async def edit(self, person: UserId, place: Place, ident: str, text: str) -> Undo:
        """Put an item in the person's own words; nothing else changes it from then on."""
        text = " ".join(text.split())
        check_statement(text)

        def edited(shelf: Shelf) -> tuple[Changes, Undo]:
            item = _visible(shelf, place, ident)
            if item.kind is Kind.EPISODE:
                raise InvalidChoice("That is a message of yours: edit the message itself.")
            now = self._clock.now()
            new = item._replace(text=text, pinned=True, id=new_id(item.kind, now))
            undo = Undo((item,), (new.id,), epoch=shelf.epoch)
            return Changes((Put(new, used=now),), (ident,)), undo

        return await self._shelves.change(person, edited)

    async def forget(self, person: UserId, place: Place, ident: str) -> Undo:
        """Forget one item, and what holds the same: its messages, our replies, its forerunners.

        Another fact from one of these messages stays. Bringing back brings nothing back that was
        said.
        """
        return await self._forget(
            person, lambda shelf: forget(shelf, [_visible(shelf, place, ident)])
        )

    async def forget_matching(self, person: UserId, text: str) -> Undo:
        """Forget whatever a request in words means, wherever it was told.

        Raises:
            NotFound: it means nothing that is remembered.
            InvalidChoice: it could mean too much.
        """

        def matched(shelf: Shelf) -> tuple[Changes, Undo]:
            meant = matching(text, [item for item in shelf.items if item.kind in SAID])
            if len(meant) > MOST_FORGOTTEN:
                raise InvalidChoice(
                    "That could mean {count} memories. `/memory forget` shows them; say it in more "
                    "words, or choose there.",
                    count=len(meant),
                )
            return forget(shelf, meant, text)

        undo = await self._forget(person, matched)
        if not undo:
            raise NotFound("I remember nothing like that.")
        return undo

    async def forget_message(self, person: UserId, place: Place, message: MessageId) -> Undo:
        """Forget what came from one message."""
        source = (int(place.channel), int(message))
        return await self._forget(
            person,
            lambda shelf: forget(shelf, [item for item in shelf.items if source in item.sources]),
        )

    async def _forget(
        self, person: UserId, chosen: Callable[[Shelf], tuple[Changes, Undo]]
    ) -> Undo:
        """Forget what is chosen, and take the messages that say it out of the conversations.

        These first: who has to try again finds the memory still there.
        """
        if self._said is not None:
            _, undo = chosen(await self._shelves.of(person))
            for place, messages in messages_of(undo.restore).items():
                await self._said.delete(place, messages)
        return await self._shelves.change(person, chosen)

    async def undo(self, person: UserId, undo: Undo) -> None:
        """Bring back what a change took away, save what a message said that is gone since.

        Raises:
            NotFound: all was forgotten since.
        """
        shelf = await self._shelves.of(person)
        if shelf.epoch != undo.epoch:
            raise NotFound("There is nothing to go back to.")
        gone = self._taken_back()
        left = (without(item, gone) for item in (*undo.restore, *undo.changed))
        puts = tuple(Put(item) for item in left if item is not None)
        await self._store.apply(person, shelf, Changes(puts, undo.remove), by_person=True)

    async def replaced(self, person: UserId, place: Place) -> list[tuple[Item, Item]]:
        """Return what took the place of something that can still come back, with that."""
        shelf = await self._shelves.of(person)
        olds = {item.id: item for item in shelf.of(Kind.SUPERSEDED)}
        now = self._clock.now()
        return [
            (item, olds[item.replaces])
            for item in await self.show(person, place)
            if item.replaces in olds and not olds[item.replaces].expired(now)
        ]

    async def go_back(self, person: UserId, place: Place, ident: str) -> tuple[Item, Undo]:
        """Bring back what an item took the place of, in place of the item.

        Raises:
            NotFound: it replaced nothing, or that is gone for good.
        """

        def gone_back(shelf: Shelf) -> tuple[Changes, tuple[Item, Undo]]:
            item = _visible(shelf, place, ident)
            old = shelf.get(item.replaces) if item.replaces else None
            if old is None or old.expired(self._clock.now()):
                raise NotFound("There is nothing to go back to.")
            back = restored(old)
            undo = Undo((item, old), (back.id,), epoch=shelf.epoch)
            return Changes((Put(back),), (item.id, old.id)), (back, undo)

        return await self._shelves.change(person, gone_back)

    async def share(
        self, person: UserId, ident: str, guild: GuildId, *, stop: bool = False
    ) -> Item:
        """Let an item be used in a guild, or no longer."""

        def shared(shelf: Shelf) -> tuple[Changes, Item]:
            item = shelf.get(ident)
            if item is None or item.kind is Kind.SUPERSEDED:
                raise NotFound("There is no such memory.")
            guilds = [each for each in item.shared if each != guild]
            new = item._replace(shared=tuple(guilds if stop else [*guilds, int(guild)]))
            return Changes((Put(new),)), new

        return await self._shelves.change(person, shared)

    async def link_personas(self, person: UserId, linked: bool) -> None:
        """Let all personas use what one of them was told, or each only its own."""
        shelf = await self._shelves.of(person)
        changes = Changes(values=(("linked", "1" if linked else ""),))
        await self._store.apply(person, shelf, changes, by_person=True)

    async def export(self, person: UserId) -> Mapping[str, Any]:
        """Return everything, in the form that `memory.export` describes."""
        consent = await self._store.consent(person)
        shelf = await self._store.load(person)
        return exported(shelf.items if shelf else (), consent)

    async def consent(self, person: UserId) -> Consent:
        """Return what the person decided."""
        return await self._store.consent(person)

    async def set_consent(self, person: UserId, consent: Consent) -> None:
        """Note the person's decision. A no forgets everything.

        Raises:
            NotAllowed: it is a yes, and the operator wants no memories.
        """
        match consent:
            case Consent.ON if self._asking is Asking.NEVER:
                raise NotAllowed(NO_MEMORIES)
            case Consent.ON:
                await self._store.agree(person, self._clock.now())
            case Consent.PAUSED:
                await self._store.pause(person, True)
            case Consent.DECLINED:
                await self._store.decline(person)
            case Consent.UNDECIDED:
                await self._store.forget_all(person)

    async def forget_all(self, person: UserId) -> int:
        """Leave nothing, nor what the person said in conversations. Return how many items there
        were."""
        if self._said is not None:
            await self._said.delete_person(person)
        return await self._store.forget_all(person)


def _visible(shelf: Shelf, place: Place, ident: str) -> Item:
    item = shelf.get(ident)
    if (
        item is None
        or item.kind is Kind.SUPERSEDED
        or use_of(item, place, item.persona) is not Use.OPEN
    ):
        raise NotFound("There is no such memory here.")
    return item


def check_statement(text: str) -> None:
    """Make sure that a person's own words may be remembered.

    Raises:
        InvalidChoice: they may not; the text says why.
    """
    if not text or len(text) > LONGEST_STATEMENT:
        raise InvalidChoice("A memory has 1 to {most} characters.", most=LONGEST_STATEMENT)
    if is_command(text):
        raise InvalidChoice("I remember facts about you, not instructions or links.")
    if sensitive_class(text):
        raise InvalidChoice(
            "I never store health, faith, sexuality, politics, age, contact data or secrets."
        )

"""The memory as a turn meets it: recall before the reply, notes after it, neither in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import MessageId, Place, UserId
from bot.chat.turn import Message, Turn, TurnId
from bot.errors import (
    ConsentRequired,
    InvalidChoice,
    NotAllowed,
    NotFound,
    StoreError,
    TroupeError,
    UserFacing,
)
from bot.memory.explicit import Request, Wish, read_request, tells_of_self
from bot.memory.item import Kind, retention
from bot.memory.learning import Learner, schedule
from bot.memory.notebook import NO_MEMORIES, Asking, Notebook, Said
from bot.memory.observer import Observer
from bot.memory.preferences import Preferences
from bot.memory.recollection import NOTHING, Recollection, recollect
from bot.memory.recording import Answered, episode
from bot.memory.sensitive import sensitive_class
from bot.memory.shelf import Shelf
from bot.memory.shelves import NO_MEMORY
from bot.memory.sources import Sources
from bot.memory.store import Changes, Consent, MemoryStore, Put
from bot.memory.undo import NO_UNDO, Undo
from bot.memory.vectors import question_vector
from bot.ports import Clock, Embedder
from bot.recent import Recent
from bot.routing.profiles import MemoryPolicy
from bot.routing.route import Route

RECALL_TIMEOUT: Final = 0.15
"""Seconds that a turn waits for its memories."""
EMBED_TIMEOUT: Final = 0.1
REMEMBERED_TURNS: Final = 1_000
AHEAD: Final = 100
"""Memories read for turns that have not asked for them yet."""
AHEAD_S: Final = 2.0
"""Seconds for which they are held."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fulfilled:
    """What became of a wish that was said in chat: done, with what undoes it, or refused."""

    wish: Wish
    undo: Undo = NO_UNDO
    refused: UserFacing | None = None


class Memory:
    """Made once by the composition root.

    `notebook` is for commands, `learner` for the background.
    """

    def __init__(
        self,
        store: MemoryStore,
        learner: Learner,
        embedder: Embedder | None,
        clock: Clock,
        observer: Observer,
        *,
        asking: Asking = Asking.ASK,
        said: Said | None = None,
    ) -> None:
        self._sources = Sources(store, clock)
        self.notebook = Notebook(store, clock, asking, self._sources.taken_back, said)
        self.preferences = Preferences(store, clock, observer, self._sources)
        self.learner = learner
        self._store = store
        self._embedder = embedder
        self._clock = clock
        self._observer = observer
        self._asking = asking
        self._ahead = Recent[TurnId, tuple[int, Shelf | None]](AHEAD)
        """With the number of the last change of the memory before it was read."""
        self._recalled = Recent[TurnId, tuple[str, ...]](REMEMBERED_TURNS)

    # ── before the reply ────────────────────────────────────────────────────────────────────

    async def foresee(self, turn: Turn) -> None:
        """Read the memory that `recall` will need for a turn. Never raises."""
        change = self._store.last_change(turn.speaker.id)
        with suppress(TroupeError):  # `recall` will meet it too
            self._ahead[turn.id] = change, await self._in_use(turn.speaker.id)
            asyncio.get_running_loop().call_later(AHEAD_S, self.let_go, turn)

    def let_go(self, turn: Turn) -> None:
        """Drop what was read ahead for a turn."""
        self._ahead.pop(turn.id, None)

    async def recall(self, turn: Turn, policy: MemoryPolicy, persona_id: str) -> Recollection:
        """Return what may be used for the reply, within `RECALL_TIMEOUT` seconds. Never raises."""
        began = self._clock.monotonic()
        outcome, found = "late", NOTHING
        try:
            async with asyncio.timeout(RECALL_TIMEOUT):
                outcome, found = await self._recall(turn, policy, persona_id)
        except TimeoutError:
            log.info("memories came too late", turn=turn.id)
        except TroupeError as error:
            outcome = "failed"
            log.warning("memories not recalled", turn=turn.id, kind=type(error).__name__)
        self._observer.recalled(self._clock.monotonic() - began, outcome=outcome)
        if found.ids:
            self._recalled[turn.id] = found.ids
        return found

    async def _recall(
        self, turn: Turn, policy: MemoryPolicy, persona: str
    ) -> tuple[str, Recollection]:
        change, shelf = self._ahead.pop(turn.id, (None, None))
        if change is None or change != self._store.last_change(turn.speaker.id):
            shelf = await self._in_use(turn.speaker.id)
        if shelf is None:
            return "off", NOTHING
        vector = await question_vector(
            self._embedder, turn.text, shelf, EMBED_TIMEOUT, self._observer
        )
        now = self._clock.now()
        found, view = recollect(shelf, turn.place, persona, turn.text, policy, now, vector=vector)
        if view.denied:
            self._observer.denied(view.denied)
        return ("found" if found.ids else "nothing"), found

    # ── after the reply ─────────────────────────────────────────────────────────────────────

    async def after(
        self, turn: Turn, route: Route, persona_id: str, conversation: Conversation
    ) -> tuple[Fulfilled, ...]:
        """Note what the person said, and do at once what they asked of the memory. Never raises.

        `conversation` is as it was before the turn. Returns what became of their wishes.
        """
        used = self._recalled.pop(turn.id, ())
        before = _last(conversation, turn)
        fulfilled: list[Fulfilled] = []
        try:
            await self._after(turn, route, persona_id, before, used, fulfilled)
        except ConsentRequired:
            pass  # paused or forgotten while we wrote: nothing is kept
        except TroupeError as error:
            log.warning("turn not remembered", turn=turn.id, kind=type(error).__name__)
        return tuple(fulfilled)

    async def _after(
        self,
        turn: Turn,
        route: Route,
        persona: str,
        before: Exchange | None,
        used: Sequence[str],
        fulfilled: list[Fulfilled],
    ) -> None:
        person = turn.speaker.id
        shelf = await self._in_use(person)
        if shelf is None:
            fulfilled += await self._unheard(turn)
            return
        if before is not None and not self._sources.stands(turn.place, before):
            before = None  # taken back while the reply was written
        if before is not None:
            await self.preferences.kept(person, turn.place, before)
        answered = _answered(before, person)
        owner = persona if route is Route.COMPANION else ""
        puts: list[Put] = []
        for message in turn.messages:
            if message.speaker.id != person:
                continue
            request = read_request(message.text)
            if request is not None:
                fulfilled += await self._fulfil(request, message)
                continue
            if route is Route.CREATIVE:
                continue  # in a story "I" is somebody else
            put = episode(self._sources.as_edited(message), answered, owner)
            if put is not None and not self._sources.is_gone(message):
                puts.append(put)
        try:
            await self._write(person, shelf, puts, used)
        finally:  # a write whose answer was lost may have been done
            if puts:
                stands = before is None or self._sources.stands(turn.place, before)
                came_from = (*turn.message_ids, *(() if stands else answered.messages))
                await self._sources.make_up_for(turn.place, came_from)
        if puts:
            await schedule(self._store, person, self._clock.now())

    async def _in_use(self, person: UserId) -> Shelf | None:
        """Return a person's memory, if it may be used."""
        if self._asking is Asking.NEVER:
            return None
        shelf = await self._store.load(person)
        return None if shelf is None or shelf.paused else shelf

    async def _write(
        self, person: UserId, shelf: Shelf, puts: Sequence[Put], used: Sequence[str]
    ) -> None:
        now = self._clock.now()
        known = {item.id: item for item in shelf.items}
        scores = tuple((i, retention(known[i], now)) for i in used if i in known)
        expired = tuple(item.id for item in shelf.items if item.expired(now))
        if not (puts or scores or expired):
            return
        written = await self._store.apply(person, shelf, Changes(tuple(puts), expired, scores))
        for ident in written.stored:
            self._observer.stored(Kind(ident[0]).word)
        for ident in written.evicted:
            self._observer.evicted(Kind(ident[0]).word)

    async def _fulfil(self, request: Request, message: Message) -> list[Fulfilled]:
        person, place = message.speaker.id, message.place
        try:
            if request.wish is Wish.FORGET:
                undo = await self.notebook.forget_matching(person, request.text)
            elif self._sources.is_gone(message):
                return []
            else:
                _, undo = await self.notebook.remember(
                    person,
                    place,
                    request.text,
                    locale=message.speaker.locale,
                    message=message.id,
                )
                self._observer.extracted("explicit")
        except (InvalidChoice, NotFound) as error:
            self._observer.refused("explicit")
            return [Fulfilled(request.wish, refused=error)]
        return [Fulfilled(request.wish, undo)]

    async def _unheard(self, turn: Turn) -> list[Fulfilled]:
        """Say why a wish to remember comes to nothing; those who never decided are asked."""
        person = turn.speaker.id
        asked = (
            read_request(message.text) for message in turn.messages if message.speaker.id == person
        )
        if not any(request is not None and request.wish is Wish.REMEMBER for request in asked):
            return []
        why: UserFacing
        if self._asking is Asking.NEVER:
            why = NotAllowed(NO_MEMORIES)
        elif (consent := await self._store.consent(person)) is Consent.PAUSED:
            why = NotAllowed("My memory of you is paused. `/memory on` goes on.")
        elif consent is Consent.DECLINED or self._asking is Asking.OFF:
            why = NotFound(NO_MEMORY)
        else:
            return []
        return [Fulfilled(Wish.REMEMBER, refused=why)]

    # ── deletions and edits ─────────────────────────────────────────────────────────────────

    async def source_deleted(self, place: Place, message_ids: Sequence[MessageId]) -> int:
        """Remove what came from deleted messages alone. Return how many items that were.

        Raises:
            StoreError: the store is away.
        """
        return await self._sources.deleted(place, message_ids)

    async def source_edited(self, place: Place, message_id: MessageId, text: str) -> int:
        """Rewrite what a message said, and forget what was drawn from its old words.

        Returns how many items changed.

        Raises:
            StoreError: the store is away.
        """
        return await self._sources.edited(place, message_id, text)

    # ── asking ──────────────────────────────────────────────────────────────────────────────

    def may_offer(self, turn: Turn, route: Route) -> bool:
        """Whether a memory would help with what was said: only as a companion, about oneself."""
        return (
            self._asking is Asking.ASK
            and route is Route.COMPANION
            and tells_of_self(turn.text)
            and sensitive_class(turn.text) is None
        )

    async def offer_due(self, turn: Turn) -> bool:
        """Whether to offer a memory now: once a person, to the undecided. Never raises."""
        try:
            return await self._store.offer_once(turn.speaker.id)
        except StoreError:
            return False


def _last(conversation: Conversation, turn: Turn) -> Exchange | None:
    """Return the exchange before a turn."""
    return next((e for e in reversed(conversation.exchanges) if e.turn != turn.id), None)


def _answered(before: Exchange | None, person: UserId) -> Answered:
    """Return our reply that a person's new message answers: one that was for them alone.

    What was said to another person must not live on in this one's memory.
    """
    reply = before.reply if before is not None else None
    if before is None or reply is None or not before.said:
        return Answered()
    if any(said.speaker.id != person for said in before.said):
        return Answered()
    messages = (*(said.message_id for said in before.said), *reply.message_ids)
    return Answered(reply.text, messages)

"""The pipeline without Discord: for the playground page and the terminal."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from textwrap import shorten
from typing import Protocol

from bot.chat.account import TurnAccount
from bot.chat.arriving.triggers import HIDDEN_PREFIX
from bot.chat.conversation import Exchange
from bot.chat.notices import notice_for
from bot.chat.pipeline import TurnPipeline
from bot.chat.place import (
    ChannelId,
    MessageId,
    Place,
    UserId,
    made_up_snowflake,
    snowflake_at,
)
from bot.chat.replying.closing import Closing
from bot.chat.turn import Message, Speaker, Trigger, Turn
from bot.errors import Busy, NotFound, TroupeError
from bot.guardrails.caring.disclosure import Disclosures
from bot.languages import reading, t
from bot.languages.spoken import spoken_language
from bot.personas import Persona, PersonaLibrary
from bot.personas.binding import Binding
from bot.personas.portrait import portrait
from bot.ports import Clock, Controls, ConversationStore, Outcome
from bot.prompting.greeting import greeting_text
from bot.prompting.kept import Kept
from bot.prompting.small_print import code_closed

GUEST = "Guest"
MAX_TEXT = 4_000
"""Characters of one message: as many as Discord lets a person write."""
PORTRAITS = 16 * 2**20
"""Bytes of pictures that are kept small."""
HINDSIGHT = 3.0
"""Seconds that an account waits for the judge of character; the reply is shown by then."""


RECALLED = 100
"""Turns of a conversation that a page shows again."""


class Screen(Protocol):
    """Where a reply is shown while it is written."""

    def show(self, text: str) -> None:
        """Show the whole text so far. Never waits."""
        ...


class _ScreenSink:
    """A sink whose reply has one message, on a screen."""

    def __init__(self, screen: Screen, reply_id: MessageId, closing: Closing | None = None) -> None:
        """`closing` knows what the program adds under the final text."""
        self._screen = screen
        self._reply = (reply_id,)
        self._closing = closing

    def begin(self) -> None:
        pass

    def wait(self, line: str) -> None:
        self._screen.show(line)

    def ready(self) -> bool:
        return True  # a screen takes every word at once

    def show(self, text: str) -> None:
        self._screen.show(text)

    async def finish(self, text: str, controls: Controls | None = None) -> tuple[MessageId, ...]:
        if self._closing is None or not text.strip():
            self._screen.show(code_closed(text))
            return self._reply
        self._screen.show(code_closed(await self._closing.under(text)))
        await self._closing.stands()
        return self._reply

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        self._screen.show(text)
        return self._reply

    async def withdraw(self) -> None:
        self._screen.show("")


@dataclass(frozen=True, slots=True)
class PersonaSummary:
    """What a page shows of a persona. `routes` are those it plays by default."""

    id: str
    name: str
    tagline: str
    tags: tuple[str, ...] = ()
    greetings: tuple[str, ...] = ()
    has_avatar: bool = False
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageStatus:
    """What answers. `rehearsal`: the stand-in, not a language model."""

    rehearsal: bool
    model: str
    backends: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said before, and the reply to it; an empty `reply` where there is none."""

    said: tuple[str, ...]
    reply: str = ""
    persona: str = ""
    name: str = ""
    route: str = ""


@dataclass(frozen=True, slots=True)
class _Session:
    place: Place
    speaker: Speaker


def _session(name: str) -> _Session:
    """Return the place and the person of a session; equal names give equal ones."""
    digest = hashlib.sha256(f"session {name}".encode()).digest()
    channel = ChannelId(made_up_snowflake(digest))
    return _Session(Place(channel), Speaker(UserId(made_up_snowflake(digest[8:])), GUEST))


class Stage:
    """Performs turns of sessions through the pipeline. One session is one conversation."""

    def __init__(
        self,
        pipeline: TurnPipeline,
        conversations: ConversationStore,
        library: PersonaLibrary,
        default: Binding,
        clock: Clock,
        status: Callable[[], StageStatus],
        disclosures: Disclosures | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._conversations = conversations
        self._library = library
        self._default = default
        self._clock = clock
        self._status = status
        self._disclosures = disclosures
        self._sequence = count()
        self._portraits: Kept[tuple[str, str], bytes | None] = Kept(
            PORTRAITS, lambda p: len(p or "")
        )

    def personas(self) -> Sequence[PersonaSummary]:
        """Return the personas of the library, those of the default cast first."""
        summaries = [self._summary(persona) for persona in self._library.all()]
        return sorted(summaries, key=lambda each: (not each.routes, each.name))

    def knows(self, persona: str) -> bool:
        """Whether the library has a persona of this id."""
        try:
            self._library.get(persona)
        except NotFound:
            return False
        return True

    async def avatar(self, persona: str) -> bytes | None:
        """Return a persona's picture as a small square PNG, if it has one that can be shown."""
        try:
            found = self._library.get(persona)
        except NotFound:
            return None
        picture = found.avatar
        if picture is None:
            return None
        key = found.id, found.version
        return await asyncio.to_thread(self._portraits.get, key, lambda: portrait(picture))

    def status(self) -> StageStatus:
        """Return what answers at present."""
        return self._status()

    async def say(
        self,
        session: str,
        text: str,
        persona: str | None,
        screen: Screen,
        locale: str | None = None,
    ) -> TurnAccount:
        """Perform one turn. Failures are told on the screen and in the account's `notice`.

        What the program itself says is in the language that is spoken, or else in that of
        `locale`. Cancelling the task cancels the generation.
        """
        who = _session(session)
        speaker = replace(who.speaker, locale=spoken_language(text) or locale)
        with reading(speaker.locale):
            return await self._say(who.place, speaker, text, persona, screen)

    async def _say(
        self, place: Place, speaker: Speaker, text: str, persona: str | None, screen: Screen
    ) -> TurnAccount:
        message = Message(self._next_id(), place, speaker, text, self._clock.now())
        turn = Turn((message,), Trigger.PLAY)
        account = TurnAccount(turn.id, turn.trigger)
        if text.lstrip().startswith(HIDDEN_PREFIX):
            account.outcome = Outcome.CANCELLED  # no failure: there is nothing to try again
            account.notice = t(
                "A message that begins with `//` is hidden from me: it was not sent."
            )
            return account
        began = self._clock.monotonic()
        closing = None
        if self._disclosures is not None:
            closing = Closing(self._disclosures, turn, account, self._clock)
        sink = _ScreenSink(screen, self._next_id(), closing)
        try:
            account.outcome = await self._pipeline.perform(
                turn, lambda _: sink, account, persona=persona
            )
        except TroupeError as error:
            account.notice = notice_for(error)
            account.outcome = Outcome.BUSY if isinstance(error, Busy) else Outcome.FAILED
        account.timings["total"] = self._clock.monotonic() - began
        await account.hindsight.known(HINDSIGHT)  # the page shows an account once
        return account

    async def talk(self, session: str) -> Sequence[Spoken]:
        """Return what is stored of the session's conversation, as much of its end as is shown.

        Raises:
            StoreError: it could not be read.
        """
        conversation = await self._conversations.load(_session(session).place)
        return [self._spoken(exchange) for exchange in conversation.exchanges[-RECALLED:]]

    def _spoken(self, exchange: Exchange) -> Spoken:
        said, reply = tuple(each.text for each in exchange.said), exchange.reply
        if reply is None:
            return Spoken(said)
        known = self.knows(reply.persona)
        name = self._library.get(reply.persona).name if known else ""
        return Spoken(said, code_closed(reply.text), reply.persona, name, reply.route.value)

    async def reset(self, session: str) -> None:
        """Forget the session's conversation."""
        await self._conversations.reset(_session(session).place)

    def _summary(self, persona: Persona) -> PersonaSummary:
        routes = [r.value for r, player in self._default.cast.items() if player == persona.id]
        notes = " ".join(persona.card.creator_notes.split())
        return PersonaSummary(
            id=persona.id,
            name=persona.name,
            tagline=shorten(notes, 110, placeholder=" …"),
            tags=tuple(persona.card.tags)[:8],
            greetings=tuple(
                greeting_text(persona, number, user=GUEST, now=self._clock.now())
                for number in range(len(persona.greetings))
            ),
            has_avatar=persona.avatar is not None,
            routes=tuple(routes),
        )

    def _next_id(self) -> MessageId:
        return MessageId(snowflake_at(self._clock.now()) | next(self._sequence) & 0x3FFFFF)

"""Greetings: how a conversation with a persona begins, and flipping through its beginnings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.chat.conversation import Conversation, Exchange, Variant
from bot.chat.parts import Parts
from bot.chat.place import MessageId, Place, UserId
from bot.chat.turn import Speaker, TurnId
from bot.errors import CardRejected, InvalidChoice
from bot.guardrails import DraftBlocked, GuardContext
from bot.personas import Persona
from bot.personas.casting import check_place
from bot.prompting.greeting import greeting_text, greetings_of
from bot.routing.route import Route

STATE = "greeting"
"""Under which name a conversation's state says which greeting it began with."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """A persona's first words, judged and ready to be shown. `index` counts from 0."""

    persona: Persona
    index: int
    count: int
    text: str


class FirstWords:
    """Chooses and stores greetings; showing them is the adapters' part."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def others(self, persona: Persona, place: Place) -> tuple[str, ...]:
        """Return the names of the other personas that share the place."""
        binding = await self._parts.casting.resolved(place)
        members = self._parts.casting.scene(binding, place)
        if persona.id not in {member.id for member in members}:
            return ()
        return tuple(member.name for member in members if member.id != persona.id)

    async def greeting(
        self, persona: Persona, place: Place, index: int, reader: Speaker
    ) -> Greeting | None:
        """Return a greeting as it may be shown at a place; None when the persona has none.

        `index` is taken round: one beyond the last is the first.

        Raises:
            NotAllowed: the persona may not play here.
            CardRejected: the guardrails do not let these words pass.
        """
        check_place(persona, place)
        others = await self.others(persona, place)
        count = len(greetings_of(persona, group=bool(others)))
        if count == 0:
            return None
        index %= count
        now = self._parts.clock.now()
        text = await asyncio.to_thread(
            greeting_text,
            persona,
            index,
            user=reader.name,
            now=now,
            seed=place.channel,
            others=others,
        )
        return Greeting(persona, index, count, await self._judged(persona, place, text, now))

    async def began(self, place: Place, greeting: Greeting, message: MessageId) -> None:
        """Make a greeting that stands in a message part of the conversation.

        Called again with the same message it takes the place of what stood there before.

        Raises:
            StoreError: the conversation can't be written.
        """
        parts, persona = self._parts, greeting.persona
        variant = Variant(
            text=greeting.text,
            message_ids=(message,),
            persona=persona.id,
            route=await self._route(persona, place),
            model="",
            at=parts.clock.now(),
        )
        exchange = Exchange(TurnId(str(message)), (), (variant,), 0)
        await parts.conversations.record(place, exchange)
        await parts.conversations.keep(place, {STATE: f"{persona.id}:{greeting.index}"})

    async def check_open(self, place: Place, message: MessageId) -> None:
        """Make sure that nothing was said since a greeting: else its flip would change the past.

        Raises:
            InvalidChoice: something was, or the greeting was forgotten.
        """
        exchanges = (await self._parts.conversations.load(place)).exchanges
        turn = str(message)
        if not any(exchange.turn == turn for exchange in exchanges):
            raise InvalidChoice("This greeting is no longer part of the conversation.")
        if exchanges[-1].turn != turn:
            raise InvalidChoice(
                "The conversation has gone on, so its beginning stays. `/conversation reset` "
                "and `/persona switch` begin anew."
            )

    async def _route(self, persona: Persona, place: Place) -> Route:
        """Return a route that the persona plays here; the creative one in a scene."""
        binding = await self._parts.casting.resolved(place)
        plays = [route for route, player in binding.cast.items() if player == persona.id]
        return Route.CREATIVE if Route.CREATIVE in plays or not plays else plays[0]

    async def _judged(self, persona: Persona, place: Place, text: str, now: float) -> str:
        """Return a card's words as the guardrails let them pass."""
        context = GuardContext(
            route=Route.CREATIVE,
            place=place,
            person=UserId(0),  # a card's words, not a person's
            persona_name=persona.name,
            adult_card=persona.adult,
            now=now,
        )
        gate = self._parts.guardrails.open_gate(context)
        try:
            await gate.feed(text)
            release = await gate.close()
        except DraftBlocked as blocked:
            raise CardRejected(
                "This greeting of {name} can't be shown: it breaks this bot's rules ({category}).",
                name=persona.name,
                category=blocked.verdict.category or "unsafe",
            ) from blocked
        return release.text


def greeting_index(conversation: Conversation, persona: Persona) -> int | None:
    """Return with which greeting of this persona the conversation began, if it did."""
    owner, _, index = conversation.state.get(STATE, "").rpartition(":")
    return int(index) if owner == persona.id and index.isdecimal() else None

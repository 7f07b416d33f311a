"""Second thoughts: another variant of a reply, its continuation, its edit, and flipping between.

The reply is changed where it stands. Each step can be taken again after a crash: what was stored
is only shown again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bot.chat.account import TurnAccount
from bot.chat.character.plain_voice import PLAIN_VOICE
from bot.chat.conversation import MAX_VARIANTS, Conversation, Exchange, Variant
from bot.chat.notices import too_many
from bot.chat.parts import Parts, Timer
from bot.chat.place import GuildId
from bot.chat.preparing.admitting import Admission
from bot.chat.preparing.settling import Settled, settle
from bot.chat.replying.drafting import REFUSED
from bot.chat.replying.outlasting import once_back
from bot.chat.replying.stopping import Stop
from bot.chat.replying.terms import Terms
from bot.chat.replying.writing import Writing
from bot.chat.turn import Again, Turn, Wish
from bot.chat.wishes.variants import (
    before,
    controls_of,
    is_latest,
    own_text,
    question_of,
)
from bot.delivery.split import is_visible
from bot.errors import InvalidChoice, NotAllowed, NotFound, StoreError
from bot.guardrails import DraftBlocked, GuardContext
from bot.guardrails.verdict import Action
from bot.languages import translated
from bot.personas import Persona
from bot.personas.binding import ResolvedBinding
from bot.personas.casting import check_place
from bot.ports import Controls, Face, Outcome, ReplySink

OpenSink = Callable[[Face], ReplySink]


@dataclass(slots=True)
class _Work:
    """One wish under way."""

    turn: Turn
    again: Again
    conversation: Conversation
    exchange: Exchange
    persona: Persona
    account: TurnAccount
    stop: Stop

    @property
    def reply(self) -> Variant:
        """Return the variant that is shown."""
        return self.exchange.variants[self.exchange.chosen]


class Reviser:
    """Fulfils wishes about replies. It keeps no state of any."""

    def __init__(self, parts: Parts, writing: Writing) -> None:
        self._parts = parts
        self._writing = writing

    async def perform(
        self,
        turn: Turn,
        again: Again,
        open_sink: OpenSink,
        account: TurnAccount,
        stop: Stop,
        admission: Admission,
    ) -> Outcome:
        """Fulfil a wish, and fill the account while doing so; `admission` is for a new text.

        Raises:
            UserFacing: what the person must be told.
            BackendError: the model failed; the reply is as it was.
            StoreError: the conversation could not be read or written.
            DeliveryError: the reply could not be changed.
        """
        work = await self._begun(turn, again, account, stop)
        face = Face(work.persona.id, work.persona.name, work.persona.avatar)
        sink = open_sink(face)
        match again.wish:
            case Wish.SHOW:
                if not 0 <= again.index < len(work.exchange.variants):
                    raise InvalidChoice("There is no such variant any more.")
                changed = work.exchange.showing(again.index)
            case Wish.PICK:
                if not (work.exchange.compared and 0 <= again.index < 2):
                    raise InvalidChoice("There is nothing to choose between any more.")
                changed = work.exchange.picked(again.index)
            case Wish.EDIT:
                changed = work.exchange.rewritten(await self._judged(work))
            case wish if wish.writes_another and len(work.exchange.variants) > again.variants:
                changed = work.exchange  # it was stored before a crash
            case Wish.CONTINUE if len(work.reply.text) > again.size:
                changed = work.exchange
            case wish if wish.writes_another and len(work.exchange.variants) >= MAX_VARIANTS:
                raise InvalidChoice("There are enough variants of this. Flip through them.")
            case _:
                sink.begin()
                changed = await self._written(work, sink, admission)
        shown = await self._put(work, changed, sink)
        if not shown:
            return Outcome.CANCELLED
        await self._learn(work, changed)
        return Outcome.CANCELLED if stop.wanted else Outcome.ANSWERED

    async def restore(self, turn: Turn, again: Again, sink: ReplySink) -> None:
        """Put back what is stored: a wish ended without a new text.

        Raises:
            StoreError, DeliveryError: it could not be read, or shown.
        """
        conversation = await self._parts.conversations.load(turn.place)
        exchange = conversation.exchange(again.turn)
        if exchange is None or exchange.reply is None:
            await sink.withdraw()
            return
        text = _with_small_print(exchange.reply.text, again)
        await sink.finish(text, _controls(conversation, exchange))

    # ── steps ───────────────────────────────────────────────────────────────────────────────

    async def _begun(self, turn: Turn, again: Again, account: TurnAccount, stop: Stop) -> _Work:
        parts, guild = self._parts, turn.place.guild
        conversation, _ = await asyncio.gather(
            parts.conversations.load(turn.place), parts.casting.ready(guild)
        )
        exchange = conversation.exchange(again.turn)
        if exchange is None or exchange.reply is None:
            raise NotFound("What this reply answered is gone, so I leave it alone.")
        persona = self._writer(exchange.reply, guild)
        check_place(persona, turn.place)
        account.persona, account.model = persona, exchange.reply.model
        return _Work(turn, again, conversation, exchange, persona, account, stop)

    def _writer(self, reply: Variant, guild: GuildId | None) -> Persona:
        if reply.persona == PLAIN_VOICE.id:
            return PLAIN_VOICE
        try:
            return self._parts.casting.persona(reply.persona, guild)
        except NotFound as error:
            raise NotFound(
                "The persona that wrote this is no longer here, so I can't change its words. "
                "Ask again, and another one answers."
            ) from error

    async def _written(self, work: _Work, sink: ReplySink, admission: Admission) -> Exchange:
        """Let the model write, and return the exchange with what it wrote."""
        parts, turn, wish = self._parts, work.turn, work.again.wish
        binding = await parts.casting.resolved(turn.place)
        refused = await admission.ask(parts, turn, binding)
        if refused is not None:
            raise too_many(refused)
        timer = Timer(parts.clock, work.account.timings)
        with timer.stage("decide"):
            settled = await self._settled(work, binding)
        terms = Terms(
            work.stop,
            wish=wish,
            seed=int(turn.id),
            before=own_text(work.exchange) if wish is Wish.CONTINUE else "",
        )
        written = await self._writing.write(settled, sink, work.account, timer, terms)
        work.account.reply = written.text
        if wish is Wish.CONTINUE:
            return work.exchange.rewritten(written.text)
        ids = work.reply.message_ids or work.again.reply
        variant = Variant(
            text=written.text,
            message_ids=ids,
            persona=work.persona.id,
            route=settled.decision.route,
            model=written.model,
            at=parts.clock.now(),
            rival=wish is Wish.COMPARE,
        )
        return work.exchange.with_variant(variant)

    async def _settled(self, work: _Work, binding: ResolvedBinding) -> Settled:
        parts = self._parts
        question = question_of(work.conversation, work.exchange, work.turn)
        if question is None:
            raise InvalidChoice("Nobody asked for this one, so it can't be written again.")
        conversation = work.conversation
        if work.again.wish.writes_another:
            conversation = before(conversation, work.exchange.turn)
        settled = await settle(
            parts,
            question,
            conversation,
            binding,
            work.account,
            work.persona.id,
            heard_before=True,
        )
        if settled is None:
            raise NotFound("The persona has left the scene.")
        verdict = settled.verdict
        self._writing.judged(work.account, "input", verdict, settled.decision.route)
        if verdict.action is Action.REFUSE or verdict.reply is not None:
            raise NotAllowed("{reply}", reply=verdict.reply or translated(REFUSED))
        if settled.persona.id != work.persona.id and verdict.plain_voice:
            # The plain voice can't speak from under a persona's name and picture.
            raise NotAllowed(
                "For now I answer plainly, without any persona, so this reply stays as it is. "
                "Just write to me."
            )
        return settled

    async def _judged(self, work: _Work) -> str:
        """Return a person's own text for a reply as the guardrails let it pass."""
        parts, reply = self._parts, work.reply
        context = GuardContext(
            route=reply.route,
            place=work.turn.place,
            person=work.turn.speaker.id,
            persona_name=work.persona.name,
            adult_card=work.persona.adult,
            locale=work.turn.speaker.locale,
            strict=await parts.strict(work.turn.place),
            now=parts.clock.now(),
        )
        gate = parts.guardrails.open_gate(context)
        try:
            await gate.feed(work.turn.text)
            release = await gate.close()
        except DraftBlocked as blocked:
            self._writing.judged(work.account, "output", blocked.verdict, reply.route)
            raise NotAllowed(
                "That text breaks this bot's rules, so the reply stays as it is."
            ) from blocked
        if not is_visible(release.text):
            raise InvalidChoice("An empty text can't be shown. To remove a reply, delete it.")
        return release.text

    async def _put(self, work: _Work, changed: Exchange, sink: ReplySink) -> bool:
        """Store, then show. False when the question or the reply was deleted meanwhile."""
        place, conversations = work.turn.place, self._parts.conversations
        # The store first: what a crash leaves is shown by the successor, never lost. While it is
        # away the whole is shown all the same: what stands there in part would stay so for good.
        try:
            stored = await conversations.record(place, changed)
        except StoreError:
            if changed.reply is not None:
                await sink.finish(_with_small_print(changed.reply.text, work.again))
            stored = await once_back(lambda: conversations.record(place, changed))
        if stored is None or stored.reply is None:
            await sink.withdraw()
            return False
        text = _with_small_print(stored.reply.text, work.again)
        ids = await sink.finish(text, _controls(work.conversation, stored))
        work.account.message_ids = ids
        if ids != stored.reply.message_ids:
            delivered = stored.delivered(ids)
            await once_back(lambda: conversations.record(place, delivered))
        return True

    async def _learn(self, work: _Work, changed: Exchange) -> None:
        """Tell the memory what the person preferred; it asks for their consent itself."""
        memory, person, place = self._parts.memory, work.turn.speaker.id, work.turn.place
        if memory is None:
            return
        if work.again.wish is Wish.REGENERATE:
            await memory.preferences.regenerated(person, place, changed)
        elif work.again.wish is Wish.PICK:
            chosen, other = changed.variants[changed.chosen], changed.variants[1 - changed.chosen]
            await memory.preferences.picked(person, place, changed, chosen, other)
        elif work.again.wish is Wish.EDIT:
            text = changed.variants[changed.chosen].text
            await memory.preferences.corrected(person, place, work.exchange, text)


def _with_small_print(text: str, again: Again) -> str:
    """Return a reply with what the program had added under it."""
    return f"{text}\n\n{again.small_print}" if again.small_print else text


def _controls(conversation: Conversation, exchange: Exchange) -> Controls | None:
    """Return what is offered under a reply; nothing when it is not the latest."""
    if not is_latest(conversation, exchange.turn):
        return None
    return controls_of(exchange)

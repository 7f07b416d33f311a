"""The way of a turn, from an accepted message to a stored reply.

Guardrails (input) → binding → route → persona → prompt → backend stream → guardrails (output) →
delivery → record. Claim, journal, bursts and failures are `bot.chat.intake`'s part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import structlog

from bot.chat.account import TurnAccount
from bot.chat.character import drift
from bot.chat.character.judge import Spoken
from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.notices import too_many
from bot.chat.parts import Parts, Timer
from bot.chat.place import MessageId
from bot.chat.preparing.admitting import Admission
from bot.chat.preparing.looking_up import LookedUp, ask
from bot.chat.preparing.scene_turns import next_cue
from bot.chat.preparing.settling import Settled, in_scene, settle
from bot.chat.preparing.surroundings import surrounded
from bot.chat.replying.drafting import REFUSED
from bot.chat.replying.outlasting import once_back
from bot.chat.replying.stopping import Stop
from bot.chat.replying.terms import Terms
from bot.chat.replying.writing import Writing
from bot.chat.turn import Again, Cue, Turn
from bot.chat.wishes.revising import OpenSink, Reviser
from bot.errors import BackendError, StoreError
from bot.guardrails.verdict import Action, Verdict
from bot.languages import translated
from bot.personas import Persona
from bot.ports import Controls, Face, Outcome, ReplySink
from bot.prompting import Prompt

log = structlog.get_logger(__name__)


class TurnPipeline:
    """Performs turns. One object for the whole process; it keeps no state of a turn."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._writing = Writing(parts)
        self._reviser = Reviser(parts, self._writing)

    async def perform(
        self,
        turn: Turn,
        open_sink: OpenSink,
        account: TurnAccount,
        *,
        persona: str | None = None,
        stop: Stop | None = None,
        looked: LookedUp | None = None,
        admission: Admission | None = None,
    ) -> Outcome:
        """Answer a turn, and fill its account while doing so.

        `persona` overrides the binding's cast by the name of a persona; `stop` can end the reply
        while it is written; `looked` is what was looked up for the turn already; `admission` lets
        it in, as it may have done before.

        Raises:
            UserFacing: what the person must be told, for example `Busy`.
            BackendError: the model failed and nothing was visible.
            StoreError: the conversation could not be read or written.
            DeliveryError: the reply could not be shown.
        """
        stop, admission = stop or Stop(), admission or Admission()
        if turn.again is not None:
            return await self._reviser.perform(
                turn, turn.again, open_sink, account, stop, admission
            )
        timer = Timer(self._parts.clock, account.timings)
        with timer.stage("context"):
            if looked is None:
                looked = await (await ask(self._parts, turn, admission)).answered()
            turn, conversation = await self._placed(turn, looked)
        with timer.stage("decide"):
            named = persona or turn.persona
            settled = await settle(self._parts, turn, conversation, looked.binding, account, named)
        if settled is None:
            return Outcome.CANCELLED
        self._writing.judged(account, "input", settled.verdict, settled.decision.route)
        face = Face(settled.persona.id, settled.persona.name, settled.persona.avatar)
        sink = open_sink(face)
        sink.begin()
        if settled.verdict.action is Action.REFUSE or settled.verdict.reply is not None:
            return await self._say_instead(settled, sink, account, settled.verdict)
        try:
            return await self._answer(settled, sink, account, timer, stop)
        except BackendError as error:
            if stop.wanted or not settled.context.in_need:
                raise
            log.warning("no reply to a person in need: lines to call instead", reason=str(error))
            unanswered = self._parts.guardrails.unanswered(settled.context)
            return await self._say_instead(settled, sink, account, unanswered)

    async def _placed(self, turn: Turn, looked: LookedUp) -> tuple[Turn, Conversation]:
        """Return the turn with what stands around it, and the conversation of its place.

        Raises:
            Busy: the person, or the server, had too many turns.
        """
        if looked.refused is not None:
            raise too_many(looked.refused)
        conversation = looked.conversation
        if conversation is None:
            conversation = await self._parts.conversations.load(turn.place)
        if self._parts.around is not None:
            turn = await surrounded(turn, conversation, self._parts.around)
        return turn, conversation

    async def restore(self, turn: Turn, again: Again, sink: ReplySink) -> None:
        """Put a reply back as it is stored: a wish about it ended without a new text.

        Raises:
            StoreError, DeliveryError: it could not be read, or shown.
        """
        await self._reviser.restore(turn, again, sink)

    async def _say_instead(
        self, settled: Settled, sink: ReplySink, account: TurnAccount, verdict: Verdict
    ) -> Outcome:
        """Say the guardrail's words in place of a generated reply."""
        text = verdict.reply or translated(REFUSED)
        ids = await sink.finish(text)
        account.reply = text
        if verdict.action is Action.SUPPORT:
            await self._remember(settled, text, ids, model="")
            return Outcome.SUPPORTED
        return Outcome.REFUSED

    async def _answer(
        self,
        settled: Settled,
        sink: ReplySink,
        account: TurnAccount,
        timer: Timer,
        stop: Stop,
    ) -> Outcome:
        turn, parts = settled.turn, self._parts
        written = await self._writing.write(settled, sink, account, timer, Terms(stop))
        text, model = written.text, written.model
        account.reply = text
        # The text is stored before it stands there in full: a crash between the two then only
        # has to deliver it, not to generate it again. While the store is away it is shown all
        # the same: what stands there in part would stay so for good.
        with timer.stage("deliver"):
            with contextlib.suppress(StoreError):
                await self._record(settled, text, (), model)
            ideas = written.ideas
            controls = Controls(
                turn.id,
                size=len(text),
                ideas=ideas,
                comparison=await self._compares(settled, ideas),
                repeatable=not any(message.is_unkept for message in turn.messages),
            )
            ids = await sink.finish(text, controls)
        with timer.stage("record"):
            await self._remember(settled, text, ids, model)
            await self._keep(settled, written.prompt, account)
            self._let_judge(settled, text, account)
            if parts.memory is not None and turn.cue is None:
                account.wishes = await parts.memory.after(
                    turn, settled.decision.route, settled.persona.id, settled.conversation
                )
        if stop.wanted:
            return Outcome.CANCELLED
        self._pass_on(settled, text, account)
        return Outcome.ANSWERED

    def _let_judge(self, settled: Settled, text: str, account: TurnAccount) -> None:
        """Let the judge of character read a reply with which the cheap check found nothing."""
        judge = self._parts.judge
        if judge is None or account.drift.drifted or self._writing.check(settled) is None:
            return
        turn = settled.turn
        judge.look(Spoken(turn.place, settled.persona, turn.text, text, account))

    async def _compares(self, settled: Settled, ideas: int) -> bool:
        """Whether to offer the person another reply, to choose between the two."""
        memory, turn = self._parts.memory, settled.turn
        if memory is None or ideas or turn.cue is not None:
            return False
        return await memory.preferences.compares(turn.speaker.id, turn.id, settled.decision.route)

    def _pass_on(self, settled: Settled, text: str, account: TurnAccount) -> None:
        """In a scene: note who speaks next, unless people are waiting for an answer."""
        if (
            not settled.scene
            or self._parts.queue.depth
            or settled.verdict.action is not Action.ALLOW
        ):
            return
        account.cue = self._cue(
            settled.turn, settled.scene, settled.persona.id, settled.planned, text
        )

    async def cue_after(self, turn: Turn, conversation: Conversation, reply: Variant) -> Cue | None:
        """Return who speaks after a reply that was stored before a crash, as it was settled then.

        The draw is the turn's own. Words of the guardrails, which no model wrote, end a scene.
        """
        binding = await self._parts.casting.resolved(turn.place)
        scene = self._parts.casting.scene(binding, turn.place)
        if not scene or not reply.model:
            return None
        order = [persona.id for persona in in_scene(self._parts, turn, scene, conversation)]
        if reply.persona not in order[:1]:
            return None
        return self._cue(turn, scene, reply.persona, order[1:], reply.text)

    def _cue(
        self,
        turn: Turn,
        scene: Sequence[Persona],
        speaker: str,
        planned: Sequence[str],
        reply: str,
    ) -> Cue | None:
        spoken = turn.cue.spoken if turn.cue else ()
        return next_cue(scene, speaker, planned, spoken, reply, self._parts.scene_limits)

    async def _remember(
        self, settled: Settled, text: str, ids: tuple[MessageId, ...], model: str
    ) -> None:
        """Write down a reply that stands there: there is no error to tell its reader any more."""
        try:
            await once_back(lambda: self._record(settled, text, ids, model))
        except StoreError as error:
            log.warning("reply not remembered", reason=str(error))

    async def _record(
        self, settled: Settled, text: str, ids: tuple[MessageId, ...], model: str
    ) -> Exchange | None:
        """Write the turn and its reply down, in place of an earlier record of the same turn."""
        variant = Variant(
            text=text,
            message_ids=ids,
            persona=settled.persona.id,
            route=settled.decision.route,
            model=model,
            at=self._parts.clock.now(),
        )
        said = tuple(
            Said(
                message.spoken_in,
                message.speaker,
                message.text,
                message.at,
                by_command=message.is_command,
                order=message.order,
                about=message.about if message.is_command else None,
                unkept=message.is_unkept,
            )
            for message in settled.turn.messages
            if message.cue is None
        )
        exchange = Exchange(settled.turn.id, said, (variant,), 0)
        return await self._parts.conversations.record(settled.turn.place, exchange)

    async def _keep(self, settled: Settled, prompt: Prompt, account: TurnAccount) -> None:
        """Keep what the prompt says of the conversation: lore effects, and where history starts."""
        try:
            await self._kept(settled, prompt, account)
        except StoreError as error:
            log.warning("state of the conversation not kept", reason=str(error))

    async def _kept(self, settled: Settled, prompt: Prompt, account: TurnAccount) -> None:
        place, conversation = settled.turn.place, settled.conversation
        if prompt.trim_to is not None and prompt.trim_to != conversation.trimmed_to:
            await self._parts.conversations.trim(place, prompt.trim_to, conversation.summary)
        if self._parts.summaries is not None:
            self._parts.summaries.look(conversation, prompt.trim_to, prompt.trim_next)
        drifted = settled.persona.id if account.drift.drifted else ""
        state = {**prompt.state, drift.STATE: drifted}
        changed = {k: v for k, v in state.items() if conversation.state.get(k, "") != v}
        if changed:
            await self._parts.conversations.keep(place, changed)

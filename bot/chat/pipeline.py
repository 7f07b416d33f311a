"""The way of a turn, from an accepted message to a stored reply.

Guardrails (input) → binding → route → persona → prompt → backend stream → guardrails (output) →
delivery → record. Claim, journal, bursts and failures are `bot.chat.intake`'s part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bot.chat.account import TurnAccount
from bot.chat.conversation import Exchange, Said, Variant
from bot.chat.deciding import Settled, settle
from bot.chat.first_words import greeting_index
from bot.chat.generation import Generated, Generation, InputRefused
from bot.chat.notices import CUT_SHORT, small_print
from bot.chat.parts import Parts, Timer
from bot.chat.place import MessageId
from bot.chat.rewriting import rewritten
from bot.chat.scene_turns import guidance_for, next_cue
from bot.chat.turn import Turn
from bot.delivery.reply_filter import ReasoningFilter, SpeakerFilter
from bot.errors import BackendError, Busy, EmptyReply
from bot.guardrails import DraftBlocked, Release
from bot.guardrails.verdict import Action, Verdict
from bot.memory import NOTHING, Recollection
from bot.ports import ChatRequest, Face, Outcome, ReplySink
from bot.prompting import Prompt, PromptInput, assemble
from bot.routing.route import Route

OpenSink = Callable[[Face], ReplySink]


class TurnPipeline:
    """Performs turns. One object for the whole process; it keeps no state of a turn."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def perform(
        self, turn: Turn, open_sink: OpenSink, account: TurnAccount, *, persona: str | None = None
    ) -> Outcome:
        """Answer a turn, and fill its account while doing so.

        `persona` overrides the binding's cast by the name of a persona.

        Raises:
            UserFacing: what the person must be told, for example `Busy`.
            BackendError: the model failed and nothing was visible.
            StoreError: the conversation could not be read or written.
            DeliveryError: the reply could not be shown.
        """
        timer = Timer(self._parts.clock, account.timings)
        with timer.stage("context"):
            wait, conversation, binding = await asyncio.gather(
                self._take(turn),
                self._parts.conversations.load(turn.place),
                self._parts.casting.resolved(turn.place),
            )
        if wait > 0:
            raise Busy(
                f"That's a lot of messages. Please wait {wait:.0f} seconds.", retry_after=wait
            )
        with timer.stage("decide"):
            settled = await settle(self._parts, turn, conversation, binding, account, persona)
        if settled is None:
            return Outcome.CANCELLED
        self._judged(account, "input", settled.verdict, settled.decision.route)
        face = Face(settled.persona.id, settled.persona.name, settled.persona.avatar)
        sink = open_sink(face)
        sink.begin()
        if settled.verdict.action is Action.REFUSE or settled.verdict.reply is not None:
            return await self._say_instead(settled, sink, account, settled.verdict)
        return await self._answer(settled, sink, account, timer)

    async def _take(self, turn: Turn) -> float:
        """Take one turn's worth of what the person may ask; a cue is not the person's doing."""
        if turn.cue is not None:
            return 0.0
        return await self._parts.limiter.take(turn.speaker.id, turn.place.guild)

    def _judged(self, account: TurnAccount, stage: str, verdict: Verdict, route: Route) -> None:
        account.judged(stage, verdict)
        self._parts.metrics.guard.judged(
            stage, verdict.action.value, category=verdict.category, route=route.value
        )

    async def _say_instead(
        self, settled: Settled, sink: ReplySink, account: TurnAccount, verdict: Verdict
    ) -> Outcome:
        """Say the guardrail's words in place of a generated reply."""
        text = verdict.reply or "I can't help with that one."
        ids = await sink.finish(text)
        account.reply = text
        if verdict.action is Action.SUPPORT:
            await self._record(settled, text, ids, model="")
            return Outcome.SUPPORTED
        return Outcome.REFUSED

    async def _answer(
        self, settled: Settled, sink: ReplySink, account: TurnAccount, timer: Timer
    ) -> Outcome:
        with timer.stage("recall"):
            recollection = await self._recall(settled)
        account.memories = recollection.memories
        with timer.stage("prompt"):
            prompt, request = self._prompt(settled, account, recollection)
        turn, parts = settled.turn, self._parts
        key = turn.place.guild or turn.place.channel
        asked = parts.clock.monotonic()
        async with parts.queue.slot(turn.speaker.id, key, timeout=parts.queue_timeout) as slot:
            account.timings["queue"] = slot.waited
            parts.metrics.turns.queue_depth(parts.queue.depth)
            try:
                text, model = await self._generate(settled, prompt, request, sink, account)
            finally:
                account.timings["generate"] = parts.clock.monotonic() - asked - slot.waited
        text = await rewritten(parts, settled.persona, settled.context, text)
        account.reply = text
        # The text is stored before it stands there in full: a crash between the two then only
        # has to deliver it, not to generate it again.
        with timer.stage("deliver"):
            await self._record(settled, text, (), model)
            ids = await sink.finish(text)
        with timer.stage("record"):
            await self._record(settled, text, ids, model)
            await self._keep(settled, prompt)
            if parts.memory is not None and turn.cue is None:
                await parts.memory.after(turn, text, settled.decision.route, settled.persona.id)
        self._pass_on(settled, text, account)
        return Outcome.ANSWERED

    def _pass_on(self, settled: Settled, text: str, account: TurnAccount) -> None:
        """In a scene: note who speaks next, unless people are waiting for an answer."""
        if (
            not settled.scene
            or self._parts.queue.depth
            or settled.verdict.action is not Action.ALLOW
        ):
            return
        cue = settled.turn.cue
        account.cue = next_cue(
            settled.scene,
            settled.persona.id,
            settled.planned,
            cue.spoken if cue else (),
            text,
            self._parts.scene_limits,
        )

    def _prompt(
        self, settled: Settled, account: TurnAccount, recollection: Recollection
    ) -> tuple[Prompt, ChatRequest]:
        parts, decision = self._parts, settled.decision
        profile = parts.profiles[decision.route]
        model = settled.binding.model or profile.model or parts.default_model
        guidance = (settled.verdict.guidance,) if settled.verdict.guidance else ()
        if settled.turn.cue is not None:
            guidance = (*guidance, guidance_for(settled.persona))
        players = self._players(settled)
        prompt = assemble(
            PromptInput(
                persona=settled.persona,
                profile=profile,
                conversation=settled.conversation,
                turn=settled.turn,
                memories=recollection.memories,
                constraints=recollection.constraints,
                user_persona=recollection.user_persona,
                guidance=guidance,
                safety_text=parts.guardrails.safety_text,
                num_ctx=parts.num_ctx,
                reply_tokens=int(profile.options.get("num_predict", 700)),
                estimator=parts.estimator,
                model=model,
                seed=int(settled.turn.id),
                now=parts.clock.now(),
                cast_names=tuple(sorted(set(players.values()) - {settled.persona.name})),
                persona_names=players,
                greeting=greeting_index(settled.conversation, settled.persona),
            )
        )
        account.model, account.messages, account.report = model, prompt.messages, prompt.report
        settled.context = replace(settled.context, protected=prompt.messages[0].content)
        request = ChatRequest(
            model=model,
            messages=prompt.messages,
            options={**profile.options, "stop": list(prompt.stop)},
            affinity=f"{settled.turn.place.channel}:{settled.persona.id}",
            num_keep=prompt.num_keep,
        )
        return prompt, request

    async def _recall(self, settled: Settled) -> Recollection:
        """Return what may be used of the person's memory; nothing while care comes first."""
        memory, route = self._parts.memory, settled.decision.route
        if (
            memory is None
            or settled.turn.cue is not None
            or settled.verdict.action is Action.SUPPORT
        ):
            return NOTHING
        policy = self._parts.profiles[route].memory
        return await memory.recall(settled.turn, route, policy, settled.persona.id)

    def _players(self, settled: Settled) -> dict[str, str]:
        """Return the names, by id, of the personas that play here."""
        if settled.scene:
            return {persona.id: persona.name for persona in settled.scene}
        guild, casting = settled.turn.place.guild, self._parts.casting
        players = (casting.player(settled.binding, route, guild) for route in Route)
        return {player.id: player.name for player in players}

    async def _generate(
        self,
        settled: Settled,
        prompt: Prompt,
        request: ChatRequest,
        sink: ReplySink,
        account: TurnAccount,
    ) -> tuple[str, str]:
        """Return the released text and the model that wrote it."""
        parts, turn = self._parts, settled.turn
        began = parts.clock.monotonic()
        review = asyncio.create_task(
            parts.guardrails.review_input(turn, settled.context), name=f"review {turn.id}"
        )
        generation = Generation(
            model=parts.model,
            gate=parts.guardrails.open_gate(settled.context),
            sink=sink,
            clock=parts.clock,
            reasoning=ReasoningFilter(),
            speakers=SpeakerFilter([settled.persona.name], _others(settled)),
            review=review,
        )
        try:
            generated = await generation.run(request)
            self._measure(generated, prompt, request, account, began)
            self._judged(account, "output", generated.release.verdict, settled.decision.route)
            return generated.release.text, request.model
        except DraftBlocked as blocked:
            release = await self._repair(
                settled, generation.draft, blocked.verdict, request, account
            )
            return release.text, request.model
        except InputRefused as refused:
            self._judged(account, "review", refused.verdict, settled.decision.route)
            return refused.verdict.reply or "I can't help with that one.", request.model
        except BackendError as error:
            visible = generation.gate.visible.strip()
            if not visible or isinstance(error, EmptyReply):
                raise
            account.notice = CUT_SHORT
            return f"{visible}\n\n{small_print(CUT_SHORT)}", request.model
        finally:
            review.cancel()

    async def _repair(
        self,
        settled: Settled,
        draft: str,
        verdict: Verdict,
        request: ChatRequest,
        account: TurnAccount,
    ) -> Release:
        """Let the guardrails rewrite a blocked draft."""
        parts = self._parts
        self._judged(account, "output", verdict, settled.decision.route)
        release = await parts.guardrails.repair(
            draft, verdict, settled.context, parts.model, request.model
        )
        self._judged(account, "revision", release.verdict, settled.decision.route)
        return release

    def _measure(
        self,
        generated: Generated,
        prompt: Prompt,
        request: ChatRequest,
        account: TurnAccount,
        began: float,
    ) -> None:
        if generated.first_token is not None:
            account.timings["first_token"] = generated.first_token - began
        if generated.first_shown is not None and generated.first_token is not None:
            account.timings["held_back"] = generated.first_shown - generated.first_token
        if generated.finished is not None:
            account.finished = generated.finished
            self._parts.estimator.calibrate(
                request.model, prompt.report.total, generated.finished.prompt_tokens
            )

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
            Said(message.id, message.speaker, message.text, message.at)
            for message in settled.turn.messages
            if message.cue is None
        )
        exchange = Exchange(settled.turn.id, said, (variant,), 0)
        return await self._parts.conversations.record(settled.turn.place, exchange)

    async def _keep(self, settled: Settled, prompt: Prompt) -> None:
        """Keep what the prompt says of the conversation: lore effects, and where history starts."""
        place, conversation = settled.turn.place, settled.conversation
        if prompt.trim_to is not None and prompt.trim_to != conversation.trimmed_to:
            await self._parts.conversations.trim(place, prompt.trim_to, conversation.summary)
        changed = {k: v for k, v in prompt.state.items() if conversation.state.get(k) != v}
        if changed:
            await self._parts.conversations.keep(place, changed)


def _others(settled: Settled) -> list[str]:
    """Return the names of everybody whose lines the model must not write."""
    said = [each.speaker.name for ex in settled.conversation.exchanges[-20:] for each in ex.said]
    mates = [each.name for each in settled.scene if each.id != settled.persona.id]
    return list(dict.fromkeys([settled.turn.speaker.name, *said, *mates]))

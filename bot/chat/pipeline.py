"""The way of a turn, from an accepted message to a stored reply.

Guardrails (input) → binding → route → persona → prompt → backend stream → guardrails (output) →
delivery → record. Claim, journal, bursts and failures are `bot.chat.intake`'s part.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.chat.account import TurnAccount
from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.generation import Generated, Generation, InputRefused
from bot.chat.notices import CUT_SHORT, small_print
from bot.chat.place import MessageId
from bot.chat.turn import Turn
from bot.delivery.reply_filter import ReasoningFilter, SpeakerFilter
from bot.errors import BackendError, Busy, EmptyReply
from bot.guardrails import DraftBlocked, GuardContext, Guardrails, Release
from bot.guardrails.verdict import Action, Verdict
from bot.observability import Metrics
from bot.personas import Persona
from bot.personas.binding import ResolvedBinding
from bot.personas.casting import Casting
from bot.ports import (
    ChatModel,
    ChatRequest,
    Clock,
    ConversationStore,
    Face,
    Outcome,
    RateLimiter,
    ReplySink,
)
from bot.prompting import Prompt, PromptInput, TokenEstimator, assemble
from bot.routing import PreviousRoute, Router
from bot.routing.profiles import RouteProfile
from bot.routing.route import Route, RouteDecision
from bot.scheduling import FairQueue

ACTION = re.compile(r"\*[^*\n]{2,}\*")
"""A role-play action, such as *opens the door*."""

CARE = "sh_"
"""Categories of the taxonomy that begin so are about self-harm: the companion answers."""

OpenSink = Callable[[Face], ReplySink]


class _Timer:
    """Seconds by stage."""

    def __init__(self, clock: Clock, timings: dict[str, float]) -> None:
        self._clock = clock
        self._timings = timings

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self._timings[name] = self._clock.monotonic() - began


@dataclass(frozen=True, slots=True)
class Parts:
    """What a turn needs; made once by the composition root."""

    casting: Casting
    conversations: ConversationStore
    router: Router
    profiles: Mapping[Route, RouteProfile]
    guardrails: Guardrails
    model: ChatModel
    queue: FairQueue
    limiter: RateLimiter
    estimator: TokenEstimator
    metrics: Metrics
    clock: Clock
    default_model: str
    num_ctx: int
    queue_timeout: float = 60.0
    """Seconds that a turn may wait for a slot before the person is told to come back."""


@dataclass(slots=True)
class _Scene:
    """What is settled about a turn before it is generated."""

    turn: Turn
    binding: ResolvedBinding
    conversation: Conversation
    decision: RouteDecision
    persona: Persona
    context: GuardContext
    verdict: Verdict


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
        timer = _Timer(self._parts.clock, account.timings)
        with timer.stage("context"):
            wait, conversation, binding = await asyncio.gather(
                self._parts.limiter.take(turn.speaker.id, turn.place.guild),
                self._parts.conversations.load(turn.place),
                self._parts.casting.resolved(turn.place),
            )
        if wait > 0:
            raise Busy(
                f"That's a lot of messages. Please wait {wait:.0f} seconds.", retry_after=wait
            )
        with timer.stage("decide"):
            scene = await self._decide(turn, conversation, binding, account, persona)
        face = Face(scene.persona.id, scene.persona.name, scene.persona.avatar)
        sink = open_sink(face)
        sink.begin()
        if scene.verdict.action is Action.REFUSE or scene.verdict.reply is not None:
            return await self._say_instead(scene, sink, account, scene.verdict)
        return await self._answer(scene, sink, account, timer)

    async def _decide(
        self,
        turn: Turn,
        conversation: Conversation,
        binding: ResolvedBinding,
        account: TurnAccount,
        named: str | None,
    ) -> _Scene:
        """Route, judge the input, and pick the persona."""
        parts = self._parts
        previous = _previous_route(conversation, turn)
        text = turn.text
        history = _last_exchange(conversation)
        now = parts.clock.now()
        decision = parts.router.route(text, previous=previous, history=history, now=now)
        context = GuardContext(
            route=decision.route,
            place=turn.place,
            person=turn.speaker.id,
            persona_name="",
            adult_card=False,
            protected="",
            user_text=text,
            locale=turn.speaker.locale,
            canary=None,
            strict=parts.profiles[decision.route].guard == "strict",
            now=now,
        )
        verdict = await parts.guardrails.judge_input(turn, context)
        if (verdict.category or "").startswith(CARE):
            decision = parts.router.route(
                text, previous=previous, history=history, distress=True, now=now
            )
        if named is None:
            player = parts.casting.player(binding, decision.route, turn.place.guild)
        else:
            player = parts.casting.persona(named, turn.place.guild)
        context = replace(
            context, route=decision.route, persona_name=player.name, adult_card=player.adult
        )
        account.decision, account.persona = decision, player
        parts.metrics.routing.decided(
            decision.route.value,
            stage="final",
            source=decision.source,
            confidence=decision.confidence,
            uncertain=decision.uncertain,
        )
        self._judged(account, "input", verdict, decision.route)
        return _Scene(turn, binding, conversation, decision, player, context, verdict)

    def _judged(self, account: TurnAccount, stage: str, verdict: Verdict, route: Route) -> None:
        account.judged(stage, verdict)
        self._parts.metrics.guard.judged(
            stage, verdict.action.value, category=verdict.category, route=route.value
        )

    async def _say_instead(
        self, scene: _Scene, sink: ReplySink, account: TurnAccount, verdict: Verdict
    ) -> Outcome:
        """Say the guardrail's words in place of a generated reply."""
        text = verdict.reply or "I can't help with that one."
        ids = await sink.finish(text)
        account.reply = text
        if verdict.action is Action.SUPPORT:
            await self._record(scene, text, ids, model="")
            return Outcome.SUPPORTED
        return Outcome.REFUSED

    async def _answer(
        self, scene: _Scene, sink: ReplySink, account: TurnAccount, timer: _Timer
    ) -> Outcome:
        with timer.stage("prompt"):
            prompt, request = self._prompt(scene, account)
        turn, parts = scene.turn, self._parts
        key = turn.place.guild or turn.place.channel
        asked = parts.clock.monotonic()
        async with parts.queue.slot(turn.speaker.id, key, timeout=parts.queue_timeout) as slot:
            account.timings["queue"] = slot.waited
            parts.metrics.turns.queue_depth(parts.queue.depth)
            try:
                text, model = await self._generate(scene, prompt, request, sink, account)
            finally:
                account.timings["generate"] = parts.clock.monotonic() - asked - slot.waited
        account.reply = text
        # The text is stored before it stands there in full: a crash between the two then only
        # has to deliver it, not to generate it again.
        with timer.stage("deliver"):
            await self._record(scene, text, (), model)
            ids = await sink.finish(text)
        with timer.stage("record"):
            await self._record(scene, text, ids, model)
            await self._keep(scene, prompt)
        return Outcome.ANSWERED

    def _prompt(self, scene: _Scene, account: TurnAccount) -> tuple[Prompt, ChatRequest]:
        parts, decision = self._parts, scene.decision
        profile = parts.profiles[decision.route]
        model = scene.binding.model or profile.model or parts.default_model
        guidance = (scene.verdict.guidance,) if scene.verdict.guidance else ()
        players = self._players(scene)
        prompt = assemble(
            PromptInput(
                persona=scene.persona,
                profile=profile,
                conversation=scene.conversation,
                turn=scene.turn,
                guidance=guidance,
                safety_text=parts.guardrails.safety_text,
                num_ctx=parts.num_ctx,
                reply_tokens=int(profile.options.get("num_predict", 700)),
                estimator=parts.estimator,
                model=model,
                seed=int(scene.turn.id),
                now=parts.clock.now(),
                cast_names=tuple(sorted(set(players.values()) - {scene.persona.name})),
                persona_names=players,
            )
        )
        account.model, account.messages, account.report = model, prompt.messages, prompt.report
        scene.context = replace(scene.context, protected=prompt.messages[0].content)
        request = ChatRequest(
            model=model,
            messages=prompt.messages,
            options={**profile.options, "stop": list(prompt.stop)},
            affinity=f"{scene.turn.place.channel}:{scene.persona.id}",
            num_keep=prompt.num_keep,
        )
        return prompt, request

    def _players(self, scene: _Scene) -> dict[str, str]:
        """Return the names, by id, of the personas that play here."""
        guild, casting = scene.turn.place.guild, self._parts.casting
        players = (casting.player(scene.binding, route, guild) for route in Route)
        return {player.id: player.name for player in players}

    async def _generate(
        self,
        scene: _Scene,
        prompt: Prompt,
        request: ChatRequest,
        sink: ReplySink,
        account: TurnAccount,
    ) -> tuple[str, str]:
        """Return the released text and the model that wrote it."""
        parts, turn = self._parts, scene.turn
        began = parts.clock.monotonic()
        review = asyncio.create_task(
            parts.guardrails.review_input(turn, scene.context), name=f"review {turn.id}"
        )
        generation = Generation(
            model=parts.model,
            gate=parts.guardrails.open_gate(scene.context),
            sink=sink,
            clock=parts.clock,
            reasoning=ReasoningFilter(),
            speakers=SpeakerFilter([scene.persona.name], _names(scene, prompt)),
            review=review,
        )
        try:
            generated = await generation.run(request)
            self._measure(generated, prompt, request, account, began)
            self._judged(account, "output", generated.release.verdict, scene.decision.route)
            return generated.release.text, request.model
        except DraftBlocked as blocked:
            release = await self._repair(scene, generation.draft, blocked.verdict, request, account)
            return release.text, request.model
        except InputRefused as refused:
            self._judged(account, "review", refused.verdict, scene.decision.route)
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
        scene: _Scene,
        draft: str,
        verdict: Verdict,
        request: ChatRequest,
        account: TurnAccount,
    ) -> Release:
        """Let the guardrails rewrite a blocked draft."""
        parts = self._parts
        self._judged(account, "output", verdict, scene.decision.route)
        release = await parts.guardrails.repair(
            draft, verdict, scene.context, parts.model, request.model
        )
        self._judged(account, "revision", release.verdict, scene.decision.route)
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
        self, scene: _Scene, text: str, ids: tuple[MessageId, ...], model: str
    ) -> Exchange | None:
        """Write the turn and its reply down, in place of an earlier record of the same turn."""
        variant = Variant(
            text=text,
            message_ids=ids,
            persona=scene.persona.id,
            route=scene.decision.route,
            model=model,
            at=self._parts.clock.now(),
        )
        said = tuple(
            Said(message.id, message.speaker, message.text, message.at)
            for message in scene.turn.messages
        )
        exchange = Exchange(scene.turn.id, said, (variant,), 0)
        return await self._parts.conversations.record(scene.turn.place, exchange)

    async def _keep(self, scene: _Scene, prompt: Prompt) -> None:
        """Keep what the prompt says of the conversation: lore effects, and where history starts."""
        place, conversation = scene.turn.place, scene.conversation
        if prompt.trim_to is not None and prompt.trim_to != conversation.trimmed_to:
            await self._parts.conversations.trim(place, prompt.trim_to, conversation.summary)
        changed = {k: v for k, v in prompt.state.items() if conversation.state.get(k) != v}
        if changed:
            await self._parts.conversations.keep(place, changed)


def _names(scene: _Scene, prompt: Prompt) -> list[str]:
    """Return the names of everybody whose lines the model must not write."""
    said = [each.speaker.name for ex in scene.conversation.exchanges[-20:] for each in ex.said]
    return list(dict.fromkeys([scene.turn.speaker.name, *said]))


def _previous_route(conversation: Conversation, turn: Turn) -> PreviousRoute | None:
    """Return the route of the last turn that this person had here."""
    for exchange in reversed(conversation.exchanges):
        reply = exchange.reply
        if reply and any(said.speaker.id == turn.speaker.id for said in exchange.said):
            scene = reply.route is Route.CREATIVE and ACTION.search(reply.text) is not None
            return PreviousRoute(reply.route, reply.at, scene)
    return None


def _last_exchange(conversation: Conversation) -> tuple[tuple[str, str], ...]:
    """Return the last question and its reply, as (role, text) pairs."""
    for exchange in reversed(conversation.exchanges):
        if exchange.reply and exchange.said:
            question = "\n".join(said.text for said in exchange.said)
            return (("user", question), ("assistant", exchange.reply.text))
    return ()

"""The writing of one reply: recall, prompt, a place in the queue, generation, repair.

The same for a first answer and for another variant of it; what becomes of the text is the
caller's part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.chat.account import TurnAccount
from bot.chat.continuing import Continuing, joined
from bot.chat.deciding import Settled
from bot.chat.files import has_pictures
from bot.chat.first_words import greeting_index
from bot.chat.generation import Generated, Generation, InputRefused
from bot.chat.notices import CUT_LONG, CUT_SHORT, WAKING, in_line, small_print
from bot.chat.parts import Parts, Timer
from bot.chat.rewriting import rewritten
from bot.chat.scene_turns import guidance_for
from bot.chat.speech import language_instruction
from bot.chat.stopping import Stop
from bot.chat.turn import DIRECT, Wish
from bot.delivery.reply_filter import ReasoningFilter, SpeakerFilter
from bot.errors import BackendError, EmptyReply
from bot.guardrails import DraftBlocked, Release
from bot.guardrails.verdict import Action, Verdict
from bot.languages import mark, translated
from bot.memory import NOTHING, Recollection
from bot.ports import ChatRequest, ReplySink
from bot.prompting import Prompt, PromptInput, assemble
from bot.routing.route import Route
from bot.scheduling import Urgency

REFUSED = mark("I can't help with that one.")
WAKING_AFTER = 2.0
"""Seconds without a first token after which a host is asked whether it loads the model."""


@dataclass(frozen=True, slots=True)
class Written:
    """A reply that may be shown, the model that wrote it, and the prompt it came from."""

    text: str
    model: str
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Terms:
    """How a reply is to be written. By default: as the first answer."""

    stop: Stop = field(default_factory=Stop)
    wish: Wish | None = None
    seed: int | None = None
    """What chance hangs on; None for the turn's id."""
    before: str = ""
    """The text that the reply goes on from."""


class Writing:
    """Writes replies. One object for the whole process; it keeps no state of a turn."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def write(
        self,
        settled: Settled,
        sink: ReplySink,
        account: TurnAccount,
        timer: Timer,
        terms: Terms,
    ) -> Written:
        """Write a reply, showing on the sink what is approved; fill the account meanwhile.

        Raises:
            UserFacing: what the person must be told, for example `Busy`.
            BackendError: the model failed and nothing was visible.
            StoreError: the conversation could not be read.
        """
        if terms.before:
            sink = Continuing(sink, terms.before)
        with timer.stage("recall"):
            recollection = await self._recall(settled)
        account.memories = recollection.memories
        model = self._model(settled)
        account.model = model
        if has_pictures(settled.turn) and self._parts.facts is not None:
            account.pictures = await self._parts.facts.sees(model)
        with timer.stage("prompt"):
            if account.pictures:  # megabytes are encoded
                prompt, request = await asyncio.to_thread(
                    self._prompt, settled, account, recollection, terms
                )
            else:
                prompt, request = self._prompt(settled, account, recollection, terms)
        turn, parts = settled.turn, self._parts
        key = turn.place.guild or turn.place.channel
        asked = parts.clock.monotonic()
        async with parts.queue.slot(
            turn.speaker.id,
            key,
            timeout=parts.queue_timeout,
            urgency=Urgency.DIRECT if turn.trigger in DIRECT else Urgency.AMBIENT,
            told=lambda place, seconds: sink.wait(in_line(place, seconds)),
        ) as slot:
            account.timings["queue"] = slot.waited
            parts.metrics.turns.queue_depth(parts.queue.depth)
            try:
                text, model = await self._generate(
                    settled, prompt, request, sink, account, terms.stop
                )
            finally:
                account.timings["generate"] = parts.clock.monotonic() - asked - slot.waited
        text = await rewritten(parts, settled.persona, settled.context, text)
        if terms.before:
            text = joined(terms.before, text)
        if account.finished is not None and account.finished.reason == "length":
            text = f"{text}\n\n{small_print(translated(CUT_LONG))}"
        return Written(text, model, prompt)

    def judged(self, account: TurnAccount, stage: str, verdict: Verdict, route: Route) -> None:
        """Note a verdict in the account, and count it."""
        account.judged(stage, verdict)
        self._parts.metrics.guard.judged(
            stage, verdict.action.value, category=verdict.category, route=route.value
        )

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

    def _prompt(
        self,
        settled: Settled,
        account: TurnAccount,
        recollection: Recollection,
        terms: Terms,
    ) -> tuple[Prompt, ChatRequest]:
        parts, decision = self._parts, settled.decision
        profile = parts.profiles[decision.route]
        model = account.model
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
                language=language_instruction(settled.language),
                guidance=guidance,
                safety_text=parts.guardrails.safety_text,
                num_ctx=parts.num_ctx,
                reply_tokens=int(profile.options.get("num_predict", 700)),
                estimator=parts.estimator,
                model=model,
                seed=int(settled.turn.id) if terms.seed is None else terms.seed,
                regenerate=terms.wish is Wish.REGENERATE,
                continue_reply=terms.wish is Wish.CONTINUE,
                now=parts.clock.now(),
                cast_names=tuple(sorted(set(players.values()) - {settled.persona.name})),
                persona_names=players,
                greeting=greeting_index(settled.conversation, settled.persona),
                pictures=account.pictures,
            )
        )
        account.messages, account.report = prompt.messages, prompt.report
        settled.context = replace(settled.context, protected=prompt.messages[0].content)
        request = ChatRequest(
            model=model,
            messages=prompt.messages,
            options=_options(profile.options, prompt.stop, terms),
            affinity=f"{settled.turn.place.channel}:{settled.persona.id}",
            num_keep=prompt.num_keep,
        )
        return prompt, request

    def _model(self, settled: Settled) -> str:
        """Return the model that answers: the place's while the operator allows it, the route's,
        or the default."""
        parts, bound = self._parts, settled.binding.model
        if bound is not None and bound in parts.channel_models | {parts.default_model}:
            return bound
        return parts.profiles[settled.decision.route].model or parts.default_model

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
        stop: Stop,
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
            stop=stop,
            review=review,
        )
        waking = asyncio.create_task(self._tell_of_waking(request, generation, sink))
        try:
            generated = await generation.run(request)
            self._measure(generated, prompt, request, account, began)
            self.judged(account, "output", generated.release.verdict, settled.decision.route)
            return generated.release.text, request.model
        except DraftBlocked as blocked:
            release = await self._repair(
                settled, generation.draft, blocked.verdict, request, account
            )
            return release.text, request.model
        except InputRefused as refused:
            self.judged(account, "review", refused.verdict, settled.decision.route)
            return refused.verdict.reply or translated(REFUSED), request.model
        except BackendError as error:
            visible = generation.gate.visible.strip()
            if not visible or isinstance(error, EmptyReply):
                raise
            account.notice = translated(CUT_SHORT)
            return f"{visible}\n\n{small_print(account.notice)}", request.model
        finally:
            review.cancel()
            waking.cancel()

    async def _tell_of_waking(
        self, request: ChatRequest, generation: Generation, sink: ReplySink
    ) -> None:
        """Say that the model is being loaded, if that is what the person waits for."""
        facts = self._parts.facts
        await asyncio.sleep(WAKING_AFTER)
        if facts is None or generation.first_token is not None:
            return
        loading = await facts.is_loading(request.model, request.affinity)
        if loading and generation.first_token is None:
            sink.wait(small_print(translated(WAKING)))

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
        self.judged(account, "output", verdict, settled.decision.route)
        release = await parts.guardrails.repair(
            draft, verdict, settled.context, parts.model, request.model
        )
        self.judged(account, "revision", release.verdict, settled.decision.route)
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
            if not any(message.images for message in request.messages):
                self._parts.estimator.calibrate(
                    request.model,
                    [message.content for message in request.messages],
                    generated.finished.prompt_tokens,
                )


def _options(
    options: Mapping[str, float | int], stops: Sequence[str], terms: Terms
) -> Mapping[str, float | int | list[str]]:
    """Return the sampling options; a fixed seed must not write the same reply again."""
    made: dict[str, float | int | list[str]] = {**options, "stop": list(stops)}
    if terms.seed is not None and "seed" in options:
        made["seed"] = (int(options["seed"]) + terms.seed) % 2**31
    return made


def _others(settled: Settled) -> list[str]:
    """Return the names of everybody whose lines the model must not write."""
    said = [each.speaker.name for ex in settled.conversation.exchanges[-20:] for each in ex.said]
    mates = [each.name for each in settled.scene if each.id != settled.persona.id]
    return list(dict.fromkeys([settled.turn.speaker.name, *said, *mates]))

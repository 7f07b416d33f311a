"""The writing of one reply: recall, prompt, a place in the queue, generation, repair.

The same for a first answer and for another variant of it; what becomes of the text is the
caller's part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from bot.chat.account import TurnAccount
from bot.chat.character.drift import DriftCheck, Drifted, check_for, drifted_lately
from bot.chat.character.plain_voice import PLAIN_VOICE
from bot.chat.notices import CUT_LONG, in_line, small_print
from bot.chat.parts import Parts, Timer
from bot.chat.preparing.files import has_pictures
from bot.chat.preparing.ordering import order_of
from bot.chat.preparing.scene_turns import guidance_for
from bot.chat.preparing.settling import Settled
from bot.chat.preparing.speech import language_instruction
from bot.chat.replying.continuing import Continuing
from bot.chat.replying.drafting import Drafting, Order
from bot.chat.replying.generation import NeedHeard
from bot.chat.replying.rewriting import may_run, rewritten
from bot.chat.replying.several import differing
from bot.chat.replying.terms import Terms, Written
from bot.chat.turn import DIRECT, Wish
from bot.chat.wishes.first_words import greeting_index
from bot.delivery.seams import joined
from bot.errors import EmptyReply
from bot.guardrails.outgoing.leak import marked
from bot.guardrails.verdict import Action, Verdict
from bot.languages import translated
from bot.memory import NOTHING, Recollection
from bot.ports import ChatRequest, ReplySink
from bot.prompting import Prompt, PromptInput, assemble
from bot.prompting.reminder import remind_every
from bot.routing.profiles import RouteProfile
from bot.routing.route import Route
from bot.scheduling import Urgency


class Writing:
    """Writes replies. One object for the whole process; it keeps no state of a turn."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._drafting = Drafting(parts)

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

        async def once(shown: ReplySink, given: Terms) -> Written:
            return await self._once(settled, shown, account, timer, given)

        return await differing(once, settled, sink, terms, self._parts.metrics)

    async def _once(
        self,
        settled: Settled,
        sink: ReplySink,
        account: TurnAccount,
        timer: Timer,
        terms: Terms,
    ) -> Written:
        if terms.before:
            sink = Continuing(sink, terms.before)
            settled.context = replace(settled.context, before=terms.before)
        with timer.stage("recall"):
            recollection = await self._recall(settled)
        model = self._model(settled)
        account.model = model
        if has_pictures(settled.turn) and self._parts.facts is not None:
            account.pictures = await self._parts.facts.sees(model)
        reminded = self._reminded(settled)

        async def order(*, again: bool) -> Order:
            given = replace(terms, seed=_second(terms, settled)) if again else terms
            caring = settled.verdict.action is Action.SUPPORT
            used = NOTHING if caring else recollection
            account.memories = used.memories
            with timer.stage("prompt"):
                prompt, request = await self._prompted(
                    settled, account, used, given, reminded=reminded or (again and not caring)
                )
            return Order(
                settled,
                prompt,
                request,
                sink,
                account,
                stop=terms.stop,
                wish=terms.wish,
                check=lambda: self.check(settled),
                again_allowed=not again,
            )

        first = await order(again=False)
        text = await self._generated(first, lambda: order(again=True))
        text = await rewritten(self._parts, settled.persona, settled.context, text)
        return Written(_whole(text, settled, account, terms), model, first.prompt)

    async def _generated(self, first: Order, again: Callable[[], Awaitable[Order]]) -> str:
        """Wait for a place at the model, and return a draft that may stand."""
        turn, account, parts = first.settled.turn, first.account, self._parts
        asked = parts.clock.monotonic()
        async with parts.queue.slot(
            turn.speaker.id,
            turn.place.guild or turn.place.channel,
            timeout=parts.queue_timeout,
            urgency=Urgency.DIRECT if turn.trigger in DIRECT else Urgency.AMBIENT,
            told=lambda place, seconds: first.sink.wait(in_line(place, seconds)),
        ) as slot:
            account.timings["queue"] = slot.waited
            parts.metrics.turns.queue_depth(parts.queue.depth)
            try:
                return await self._drafted(first, again)
            finally:
                account.timings["generate"] = parts.clock.monotonic() - asked - slot.waited

    def judged(self, account: TurnAccount, stage: str, verdict: Verdict, route: Route) -> None:
        """Note a verdict in the account, and count it."""
        self._drafting.judged(account, stage, verdict, route)

    def check(self, settled: Settled) -> DriftCheck | None:
        """Return what to watch in the reply; nothing where care or honesty come first."""
        if settled.verdict.category is not None:
            return None
        others = set(self._players(settled).values()) - {settled.persona.name}
        return check_for(settled.persona, sorted(others), settled.language, settled.turn.text)

    async def _drafted(self, order: Order, again: Callable[[], Awaitable[Order]]) -> str:
        """Return a draft that may stand; a second one when the first is empty, drifts, or was
        begun before the guard model heard need."""
        account, replies = order.account, self._parts.metrics.replies
        route = order.settled.decision.route.value
        try:
            text = await self._drafting.draft(order)
        except Drifted as drifted:
            for reason in drifted.drift.reasons:
                replies.drifted(reason, "regenerated")
        except NeedHeard as heard:
            settled = order.settled
            settled.verdict = heard.verdict
            settled.context = replace(settled.context, in_need=True)
        except EmptyReply:
            if order.stop.wanted:
                raise
            replies.drifted("empty", "regenerated")
        else:
            replies.scored(route, account.drift.score)
            for reason in account.drift.reasons:
                replies.drifted(reason, "noted")
            return text
        account.drafts += 1
        text = await self._drafting.draft(await again())
        replies.scored(route, account.drift.score)
        return text

    async def _recall(self, settled: Settled) -> Recollection:
        """Return what may be used of the person's memory; nothing while care comes first."""
        memory = self._parts.memory
        if (
            memory is None
            or settled.turn.cue is not None
            or settled.verdict.action is Action.SUPPORT
            or settled.verdict.plain_voice
        ):
            return NOTHING
        return await memory.recall(settled.turn, settled.profile.memory, settled.persona.id)

    def _reminded(self, settled: Settled) -> bool:
        """Whether it is time to remind the persona of itself."""
        if settled.turn.cue is None and drifted_lately(settled.conversation, settled.persona.id):
            return True
        every = remind_every(settled.persona, settled.profile)
        spoken = sum(
            exchange.reply is not None and exchange.reply.persona == settled.persona.id
            for exchange in settled.conversation.exchanges
        )
        return every > 0 and spoken > 0 and spoken % every == 0

    async def _prompted(
        self,
        settled: Settled,
        account: TurnAccount,
        recollection: Recollection,
        terms: Terms,
        *,
        reminded: bool,
    ) -> tuple[Prompt, ChatRequest]:
        account.reminded = reminded
        made = (settled, account, recollection, terms)
        files = any(message.attachments for message in settled.turn.messages)
        if files or settled.persona.heavy or self._scripted(settled):
            return await asyncio.to_thread(self._prompt, *made)
        return self._prompt(*made)  # a thread would cost more than it spares

    def _prompt(
        self,
        settled: Settled,
        account: TurnAccount,
        recollection: Recollection,
        terms: Terms,
    ) -> tuple[Prompt, ChatRequest]:
        profile = self._profile(settled, terms)
        prompt = assemble(self._given(settled, account, recollection, terms, profile))
        account.messages, account.report = prompt.messages, prompt.report
        settled.context = replace(settled.context, protected=prompt.messages[0].content)
        request = ChatRequest(
            model=account.model,
            messages=prompt.messages,
            options=_options(profile.options, prompt.stop, terms),
            affinity=f"{settled.turn.place.channel}:{settled.persona.id}",
            num_keep=prompt.num_keep,
        )
        return prompt, request

    def _profile(self, settled: Settled, terms: Terms) -> RouteProfile:
        """Return how the route is spoken, or the creative tool that was ordered."""
        profile = settled.profile
        ordered = terms.order or order_of(settled.turn, profile.route)
        if ordered is None:
            return profile
        return self._parts.tools[ordered.tool].applied(ordered, profile, self._parts.num_ctx // 2)

    def _given(
        self,
        settled: Settled,
        account: TurnAccount,
        recollection: Recollection,
        terms: Terms,
        profile: RouteProfile,
    ) -> PromptInput:
        """Return all that the prompt is made of."""
        parts = self._parts
        players = self._players(settled)
        return PromptInput(
            persona=settled.persona,
            profile=profile,
            conversation=settled.conversation,
            turn=settled.turn,
            memories=recollection.memories,
            constraints=recollection.constraints,
            user_persona=recollection.user_persona,
            language=language_instruction(settled.language),
            reminder=account.reminded,
            guidance=_guidance(settled),
            host_alone=settled.context.in_need,
            safety_text=parts.guardrails.safety_text,
            num_ctx=parts.num_ctx,
            reply_tokens=int(profile.options.get("num_predict", 700)),
            estimator=parts.estimator,
            model=account.model,
            seed=int(settled.turn.id) if terms.seed is None else terms.seed,
            regenerate=terms.wish is not None and terms.wish.writes_another,
            continue_reply=terms.wish is Wish.CONTINUE,
            now=parts.clock.now(),
            cast_names=tuple(sorted(set(players.values()) - {settled.persona.name})),
            persona_names={PLAIN_VOICE.id: PLAIN_VOICE.name} | players,
            greeting=greeting_index(settled.conversation, settled.persona),
            pictures=account.pictures,
            run_scripts=self._scripted(settled),
        )

    def _scripted(self, settled: Settled) -> bool:
        """Whether the card's own scripts rewrite how the model sees its past replies."""
        return may_run(self._parts, settled.persona, settled.turn.place.guild)

    def _model(self, settled: Settled) -> str:
        """Return the model that answers: the place's while the operator allows it, the route's,
        or the default."""
        parts, bound = self._parts, settled.binding.model
        if bound is not None and bound in parts.channel_models | {parts.default_model}:
            return bound
        return settled.profile.model or parts.default_model

    def _players(self, settled: Settled) -> dict[str, str]:
        """Return the names, by id, of the personas that play here."""
        if settled.scene:
            return {persona.id: persona.name for persona in settled.scene}
        guild, casting = settled.turn.place.guild, self._parts.casting
        players = (casting.player(settled.binding, route, guild) for route in Route)
        return {player.id: player.name for player in players}


def _whole(text: str, settled: Settled, account: TurnAccount, terms: Terms) -> str:
    """Return a draft as the reply that is kept: behind what it goes on from, with the line that
    is to be said whatever the model said, and told where it was cut."""
    if terms.before:
        text = joined(terms.before, text)
    if (line := settled.verdict.line) and line not in text:
        text = f"{text}\n\n{line}"
    long = account.finished is not None and account.finished.reason == "length"
    if long and account.notice is None:
        text = f"{text}\n\n{small_print(translated(CUT_LONG))}"
    return text


def _guidance(settled: Settled) -> tuple[str, ...]:
    """Return what the guardrails, the scene and the watch for leaks have to say."""
    cue, canary = settled.turn.cue, settled.context.canary
    said = (
        settled.verdict.guidance,
        guidance_for(settled.persona) if cue is not None else "",
        marked(canary) if canary is not None else "",
    )
    return tuple(filter(None, said))


def _second(terms: Terms, settled: Settled) -> int:
    """Return another seed than the first draft's."""
    return (int(settled.turn.id) if terms.seed is None else terms.seed) + 1


def _options(
    options: Mapping[str, float | int], stops: Sequence[str], terms: Terms
) -> Mapping[str, float | int | list[str]]:
    """Return the sampling options; a fixed seed must not write the same reply again."""
    made: dict[str, float | int | list[str]] = {**options, "stop": list(stops)}
    if terms.seed is not None and "seed" in options:
        made["seed"] = (int(options["seed"]) + terms.seed) % 2**31
    return made

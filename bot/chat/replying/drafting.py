"""One draft of a reply: from the request to released text, repaired or cut short if need be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bot.chat.account import TurnAccount
from bot.chat.character.drift import DriftCheck
from bot.chat.notices import CUT_LOOP, CUT_SHORT, WAKING, small_print
from bot.chat.parts import Parts
from bot.chat.preparing.settling import Settled
from bot.chat.replying.generation import Generated, Generation, InputRefused, NeedHeard, Readers
from bot.chat.replying.stopping import Stop
from bot.chat.turn import Wish
from bot.delivery.cleaning import ReplyCleaner
from bot.delivery.split import says_something
from bot.errors import BackendError, EmptyReply, NotAllowed
from bot.guardrails import DraftBlocked, Release
from bot.guardrails.verdict import Action, Verdict
from bot.languages import mark, translated
from bot.once import Once
from bot.ports import ChatRequest, ReplySink
from bot.prompting import Prompt
from bot.routing.route import Route
from bot.scheduling.afterwards import afterwards

log = structlog.get_logger(__name__)

REFUSED = mark("I can't help with that one.")
WAKING_AFTER = 2.0
"""Seconds without a first token after which a host is asked whether it loads the model."""
ENDING_AT_MOST = 2.0
"""Seconds that a draft waits for what ran beside it, once that is cancelled."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be drafted."""

    settled: Settled
    prompt: Prompt
    request: ChatRequest
    sink: ReplySink
    account: TurnAccount
    stop: Stop
    wish: Wish | None
    check: Callable[[], DriftCheck | None]
    """Returns what watches the persona; None where it may speak of itself."""
    again_allowed: bool
    """Whether a draft that drifts may be thrown away while nothing of it is visible."""


class Drafting:
    """Writes drafts. It keeps no state of any."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def draft(self, order: Order) -> str:
        """Return the released text.

        Raises:
            Drifted: the persona was not itself, nothing was visible, and `again_allowed`.
            NeedHeard: the question is to be answered with care; nothing was visible.
            NotAllowed: what was to change a reply may not be said; the reply stays as it is.
            BackendError: the model failed and nothing was visible.
        """
        parts, settled, account = self._parts, order.settled, order.account
        began = parts.clock.monotonic()
        review = self._review(settled) if parts.guardrails.reviews else None
        readers = Once(lambda: self._readers(order))
        making = afterwards(readers)  # while the model reads the prompt
        generation = Generation(
            model=parts.model,
            readers=readers,
            sink=order.sink,
            clock=parts.clock,
            stop=order.stop,
            review=review,
            again_allowed=order.again_allowed,
        )
        beside: list[asyncio.Task[Any]] = [review] if review is not None else []
        waking = asyncio.get_running_loop().call_later(
            WAKING_AFTER, lambda: beside.append(self._tell_of_waking(order, generation))
        )
        try:
            generated = await generation.run(order.request)
            self._measure(generated, order, began)
            account.drift = generated.drift
            self.judged(account, "output", generated.release.verdict, settled.decision.route)
            text = generated.release.text
            return _noted(text, CUT_LOOP, account) if readers().cleaner.went_round else text
        except DraftBlocked as blocked:
            self._taken_back(generation)
            release = await self._repair(order, generation.draft, blocked.verdict)
            if release.verdict.action is Action.REFUSE:
                return self._instead(release.text, order)
            return release.text
        except InputRefused as refused:
            self._taken_back(generation)
            self.judged(account, "review", refused.verdict, settled.decision.route)
            return self._instead(refused.verdict.reply or translated(REFUSED), order)
        except NeedHeard as heard:
            self.judged(account, "review", heard.verdict, settled.decision.route)
            raise
        except BackendError as error:
            visible = (await readers().gate.break_off()).strip()
            if not says_something(visible) or isinstance(error, EmptyReply):
                raise
            return _noted(visible, CUT_SHORT, account)
        finally:
            making.cancel()
            waking.cancel()
            await _end(*beside)
            for cut in readers().cleaner.cuts():
                parts.metrics.replies.cut(cut)

    def _review(self, settled: Settled) -> asyncio.Task[Verdict]:
        reviewing = self._parts.guardrails.review_input(settled.context)
        return asyncio.create_task(reviewing, name=f"review {settled.turn.id}")

    def _readers(self, order: Order) -> Readers:
        gate = self._parts.guardrails.open_gate(order.settled.context)
        return Readers(gate, _cleaner(order), order.check())

    def judged(self, account: TurnAccount, stage: str, verdict: Verdict, route: Route) -> None:
        """Note a verdict in the account, and count it."""
        account.judged(stage, verdict)
        self._parts.metrics.guard.judged(
            stage, verdict.action.value, category=verdict.category, route=route.value
        )

    def _taken_back(self, generation: Generation) -> None:
        if generation.first_shown is not None:
            self._parts.metrics.guard.retracted()

    def _tell_of_waking(self, order: Order, generation: Generation) -> asyncio.Task[None]:
        telling = self._wake(order, generation)
        return asyncio.create_task(telling, name=f"waking {order.settled.turn.id}")

    async def _wake(self, order: Order, generation: Generation) -> None:
        """Say that the model is being loaded, if that is what the person waits for."""
        facts, request = self._parts.facts, order.request
        if facts is None or generation.first_token is not None:
            return
        loading = await facts.is_loading(request.model, request.affinity)
        if loading and generation.first_token is None:
            order.sink.wait(small_print(translated(WAKING)))

    async def _repair(self, order: Order, draft: str, verdict: Verdict) -> Release:
        """Let the guardrails rewrite a blocked draft."""
        parts, route = self._parts, order.settled.decision.route
        self.judged(order.account, "output", verdict, route)
        release = await parts.guardrails.repair(
            draft, verdict, order.settled.context, parts.model, order.request.model
        )
        self.judged(order.account, "revision", release.verdict, route)
        return release

    def _instead(self, text: str, order: Order) -> str:
        """Return what is said in place of a draft; a reply that stands there is not spoilt by it.

        Raises:
            NotAllowed: there is one; the person alone reads the words.
        """
        if order.wish is not None:
            raise NotAllowed("{reply}", reply=text)
        settled = order.settled
        if text == self._parts.guardrails.unanswered(settled.context).reply:
            settled.verdict = replace(settled.verdict, line=None)  # it names the lines itself
        return text

    def _measure(self, generated: Generated, order: Order, began: float) -> None:
        account, request = order.account, order.request
        if generated.first_token is not None:
            account.timings["first_token"] = generated.first_token - began
            shown = generated.first_shown or self._parts.clock.monotonic()  # else whole, by now
            account.timings["held_back"] = shown - generated.first_token
        if generated.finished is not None:
            account.finished = generated.finished
            if not any(message.images for message in request.messages):
                self._parts.estimator.calibrate(
                    request.model,
                    [message.content for message in request.messages],
                    generated.finished.prompt_tokens,
                    estimated=order.prompt.report.total,
                )


def _noted(text: str, why: str, account: TurnAccount) -> str:
    """Return a text that ends early, with a line on why."""
    account.notice = translated(why)
    return f"{text}\n\n{small_print(account.notice)}"


async def _end(*beside: asyncio.Task[Any]) -> None:
    """End what ran beside a draft; nobody is told what went wrong there but the log."""
    if not beside:
        return
    for task in beside:
        task.cancel()
    done, _ = await asyncio.wait(beside, timeout=ENDING_AT_MOST)
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("work beside a draft failed", task=task.get_name(), kind=type(error).__name__)


def _cleaner(order: Order) -> ReplyCleaner:
    """Return the filters of a reply: whose names it may not write, and what it may not repeat."""
    settled = order.settled
    exchanges, turn = settled.conversation.exchanges, settled.turn
    said = [each.speaker.name for exchange in exchanges[-20:] for each in exchange.said]
    mates = [each.name for each in settled.scene if each.id != settled.persona.id]
    labels = [stop.strip("\n:") for stop in order.prompt.stop]
    others = dict.fromkeys([turn.speaker.name, *said, *mates, *labels])
    earlier = [exchange.reply.text for exchange in exchanges if exchange.reply is not None]
    if order.wish is Wish.CONTINUE:
        earlier = []  # where it meets the old text is seen to when they are joined
    return ReplyCleaner([settled.persona.name], list(others), turn.text, earlier[-3:])

"""From the model's stream to approved text on the sink."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from bot.chat.character.drift import Drift, DriftCheck, Drifted
from bot.chat.replying.stopping import Stop
from bot.delivery.cleaning import ReplyCleaner
from bot.delivery.reasoning import after_reasoning
from bot.delivery.split import says_something
from bot.errors import EmptyReply
from bot.guardrails import OutputGate, Release
from bot.guardrails.verdict import Action, Verdict
from bot.ports import ChatModel, ChatRequest, Clock, Finished, Piece, ReplySink


class InputRefused(Exception):  # control flow between two stages, never an error
    """The guard model's review of the question came back while its answer was being written."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.category)
        self.verdict = verdict


class NeedHeard(Exception):  # control flow between two stages, never an error
    """The guard model heard need in a question that is being answered as any other."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.category)
        self.verdict = verdict


@dataclass(slots=True)
class Generated:
    """What a generation came to. `first_token` and `first_shown` are monotonic seconds."""

    release: Release
    finished: Finished | None
    """None when we ended the stream ourselves: at another speaker's line, in a loop, or stopped."""
    first_token: float | None = None
    first_shown: float | None = None
    drift: Drift = field(default_factory=Drift)


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads a reply while it is written."""

    gate: OutputGate
    cleaner: ReplyCleaner
    check: DriftCheck | None
    """Watches the persona; None where it may speak of itself."""


@dataclass(slots=True)
class Generation:
    """One generation: pulls pieces, cleans and judges them, shows what is approved."""

    model: ChatModel
    readers: Callable[[], Readers]
    """Returns the same ones each time. First asked when there is something to read."""
    sink: ReplySink
    clock: Clock
    stop: Stop
    review: asyncio.Task[Verdict] | None = None
    """The guard model's judgement of the question; nothing is shown before it."""
    again_allowed: bool = False
    """Whether a draft that drifts is thrown away while nothing of it is visible."""
    first_token: float | None = None
    first_shown: float | None = None
    finished: Finished | None = field(default=None, init=False)
    draft: str = field(default="", init=False)
    """All cleaned text so far, judged or not."""

    async def run(self, request: ChatRequest) -> Generated:
        """Generate, and return the released text.

        Raises:
            DraftBlocked: the gate would not let the draft pass; `self.draft` holds it.
            InputRefused: the question itself was refused by the review.
            NeedHeard: the review found that care comes first.
            Drifted: the persona is not itself, and nothing was visible.
            BackendError: the host failed; the gate's `break_off` returns what can be shown.
        """
        with self.stop.listens():
            async with aclosing(self.model.stream(request)) as stream:
                async for item in stream:
                    if isinstance(item, Finished):
                        self.finished = item
                        break
                    await self._take(item)
                    if self.readers().cleaner.ended:
                        break
        await self._pass_on(self.readers().cleaner.close())
        await self._reviewed(wait=True)
        release = await self.readers().gate.close()
        release = replace(release, text=self.readers().cleaner.whole(release.text))
        if not says_something(release.text):
            backend = self.finished.backend if self.finished else None
            raise EmptyReply("the model wrote nothing that can be shown", backend=backend)
        drift = self._drift(release.text, whole=True)
        return Generated(release, self.finished, self.first_token, self.first_shown, drift)

    async def _take(self, piece: Piece) -> None:
        if self.first_token is None and piece.text:
            self.first_token = self.clock.monotonic()
        await self._pass_on(self.readers().cleaner.feed(piece.text))

    async def _pass_on(self, text: str) -> None:
        if not text:
            return
        self.draft += text
        visible = await self.readers().gate.feed(text, self.sink.ready)
        if not visible or not await self._reviewed(wait=False) or not self._may_begin(visible):
            return
        spoken = after_reasoning(visible)
        if self.first_shown is None and says_something(spoken):
            self.first_shown = self.clock.monotonic()
        if self.first_shown is not None and spoken:
            self.sink.show(spoken)

    def _may_begin(self, visible: str) -> bool:
        """Whether a text may become visible: the first one is looked at before."""
        check = self.readers().check
        if check is None or self.first_shown is not None:
            return True
        self._drift(visible)
        return not check.undecided(visible)

    def _drift(self, text: str, *, whole: bool = False) -> Drift:
        """Look at a text.

        Raises:
            Drifted: the persona is not itself, nothing is visible, and another draft may be made.
        """
        check = self.readers().check
        if check is None:
            return Drift()
        drift = check.look(text, self.readers().cleaner.cuts(), whole=whole)
        if drift.drifted and self.again_allowed and self.first_shown is None:
            raise Drifted(drift)
        return drift

    async def _reviewed(self, *, wait: bool) -> bool:
        """Whether the question has been reviewed and let through.

        Raises:
            InputRefused, NeedHeard: it was not, or is to be answered with care.
        """
        if self.review is None:
            return True
        if not wait and not self.review.done():
            return False
        verdict = await asyncio.shield(self.review)  # a stop must not take it along
        if verdict.action is Action.REFUSE or verdict.reply is not None:
            raise InputRefused(verdict)
        if verdict.action is Action.SUPPORT:
            raise NeedHeard(verdict)
        return True

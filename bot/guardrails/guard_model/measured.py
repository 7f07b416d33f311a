"""A guard model whose time and failures are measured."""

from __future__ import annotations

import time
from typing import Protocol

from bot.guardrails.guard_model.opinion import GuardAway, GuardModel, GuardOpinion

_KINDS: dict[type[BaseException], str] = {GuardAway: "format", TimeoutError: "timeout"}


class GuardObserver(Protocol):
    """What is told about each opinion."""

    def opinion(self, seconds: float, failure: str | None = None) -> None:
        """An opinion was given, or was not: `failure` says why."""
        ...


class MeasuredGuard:
    """A `GuardModel` around another."""

    def __init__(self, guard: GuardModel, observer: GuardObserver) -> None:
        self._guard = guard
        self._observer = observer

    async def opinion(self, user_text: str, draft: str | None = None) -> GuardOpinion:
        """Return the inner model's opinion.

        Raises:
            GuardAway: there is none.
        """
        began = time.perf_counter()
        try:
            opinion = await self._guard.opinion(user_text, draft)
        except GuardAway as error:
            cause = error.__cause__
            kind = "breaker" if cause is None else _KINDS.get(type(cause), type(cause).__name__)
            self._observer.opinion(time.perf_counter() - began, kind)
            raise
        self._observer.opinion(time.perf_counter() - began)
        return opinion

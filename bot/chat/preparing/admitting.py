"""How often people may ask: a turn's worth is taken before anything is done for it."""

from __future__ import annotations

import asyncio

from bot.chat.parts import Parts
from bot.chat.turn import Turn
from bot.personas.binding import ResolvedBinding
from bot.ports import Waiting
from bot.scheduling.admission import buckets


class Admission:
    """Lets a turn in, once: whatever it begins anew with, or is joined by, costs nothing more."""

    def __init__(self, *, granted: bool = False) -> None:
        """`granted`: it was let in before, by a process that is gone."""
        self._granted = granted
        self._asking: asyncio.Task[Waiting | None] | None = None

    def ask(
        self, parts: Parts, turn: Turn, binding: ResolvedBinding
    ) -> asyncio.Future[Waiting | None]:
        """Take one turn's worth of what the person may ask; a cue is not the person's doing.

        The answer is None when granted, else how long to wait. It is the same however often it is
        asked, also when whoever asked first was cancelled; it raises `StoreError` where Redis is
        away, and the next to ask tries again.
        """
        if self._granted or turn.cue is not None:
            free = asyncio.get_running_loop().create_future()
            free.set_result(None)
            return free
        if self._asking is None:
            self._asking = asyncio.create_task(_take(parts, turn, binding))
            self._asking.add_done_callback(self._answered)
        return asyncio.shield(self._asking)

    def _answered(self, asking: asyncio.Task[Waiting | None]) -> None:
        if asking.cancelled() or asking.exception() is not None:
            self._asking = None


async def _take(parts: Parts, turn: Turn, binding: ResolvedBinding) -> Waiting | None:
    person, place = turn.speaker.id, turn.place
    more = buckets(binding, place, person, turn.roles)
    return await parts.limiter.take(turn.id, person, place.guild, more)

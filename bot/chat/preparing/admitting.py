"""How often people may ask: a turn's worth is taken before anything is done for it."""

from __future__ import annotations

from bot.chat.parts import Parts
from bot.chat.turn import Turn
from bot.personas.binding import ResolvedBinding
from bot.ports import Waiting
from bot.scheduling.admission import buckets


async def take_turn(parts: Parts, turn: Turn, binding: ResolvedBinding) -> Waiting | None:
    """Take one turn's worth of what the person may ask; a cue is not the person's doing.

    Return None when granted, else how long to wait.

    Raises:
        StoreError: Redis is away.
    """
    if turn.cue is not None:
        return None
    person, place = turn.speaker.id, turn.place
    more = buckets(binding, place, person, turn.roles)
    return await parts.limiter.take(person, place.guild, more)

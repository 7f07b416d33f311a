"""How often people may ask: a turn's worth is taken before anything is done for it."""

from __future__ import annotations

from bot.chat.notices import too_many
from bot.chat.parts import Parts
from bot.chat.turn import Turn
from bot.personas.binding import ResolvedBinding
from bot.scheduling.admission import buckets


async def take_turn(parts: Parts, turn: Turn, binding: ResolvedBinding) -> None:
    """Take one turn's worth of what the person may ask; a cue is not the person's doing.

    Raises:
        Busy: it is too much for now.
        StoreError: Redis is away.
    """
    if turn.cue is not None:
        return
    person, place = turn.speaker.id, turn.place
    more = buckets(binding, place, person, turn.roles)
    refused = await parts.limiter.take(person, place.guild, more)
    if refused is not None:
        raise too_many(refused)

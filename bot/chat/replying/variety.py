"""Several ideas that differ: too similar ones are dropped, and others asked for in their place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.creative.diversity import VARIED, different, distinct
from bot.creative.ideas import idea_in, ideas_in
from bot.creative.order import Order

TRIES = 2
"""How often ideas are asked for again, at most: each costs a generation."""

Ask = Callable[[int, Sequence[str]], Awaitable[str]]
"""Asks for so many more ideas that differ from the given ones; returns what the model wrote."""


@dataclass(frozen=True, slots=True)
class Varied:
    """Ideas that differ, how much, and what it took."""

    ideas: tuple[str, ...]
    distinct_2: float
    dropped: int
    """Ideas that were nearly another one."""
    asked_again: int


async def varied(text: str, order: Order, ask: Ask) -> Varied | None:
    """Return the ordered number of different ideas, or as many as can be had.

    `text` is what the model wrote first. None when it holds no list: then it stands as it is.
    """
    written = ideas_in(text)
    if not written:
        return None
    kept = different(written, order.known)
    dropped = len(written) - len(kept)
    asked = 0
    while asked < TRIES and (len(kept) < order.count or distinct(kept) < VARIED):
        if len(kept) >= order.count:
            kept.remove(_least_own(kept))
            dropped += 1
        asked += 1
        lacking = order.count - len(kept)
        more = await ask(lacking, (*order.known, *kept))
        one = idea_in(more) if lacking == 1 else ""
        fresh = ideas_in(more) or ([one] if one else [])
        found = different(fresh, (*order.known, *kept))
        dropped += len(fresh) - len(found)
        kept += found
    kept = kept[: order.count]
    return Varied(tuple(kept), distinct(kept), dropped, asked)


def _least_own(ideas: Sequence[str]) -> str:
    """Return the idea without which the others differ the most."""
    return max(ideas, key=lambda idea: distinct([each for each in ideas if each is not idea]))

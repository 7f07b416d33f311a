"""Where several ideas are ordered, they are made to differ before the reply is complete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.chat.preparing.ordering import order_of
from bot.chat.preparing.settling import Settled
from bot.chat.replying.terms import Terms, Written
from bot.chat.replying.unseen import Unseen
from bot.chat.replying.variety import varied
from bot.chat.turn import Wish
from bot.creative.ideas import listed
from bot.observability import Metrics
from bot.ports import ReplySink
from bot.prompting.small_print import without_small_print

Once = Callable[[ReplySink, Terms], Awaitable[Written]]
"""Writes one text."""


async def differing(
    once: Once, settled: Settled, sink: ReplySink, terms: Terms, metrics: Metrics
) -> Written:
    """Return what was written; of several ideas, those that differ.

    What is asked for in place of ideas that are too alike is seen by nobody until then.
    """
    written = await once(sink, terms)
    order = order_of(settled.turn, settled.decision.route)
    if order is None or order.count < 2 or terms.wish is Wish.CONTINUE:
        return written

    async def ask(count: int, known: Sequence[str]) -> str:
        if terms.stop.wanted:
            return ""
        lacking = replace(order, count=count, known=tuple(known))
        seed = int(settled.turn.id) + len(known)
        more = await once(Unseen(), replace(terms, order=lacking, seed=seed))
        return without_small_print(more.text)

    own = without_small_print(written.text)
    found = await varied(own, order, ask)
    if found is None:
        return written
    metrics.tools.varied(order.tool.value, found)
    text = listed(found.ideas) + written.text[len(own) :]
    return replace(written, text=text, ideas=len(found.ideas))

"""Orders of the creative tools, and interactions to be answered, as records hold them."""

from __future__ import annotations

from typing import Any

from bot.adapters.redis.fields import Fields, ident
from bot.chat.turn import Answering
from bot.creative.order import MOST_IDEAS, Length, Order, Tone, Tool
from bot.errors import RecordCorrupt


def order_out(order: Order) -> dict[str, Any]:
    """Write an order."""
    return {
        "t": order.tool.value,
        "o": order.tone and order.tone.value,
        "l": order.length and order.length.value,
        "n": order.count,
        "m": order.material,
        "k": list(order.known),
    }


def order_in(fields: Fields) -> Order:
    """Read an order.

    Raises:
        RecordCorrupt: it is none.
    """
    tone, length = fields.text_or_none("o"), fields.text_or_none("l")
    count, known = fields.ident("n"), fields.items("k")
    if not 1 <= count <= MOST_IDEAS or not all(isinstance(each, str) for each in known):
        raise RecordCorrupt("a stored record has a wrong order")
    try:
        return Order(
            Tool(fields.text("t")),
            Tone(tone) if tone is not None else None,
            Length(length) if length is not None else None,
            count,
            fields.text("m"),
            tuple(known),
        )
    except ValueError as error:
        raise RecordCorrupt("a stored record has a wrong order") from error


def answering_out(answering: Answering) -> dict[str, Any]:
    """Write an interaction that must be answered."""
    return {
        "a": answering.application,
        "t": answering.token,
        "h": answering.hidden,
        "l": answering.lasting,
    }


def answering_in(fields: Fields) -> Answering:
    """Read an interaction that must be answered."""
    return Answering(
        ident(fields.ident("a")), fields.text("t"), fields.flag("h"), lasting=fields.flag("l")
    )

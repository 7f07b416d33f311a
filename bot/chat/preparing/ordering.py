"""Orders of the creative tools in the way of a turn: what is judged, read, and left out."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.turn import Attachment, Message, Turn
from bot.creative.order import Order
from bot.routing.reasons import TOOL
from bot.routing.route import Route, RouteDecision

MATERIAL = "text"
"""The name under which the model reads the material."""


def ordered_route() -> RouteDecision:
    """Return the route of every order: creative, without a doubt."""
    shares = {each: 1.0 if each is Route.CREATIVE else 0.0 for each in Route}
    return RouteDecision(
        route=Route.CREATIVE,
        probabilities=shares,
        uncertain=False,
        source="tool",
        continuation=0.0,
        reasons=(TOOL,),
    )


def order_of(turn: Turn, route: Route) -> Order | None:
    """Return what was ordered, unless care comes first, which leads another way."""
    return turn.order if route is Route.CREATIVE else None


def furnished(turn: Turn) -> Turn:
    """Return a turn with the material of its order as an attached text."""
    if turn.order is None:
        return turn
    return replace(turn, messages=tuple(_furnished(message) for message in turn.messages))


def as_said(turn: Turn) -> Turn:
    """Return a turn as the guardrails judge it: what is to be worked on is said as well."""
    order = turn.order
    if order is None or not order.material:
        return turn
    last = turn.messages[-1]
    said = replace(last, text=f"{last.text}\n{order.material}".strip())
    return replace(turn, messages=(*turn.messages[:-1], said))


def _furnished(message: Message) -> Message:
    if message.order is None or not message.order.material:
        return message
    material = Attachment(MATERIAL, "text/plain", message.order.material.encode("utf-8", "replace"))
    return replace(message, attachments=(*message.attachments, material))

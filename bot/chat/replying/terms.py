"""On which terms a reply is written, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.chat.replying.stopping import Stop
from bot.chat.turn import Wish
from bot.creative.order import Order
from bot.prompting import Prompt


@dataclass(frozen=True, slots=True)
class Written:
    """A reply that may be shown, the model that wrote it, and the prompt it came from."""

    text: str
    model: str
    prompt: Prompt
    ideas: int = 0
    """How many ideas it lists, where several were ordered."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a reply is to be written. By default: as the first answer."""

    stop: Stop = field(default_factory=Stop)
    wish: Wish | None = None
    seed: int | None = None
    """What chance hangs on; None for the turn's id."""
    before: str = ""
    """The text that the reply goes on from."""
    order: Order | None = None
    """In place of the turn's own order: ideas that are still lacking."""

"""What was said in a place, as it is stored and as the model will see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.chat.place import MessageId, Place
from bot.chat.turn import Speaker, TurnId
from bot.creative.order import Order
from bot.routing.route import Route

MAX_VARIANTS = 20
"""Replies that one turn may have."""


@dataclass(frozen=True, slots=True)
class Said:
    """One stored message of a person. `at` is unix seconds."""

    message_id: MessageId
    speaker: Speaker
    text: str
    at: float
    edited: bool = False
    by_command: bool = False
    """Said through a command: no message of the channel holds it."""
    order: Order | None = None
    """What was ordered of a creative tool with it."""
    about: MessageId | None = None
    """For a command: the message of the channel that it was said about. The reply may quote it."""
    unkept: bool = False
    """It came with a file or a quote that is stored nowhere: it can't be asked again as it was."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One reply to a turn. `at` is unix seconds.

    All variants of a turn are shown in the same messages, one at a time; only the shown one holds
    their ids.
    """

    text: str
    message_ids: tuple[MessageId, ...]
    persona: str
    route: Route
    model: str
    at: float
    rival: bool = False
    """Written to be compared with the one before it, and not chosen between yet."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn as stored: what was said, and the variants of the reply.

    `said` is empty for a greeting, and for a turn whose messages were all deleted.
    """

    turn: TurnId
    said: tuple[Said, ...]
    variants: tuple[Variant, ...] = ()
    chosen: int = -1

    @property
    def reply(self) -> Variant | None:
        """Return the variant that is part of the conversation, if there is one."""
        return self.variants[self.chosen] if self.variants else None

    def with_variant(self, variant: Variant) -> Exchange:
        """Return this exchange with one more variant, shown."""
        hidden = (replace(each, message_ids=()) for each in self.variants)
        variants = (*hidden, variant)
        return replace(self, variants=variants, chosen=len(variants) - 1)

    def showing(self, index: int) -> Exchange:
        """Return this exchange with another variant shown, in the messages of the one before."""
        ids = self.variants[self.chosen].message_ids
        variants = (
            replace(each, message_ids=ids if number == index else ())
            for number, each in enumerate(self.variants)
        )
        return replace(self, variants=tuple(variants), chosen=index)

    @property
    def compared(self) -> bool:
        """Whether a person is to choose between the two variants."""
        return len(self.variants) == 2 and self.variants[1].rival

    def picked(self, index: int) -> Exchange:
        """Return this exchange with one of two compared variants chosen."""
        shown = self.showing(index)
        variants = tuple(replace(each, rival=False) for each in shown.variants)
        return replace(shown, variants=variants)

    def rewritten(self, text: str) -> Exchange:
        """Return this exchange with another text in its shown variant."""
        return self._changed(replace(self.variants[self.chosen], text=text))

    def delivered(self, ids: tuple[MessageId, ...]) -> Exchange:
        """Return this exchange with the message ids of its shown variant set."""
        return self._changed(replace(self.variants[self.chosen], message_ids=ids))

    def _changed(self, shown: Variant) -> Exchange:
        variants = list(self.variants)
        variants[self.chosen] = shown
        return replace(self, variants=tuple(variants))


@dataclass(frozen=True, slots=True)
class Conversation:
    """The ordered exchanges of a place, oldest first, and what is known about them."""

    place: Place
    exchanges: tuple[Exchange, ...] = ()
    summary: str | None = None
    """A summary of what was trimmed, if one was made."""
    trimmed_to: TurnId | None = None
    """History is sent from this turn on; moved in halves so that the prefix stays cached."""
    state: Mapping[str, str] = field(default_factory=dict)
    """Small per-conversation values by owner, for example `lore` → JSON of timed effects."""
    taken_back: int = 0
    """How often something that was stored here was deleted or edited."""

    def exchange(self, turn: TurnId) -> Exchange | None:
        """Return a turn as it is stored, if it still is."""
        return next((each for each in self.exchanges if each.turn == turn), None)

"""Where a reply becomes visible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.chat.place import MessageId
from bot.chat.turn import TurnId


@dataclass(frozen=True, slots=True)
class Face:
    """Under which name and avatar a reply appears. `avatar` is the card's picture, in any size."""

    persona: str
    name: str
    avatar: bytes | None = None


@dataclass(frozen=True, slots=True)
class Controls:
    """What may be done with a reply that stands there. `shown` counts from 0."""

    turn: TurnId
    shown: int = 0
    variants: int = 1
    size: int = 0
    """Characters of the shown variant."""
    ideas: int = 0
    """How many ideas the reply lists, to pick from."""
    comparison: bool = False
    """Whether another reply may be asked for, to choose between the two."""
    compared: bool = False
    """Whether the person is to choose between the two variants."""
    repeatable: bool = True
    """Whether the question can be asked again as it was, files and all."""


@dataclass(frozen=True, slots=True)
class Held:
    """The latest reply of a place, and the message that carries its controls, if one does."""

    turn: TurnId
    message: MessageId | None = None
    webhook: int | None = None


class ReplySink(Protocol):
    """Where one turn's reply becomes visible."""

    def begin(self) -> None:
        """Show that an answer is coming (typing). Never waits.

        Raises:
            DeliveryError: there is no way to answer, so that nothing need be written.
        """
        ...

    def wait(self, line: str) -> None:
        """Say in one short line why the reply takes a while; its text takes the line's place.
        Never waits."""
        ...

    def ready(self) -> bool:
        """Whether a longer text would be seen about now, so that it is worth approving."""
        ...

    def show(self, text: str) -> None:
        """Show the whole approved text so far; the latest text wins. Never waits.

        Raises:
            DeliveryError: nobody will ever see it, so that no more need be written.
        """
        ...

    async def finish(self, text: str, controls: Controls | None = None) -> tuple[MessageId, ...]:
        """Show the final text, wait until it stands there, and return the ids of its messages.

        `controls`: what is offered under it; nothing when there is nothing to be done with it.

        Raises:
            DeliveryError: it could not be shown.
        """
        ...

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        """Say one short line in the bot's own voice, after whatever is visible."""
        ...

    async def withdraw(self) -> None:
        """Remove what is visible: the question is gone."""
        ...

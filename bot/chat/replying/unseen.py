"""A sink for drafts that nobody sees."""

from __future__ import annotations

from bot.chat.place import MessageId
from bot.ports import Controls


class Unseen:
    """Shows nothing: what is written here goes on inside the program."""

    def begin(self) -> None:
        """Nobody waits for this in particular."""

    def wait(self, line: str) -> None:
        """Nobody reads why it takes a while."""

    def ready(self) -> bool:
        """Nobody reads along, at any time."""
        return False

    def show(self, text: str) -> None:
        """Nobody reads along."""

    async def finish(self, text: str, controls: Controls | None = None) -> tuple[MessageId, ...]:
        """Return no message: there is none."""
        return ()

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        """Return no message: there is none."""
        return ()

    async def withdraw(self) -> None:
        """There is nothing to remove."""

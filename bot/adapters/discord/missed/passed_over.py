"""Messages that were heard and not taken: not for us, or refused while the store was away."""

from __future__ import annotations

from typing import Final

from bot.recent import Recent

KEPT: Final = 5000


class PassedOver:
    """Their ids, the latest of them.

    A gap is read from a little before it began. What was passed over there is not looked at
    again: since then a channel may have been set to answer everything.
    """

    def __init__(self) -> None:
        self._ids = Recent[int, None](KEPT)

    def add(self, message: int) -> None:
        """Remember a message, and forget the oldest."""
        self._ids[message] = None

    def __contains__(self, message: int) -> bool:
        return message in self._ids

"""Turns whose reply Discord does not take for now: each is tried again, ever more rarely.

They stay journalled, so that a successor finds them, and what is stored of them is not written
anew: it only has to stand there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bot.chat.place import MessageId
from bot.chat.running import Running
from bot.ports import Clock, JournalEntry, Progress
from bot.recent import Recent

PAUSES: Final = (0.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds before a reply is tried again, the first time and so on; then the last."""
_KEPT: Final = 1000


class Delayed:
    """Keeps them until they are due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, frozenset[MessageId], JournalEntry]] = []
        """When each is due, and the messages without which there is nothing to do."""
        self._tries = Recent[MessageId, int](_KEPT)

    def add(self, run: Running, accepted_at: float | None = None) -> None:
        """Keep a turn, which was accepted as it was said if not at another time."""
        first, noted = run.turn.messages[0].id, run.progress or Progress()
        tries = self.tries(first)
        self._tries[first] = tries + 1
        due = self._clock.monotonic() + PAUSES[min(tries, len(PAUSES) - 1)]
        self._waiting += [
            (due, run.concerns, JournalEntry(each, run.turn.trigger, accepted_at or each.at, noted))
            for each in run.turn.messages
        ]

    def tries(self, message: MessageId) -> int:
        """Return how often the turn that begins with a message was kept."""
        return self._tries.get(message, 0)

    def deleted(self, gone: Collection[MessageId]) -> None:
        """Messages were deleted: what was about them is to be taken back at once."""
        self._waiting = [
            (float("-inf") if concerns.intersection(gone) else due, concerns, entry)
            for due, concerns, entry in self._waiting
        ]

    def due(self) -> list[JournalEntry]:
        """Return, and keep no longer, what is due."""
        now = self._clock.monotonic()
        found = [entry for due, _, entry in self._waiting if due <= now]
        self._waiting = [each for each in self._waiting if each[0] > now]
        return found

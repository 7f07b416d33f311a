"""Waiting for what a button was pressed under: a turn of this process, or of another."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from bot.chat.arriving.running_turns import RunningTurns
from bot.chat.place import MessageId
from bot.chat.turn import TurnId
from bot.errors import StoreError
from bot.ports import TurnJournal

AT_MOST: Final = 1.5
"""Seconds that a press waits for what it was pressed under; Discord gives it three."""
LOOK_EVERY: Final = 0.1
"""Seconds between two looks at what another process does."""


async def ended(
    turns: RunningTurns,
    journal: TurnJournal,
    turn: TurnId | None = None,
    message: MessageId | None = None,
) -> bool:
    """Wait, not for long, until a turn is over, and every wish of this process about its reply.

    The turn may be named by a message in which its reply stands, if this process writes it.
    Return whether it is over, as far as can be told.
    """
    with contextlib.suppress(TimeoutError, StoreError):
        async with asyncio.timeout(AT_MOST):
            if tasks := turns.about(turn, message):
                await asyncio.wait(tasks)
            while True:
                if turn is None or not await journal.is_open(MessageId(int(turn))):
                    return True
                await asyncio.sleep(LOOK_EVERY)
    return False

"""Questions whose people read, while the store was away, that there will be no answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from bot.chat.arriving.patience import AFTER_OTHERS
from bot.chat.place import MessageId
from bot.chat.turn import Message, Trigger
from bot.errors import StoreError
from bot.ports import Outcome, TurnJournal
from bot.recent import Recent

KEPT: Final = 2000


class Refused:
    """Remembers them, so that nobody answers them later: their people have asked again."""

    def __init__(
        self,
        journal: TurnJournal,
        settle: Callable[[tuple[MessageId, ...], Outcome], Awaitable[None]],
    ) -> None:
        """`settle` does so as soon as the store lets it."""
        self._journal = journal
        self._settle = settle
        self._told = Recent[MessageId, None](KEPT)
        self._unwritten = Recent[MessageId, tuple[Message, Trigger]](KEPT)

    def __contains__(self, message: MessageId) -> bool:
        """Whether nobody is to answer a message, though it may have been written down."""
        return message in self._told

    async def tell(
        self, message: Message, trigger: Trigger, say: Callable[[], Awaitable[bool]]
    ) -> None:
        """Let it be said, unless somebody answers by then; whoever could not be told is not
        refused."""
        blank, claimed = replace(message, text="", attachments=(), replies_to=None), False
        if self._journal.shared:
            await asyncio.sleep(AFTER_OTHERS)
            with contextlib.suppress(StoreError):  # away still
                claimed = await self._journal.accept(blank, trigger)
                if not claimed:
                    return
        self._told[message.id] = None
        said = await say()
        if claimed:
            await self._settle((message.id,), Outcome.FAILED)
        elif said:
            self._unwritten[message.id] = blank, trigger
        else:
            self._told.pop(message.id, None)

    async def write_down(self) -> None:
        """Claim what was refused, and settle it.

        Raises:
            StoreError: the store is away still.
        """
        for ident, (message, trigger) in list(self._unwritten.items()):
            if await self._journal.accept(message, trigger):
                await self._settle((ident,), Outcome.FAILED)
            self._unwritten.pop(ident, None)

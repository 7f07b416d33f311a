"""What became of messages that were answered, while nobody listened.

What is stored of a place is held against a page of its channel: whatever people deleted, hid or
rewrote meanwhile must be in no prompt, though no event will tell of it any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.chat.arriving.looking_again import Channels, Standing
from bot.chat.arriving.thread_opening import may_stand_above
from bot.chat.conversation import Conversation, Said
from bot.chat.place import MessageId, Place

LATELY: Final = 86_400.0
"""Seconds; what was said before is not looked at again."""
AT_MOST: Final = 50
"""Messages of a place that are looked at, the newest ones."""


@dataclass(frozen=True, slots=True)
class Page:
    """The latest messages of a channel as they stand now, read after what is held against it."""

    begins: MessageId
    """From this id on the page leaves no message out, save those that their authors hide."""
    says: Mapping[MessageId, str | None]
    """The text of each message that was rewritten since we last listened, empty where there is
    none that we may read. None: it says what it said."""

    def standing(self, message: MessageId) -> Standing:
        """Return what became of a message, as far as the page tells."""
        if message in self.says:
            return Standing(text=self.says[message])
        return Standing(gone=message >= self.begins)


def said_lately(conversation: Conversation, now: float) -> tuple[Said, ...]:
    """Return people's messages that stand in a channel, newest first; `now` is unix seconds."""
    found = (
        said
        for exchange in reversed(conversation.exchanges)
        for said in reversed(exchange.said)
        if not said.by_command and said.at >= now - LATELY
    )
    return tuple(found)[:AT_MOST]


async def compared(
    place: Place, kept: Sequence[Said], page: Page, channels: Channels | None
) -> tuple[tuple[MessageId, ...], Mapping[MessageId, str]]:
    """Return what is gone of what is kept, and what says something else now.

    What a thread began with stands in the channel above: `channels` tells of it.
    """
    gone: list[MessageId] = []
    texts: dict[MessageId, str] = {}
    for said in kept:
        now = page.standing(said.message_id)
        if may_stand_above(place, said.message_id):
            now = await channels.standing(place, said.message_id) if channels else Standing()
        if now.gone:
            gone.append(said.message_id)
        elif now.text is not None and now.text != said.text:
            texts[said.message_id] = now.text
    return tuple(sorted(gone)), texts

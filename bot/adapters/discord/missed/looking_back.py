"""Reads what a channel holds now, to find what was deleted, hidden or rewritten unheard."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Protocol

import discord
import structlog

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.reading.mapping import HIDING, Us, said_in
from bot.chat.arriving.looking_back import Kept, Page
from bot.chat.place import MessageId, Place

log = structlog.get_logger(__name__)

PAGE: Final = 100
"""Messages that Discord returns at once, at most."""


class Past(Protocol):
    """What is kept of a channel; `bot.chat.arriving.looking_back.LookingBack` fulfils it."""

    async def kept(self, place: Place) -> Sequence[Kept]:
        """Return the channel's messages that are stored; may raise `StoreError`."""
        ...

    async def look(self, place: Place, kept: Sequence[Kept], page: Page) -> None:
        """Do what the missed events of messages would have done; may raise `StoreError`."""
        ...


async def page_of(
    latest: Sequence[discord.Message], us: Us, wanted: Collection[MessageId], since: float
) -> Page | None:
    """Return what a channel's latest messages, newest first and at most `PAGE`, say of those that
    are wanted; edits count from `since` on, in unix seconds.

    None where there are no messages: Discord sends as many where we may not read them.
    """
    if not latest:
        return None
    says: dict[MessageId, str | None] = {}
    for message in latest:
        ident = MessageId(message.id)
        if ident in wanted and not await is_covered(message):
            says[ident] = _new_text(message, us, since)
    return Page(MessageId(latest[-1].id if len(latest) >= PAGE else 0), says)


def _new_text(message: discord.Message, us: Us, since: float) -> str | None:
    edited = message.edited_at
    return said_in(message, us) if edited is not None and edited.timestamp() >= since else None


async def is_covered(message: discord.Message, *, if_unknown: bool = False) -> bool:
    """Whether the message's author, and not just anybody, put a 🙈 under it."""
    author = message.author.id
    for reaction in message.reactions:
        if str(reaction.emoji) == HIDING:
            try:
                # Users come by their ids.
                users = reaction.users(limit=1, after=discord.Object(author - 1))
                return any([user.id == author async for user in users])
            except FAILED as error:
                log.info("reactions not read", reason=type(error).__name__)
                return if_unknown
    return False

"""A sign to who asked where the bot can't speak, so that nobody is ignored in silence."""

from __future__ import annotations

import time
from typing import Final

import structlog

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.turn import DIRECT, Turn
from bot.errors import PermissionMissing, ThreadClosed
from bot.languages import t
from bot.recent import Recent

log = structlog.get_logger(__name__)

SIGN: Final = "⚠️"
DM_EVERY: Final = 3600.0
"""Seconds between two messages to one person about one channel."""
_KEPT: Final = 2000


class Signs:
    """Reacts to the question; where that is not allowed either, writes to the person."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._written = Recent[tuple[int, int], float](_KEPT)
        """By person and channel, when they may be written to again."""

    def silenced(self, turn: Turn, error: PermissionMissing | ThreadClosed) -> None:
        """Let a person know that we can't answer them there, if they asked us. Never waits."""
        asked = turn.trigger in DIRECT and turn.again is None and turn.answering is None
        if asked and turn.cue is None and not turn.place.is_dm:
            self._desk.own(self._give(turn, error), "sign")

    async def _give(self, turn: Turn, error: PermissionMissing | ThreadClosed) -> None:
        if isinstance(error, ThreadClosed):
            # A sign would not say why half a reply stands there, and can't be given in an archive.
            await self._write(turn, _closed(turn))
        elif not await self._reacted(turn):
            await self._write(turn, _lacking(turn, error.permission))

    async def _write(self, turn: Turn, line: str) -> None:
        key, now = (int(turn.speaker.id), int(turn.place.channel)), time.monotonic()
        if now < self._written.get(key, 0.0):
            return
        self._written[key] = now + DM_EVERY
        try:
            private = await self._desk.calls.open_dm(turn.speaker.id)
            await self._desk.calls.send(private, {"content": line}, None)
        except FAILED as error:  # they take no messages from servers, say
            log.info("no sign could be given", reason=type(error).__name__)

    async def _reacted(self, turn: Turn) -> bool:
        """React to the question; a refusal is not asked for where it is foreseen."""
        mine = self._desk.permissions_at(turn.place)
        may = mine is None or (
            mine.view_channel and mine.read_message_history and mine.add_reactions
        )
        if not may:
            return False
        try:
            await self._desk.calls.react(turn.place.channel, turn.points_at, SIGN)
        except FAILED:
            return False
        return True


def _lacking(turn: Turn, permission: str) -> str:
    return t(
        "I can't answer you in {channel}: I lack the permission **{permission}** there. An "
        "admin can give it to me; `/doctor` says how.",
        channel=f"<#{turn.place.channel}>",
        permission=permission,
    )


def _closed(turn: Turn) -> str:
    return t(
        "I couldn't finish my answer to you in {channel}: the thread is locked. Ask me somewhere "
        "else, or ask a moderator to open it.",
        channel=f"<#{turn.place.channel}>",
    )

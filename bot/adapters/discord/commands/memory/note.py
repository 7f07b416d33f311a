"""A note of the memory beside a reply: small print that rings nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import discord

from bot.adapters.discord.calling.calls import Webhook
from bot.adapters.discord.speaking.desk import Desk
from bot.adapters.discord.speaking.voices import EPHEMERAL
from bot.chat.turn import Turn

SILENT: Final = 4096
"""SUPPRESS_NOTIFICATIONS (Discord API reference, "Message Flags")."""
TIMEOUT: Final = 20.0
BUTTONS: Final = 5
"""What a row of a message takes."""


async def post_note(
    desk: Desk, turn: Turn, lines: Sequence[str], buttons: Sequence[discord.ui.Item[Any]]
) -> None:
    """Post lines to the person of a turn, with buttons under them.

    Where only an answer to the interaction is shown, they alone read it.

    Raises:
        discord.HTTPException, discord.RateLimited, aiohttp.ClientError, TimeoutError: it does not
            stand there.
    """
    row = [button.to_component_dict() for button in buttons[:BUTTONS]]
    body: dict[str, Any] = {
        "content": "\n".join(f"-# {line}" for line in lines),
        "components": [{"type": 1, "components": row}] if row else [],
        "allowed_mentions": {"parse": []},
    }
    async with asyncio.timeout(TIMEOUT):
        if turn.answering is not None and turn.by_token:
            hook = Webhook(turn.answering.application, turn.answering.token)
            await desk.calls.execute(hook, None, {**body, "flags": EPHEMERAL}, None)
            return
        about = {"message_id": str(turn.message_ids[-1]), "fail_if_not_exists": False}
        body |= {"flags": SILENT, "message_reference": about}
        await desk.calls.send(turn.place.channel, body, None)

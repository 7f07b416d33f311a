"""Servers that add the bot while its session begins.

discord.py gathers every server of the first seconds, and forgets which of them Discord had not
announced: those have just been joined (discord/state.py, `_delay_ready` and `parse_guild_create`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def told_of_joining(state: Any, parse: Callable[[Any], None]) -> Callable[[Any], None]:
    """Wrap the gateway's parser of servers, so that `on_guild_join` comes for each that was joined,
    whenever it was."""

    def parse_server(data: Any) -> None:
        parse(data)
        gathered = hasattr(state, "_ready_state")
        guild = state._get_guild(int(data["id"])) if gathered else None
        if guild is not None and "unavailable" not in data:
            guild.unavailable = None  # neither away nor back: what `_delay_ready` calls joined

    return parse_server

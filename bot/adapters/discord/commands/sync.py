"""Registers slash commands with Discord, only when they changed.

Discord allows 200 creations a day and guild, so a sync at every start is a bug (Discord API
reference, "Registering a Command").
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, Protocol

import structlog
from discord import app_commands
from discord.ext import commands

log = structlog.get_logger(__name__)


class Remembered(Protocol):
    """Keeps a small value by name across restarts."""

    async def get(self, name: str) -> Any: ...

    async def set(self, name: str, value: Any) -> None: ...


async def payload_of(tree: app_commands.CommandTree[commands.Bot]) -> list[dict[str, Any]]:
    """Return what Discord is told of the tree's commands, translations included."""
    translator = tree.translator
    if translator is None:
        return [command.to_dict(tree) for command in tree.get_commands()]
    return [
        await command.get_translated_payload(tree, translator) for command in tree.get_commands()
    ]


async def sync_commands(
    tree: app_commands.CommandTree[commands.Bot],
    application: int,
    remembered: Remembered,
    when: Literal["changed", "always", "never"],
) -> bool:
    """Register the tree's commands if `when` says so. Return whether it was done.

    What `always` registers is not remembered: the next start with `changed` registers again.
    """
    if when == "never":
        return False
    name, digest = f"commands:{application}", None
    if when == "changed":
        payload = await payload_of(tree)
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        if await remembered.get(name) == digest:
            return False
    registered = await tree.sync()
    await remembered.set(name, digest)
    log.info("commands registered", count=len(registered))
    return True

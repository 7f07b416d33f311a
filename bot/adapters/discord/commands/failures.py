"""Every failed command ends in one clear line for the person; internals go to the log."""

from __future__ import annotations

from typing import Any

import discord
import structlog
from discord import app_commands

from bot.adapters.discord.commands.render import say
from bot.chat.notices import UNEXPECTED, notice_for
from bot.errors import DeliveryError, TroupeError

log = structlog.get_logger(__name__)


async def on_command_error(
    interaction: discord.Interaction, error: app_commands.AppCommandError
) -> None:
    """Tell the person what to do, and the log what happened."""
    name = interaction.command.qualified_name if interaction.command else "unknown"
    await tell(interaction, error, name)


async def tell(interaction: discord.Interaction[Any], error: Exception, name: str) -> None:
    """Answer a failed command, button or modal with one line."""
    line = _line(error)
    if line is UNEXPECTED:
        log.error("command failed", command=name, exc_info=error)
    else:
        log.info("command refused", command=name, kind=type(error).__name__)
    try:
        await say(interaction, line)
    except discord.HTTPException as failure:
        log.warning("command answer not delivered", command=name, status=failure.status)


def _line(error: Exception) -> str:
    match error:
        case DeliveryError():
            return f"Discord would not take it: {error}."
        case TroupeError():
            return notice_for(error)
        case app_commands.MissingPermissions():
            names = ", ".join(_title(p) for p in error.missing_permissions)
            return f"You need the permission {names} here."
        case app_commands.BotMissingPermissions():
            names = ", ".join(_title(p) for p in error.missing_permissions)
            return f"I need the permission {names} here. Please ask an admin."
        case app_commands.NoPrivateMessage():
            return "That works in a server only."
        case app_commands.CommandOnCooldown():
            return f"Please wait {error.retry_after:.0f} seconds."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return "That command has changed. Reload Discord and try again in a minute."
        case app_commands.TransformerError():
            return f"{error.value!r} doesn't fit that option."
        case app_commands.CommandInvokeError():
            cause = error.original
            return _line(cause) if isinstance(cause, TroupeError) else UNEXPECTED
    return UNEXPECTED


def _title(permission: str) -> str:
    return permission.replace("_", " ").title()

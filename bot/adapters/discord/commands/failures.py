"""Every failed command ends in one clear line for the person; internals go to the log."""

from __future__ import annotations

from typing import Any

import discord
import structlog
from discord import app_commands

from bot.adapters.discord.allowed.examine import permission_title
from bot.adapters.discord.calling.refusals import ANSWERED, FAILED
from bot.adapters.discord.commands.render import plain, say
from bot.chat.notices import UNEXPECTED, notice_for
from bot.errors import DeliveryError, PermissionMissing, TroupeError
from bot.languages import t, translated

log = structlog.get_logger(__name__)


async def on_command_error(
    interaction: discord.Interaction, error: app_commands.AppCommandError
) -> None:
    """Tell the person what to do, and the log what happened."""
    name = interaction.command.qualified_name if interaction.command else "unknown"
    await tell(interaction, error, name)


async def tell(interaction: discord.Interaction[Any], error: Exception, name: str) -> bool:
    """Answer a failed command, button or modal with one line. False if the person can't read it."""
    if _is_over(error):
        log.info("command answered too late, or by another process", command=name)
        return False
    line = line_for(error)
    if line == translated(UNEXPECTED):
        log.error("command failed", command=name, exc_info=error)
    else:
        log.info("command refused", command=name, kind=type(error).__name__)
    try:
        await say(interaction, line)
    except FAILED as failure:
        log.warning("command answer not delivered", command=name, reason=type(failure).__name__)
        return False
    return True


def _is_over(error: Exception) -> bool:
    """Whether nobody can be answered any more: it took too long, or another process was first."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    return isinstance(cause, discord.HTTPException) and cause.code in ANSWERED


def line_for(error: Exception) -> str:
    """Return what a person is told of a failure, in their language."""
    match error:
        case PermissionMissing():
            return t(
                "I need the permission {names} here. Please ask an admin.", names=error.permission
            )
        case DeliveryError():
            return t("Discord would not take it: {reason}.", reason=meaning(error))
        case TroupeError():
            return notice_for(error)
        case app_commands.MissingPermissions():
            names = ", ".join(permission_title(p) for p in error.missing_permissions)
            return t("You need the permission {names} here.", names=names)
        case app_commands.NoPrivateMessage():
            return t("That works in a server only.")
        case app_commands.CommandOnCooldown():
            return t("Please wait {seconds} seconds.", seconds=f"{error.retry_after:.0f}")
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return t("That command has changed. Reload Discord and try again in a minute.")
        case app_commands.TransformerError():
            return t("{value} doesn't fit that option.", value=plain(repr(error.value)[:100]))
        case app_commands.CommandInvokeError():
            cause = error.original
            return line_for(cause) if isinstance(cause, TroupeError) else notice_for(cause)
    return notice_for(error)


def meaning(error: DeliveryError) -> str:
    """Return why Discord refused, in the reader's language where it is a known reason."""
    reason, code, rest = str(error).partition(" (code ")
    return translated(reason) + code + rest

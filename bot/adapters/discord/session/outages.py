"""An outage of Discord is one line in the log: its trace would tell the operator nothing."""

from __future__ import annotations

import logging
from typing import Final

import aiohttp
import discord

_OUTAGES: Final = (
    OSError,  # TimeoutError is one
    aiohttp.ClientError,
    discord.ConnectionClosed,
    discord.DiscordServerError,
    discord.GatewayNotFound,
)
_SPEAKER: Final = "discord.client"
"""discord.py's logger of the connection; it logs a trace with each try that failed."""


def outage_in(error: BaseException | None) -> str | None:
    """Return the kind of outage that an error tells of, or came of; None if it is another error.

    discord.py trips over the connection that it doesn't have when the first one is refused.
    """
    while error is not None:
        if isinstance(error, _OUTAGES):
            return type(error).__name__
        error = error.__cause__ or error.__context__
    return None


class _OneLine(logging.Filter):
    """Takes the trace off what discord.py says of an outage."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = outage_in(record.exc_info[1]) if record.exc_info else None
        if kind is not None:
            record.msg, record.args = f"gateway away ({kind}): {record.getMessage()}", ()
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


_ONE_LINE: Final = _OneLine()


def tell_in_one_line() -> None:
    """Let discord.py tell of outages in one line each, from now on."""
    logging.getLogger(_SPEAKER).addFilter(_ONE_LINE)

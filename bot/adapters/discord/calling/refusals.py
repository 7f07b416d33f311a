"""What Discord's errors mean, and channels that are left alone after a 403.

The meanings are English, the keys of their translations: a command shows them to its person.

Codes: Discord API reference, "JSON Error Codes".
"""

from __future__ import annotations

import time

import aiohttp
import discord
import structlog

from bot.errors import (
    DeliveryDelayed,
    DeliveryError,
    PermissionMissing,
    TargetGone,
    ThreadClosed,
)
from bot.languages import mark
from bot.recent import Recent

log = structlog.get_logger(__name__)

FAILED = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)
"""All that a call raises for Discord's sake; TimeoutError is an OSError."""
UNCERTAIN = (discord.DiscordServerError, aiohttp.ClientError, OSError)
"""What a call raises when nobody knows whether it was performed."""

WEBHOOK_GONE = 10015
"""The code that answers a call by a webhook which was removed."""

ARCHIVED = 50083
"""The code that answers a change in an archived thread."""

TOKEN_OVER = frozenset({10015, 10062, 50027})
"""The codes that answer a call by an interaction's token which is over, after fifteen minutes."""

ANSWERED = frozenset({10062, 40060})
"""Another process has answered the interaction, or it is over."""

MUTED_FOR = 600.0
"""Seconds for which a channel that answered 403 gets no calls: Discord bans at 10,000 invalid
requests in ten minutes."""
_MUTES_KEPT = 1000

_GONE = {
    10003: mark("the channel no longer exists"),
    10008: mark("the message no longer exists"),
    10015: mark("the webhook no longer exists"),
    10062: mark("the interaction is over"),
    50005: mark("another account wrote the message"),
    50027: mark("the interaction is over"),
}
_CLOSED = {
    ARCHIVED: mark("the thread is archived"),
    160005: mark("the thread is locked"),
}
_PERMISSIONS = {
    50001: "View Channel",
    50007: "Direct Messages",
    160002: "Read Message History",
}
_REFUSED = {
    20028: mark("the channel takes no more messages for now"),
    30007: mark("the channel has all the webhooks it may have"),
    30046: mark("the message is too old to be edited so often"),
    40060: mark("the interaction was answered already"),
    50006: mark("the message was empty"),
    50035: mark("the message was malformed"),
}
_PASSING = frozenset({20028, 30046})
"""Refusals that hold for a while only."""


def delivery_error(error: BaseException, *, lacking: str = "Send Messages") -> DeliveryError:
    """Return the `DeliveryError` for what a call raised.

    `lacking` is the permission that the call needed, by the name in Discord's settings.
    """
    if isinstance(error, DeliveryError):
        return error
    if isinstance(error, discord.HTTPException):
        if error.code in _GONE:
            return TargetGone(_GONE[error.code])
        if error.code in _CLOSED:
            return ThreadClosed(_CLOSED[error.code])
        if error.code in _PERMISSIONS or error.status == 403:
            permission = _PERMISSIONS.get(error.code, lacking)
            return PermissionMissing(f"missing permission: {permission}", permission=permission)
        if error.status == 404:
            return TargetGone(mark("the channel or message no longer exists"))
        what = _REFUSED.get(error.code, f"Discord answered {error.status}")
        passing = error.status == 429 or error.status >= 500 or error.code in _PASSING
        kind = DeliveryDelayed if passing else DeliveryError
        return kind(f"{what} (code {error.code})")
    if isinstance(error, discord.RateLimited):
        return DeliveryDelayed(f"Discord asks to wait {error.retry_after:.0f} s")
    if isinstance(error, TimeoutError):
        return DeliveryDelayed(mark("Discord did not answer in time"))
    if isinstance(error, aiohttp.ClientError | OSError):
        return DeliveryDelayed(f"Discord can't be reached ({type(error).__name__})")
    return DeliveryError(type(error).__name__)


class Mutes:
    """Channels in which the bot may not speak, each for a while."""

    def __init__(self, seconds: float = MUTED_FOR) -> None:
        self._seconds = seconds
        self._until = Recent[int, tuple[float, str]](_MUTES_KEPT)

    def mute(self, channel: int, permission: str) -> None:
        """Leave a channel alone, and say once what is missing there."""
        if self.missing(channel) is None:
            log.warning(
                "permission missing",
                channel=channel,
                permission=permission,
                muted_for=self._seconds,
            )
        self._until[channel] = (time.monotonic() + self._seconds, permission)

    def missing(self, channel: int) -> str | None:
        """Return the permission that a muted channel lacks; None when it is not muted."""
        known = self._until.get(channel)
        if known is None:
            return None
        until, permission = known
        if time.monotonic() >= until:
            del self._until[channel]
            return None
        return permission

    def lift(self, channel: int) -> None:
        """Permissions of the channel changed: try again."""
        self._until.pop(channel, None)

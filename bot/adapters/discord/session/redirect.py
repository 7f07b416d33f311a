"""Where Discord is: the real one, a proxy, or a test server."""

from __future__ import annotations

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.settings import DiscordSettings


def redirect(settings: DiscordSettings) -> None:
    """Point discord.py at the configured addresses; call it before any client connects.

    These are class attributes of discord.py, so they hold for the whole process. After READY
    the client follows the `resume_gateway_url` that the server names.
    """
    if settings.api_base is not None:
        base = str(settings.api_base).rstrip("/")
        Route.BASE = base
        # A redirected server serves its avatars too; the real CDN knows nothing of its ids.
        discord.Asset.BASE = str(yarl.URL(base).origin())
    if settings.gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)

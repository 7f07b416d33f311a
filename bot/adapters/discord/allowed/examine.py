"""Looks at the bot's account over REST, for `troupe doctor`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord

from bot.settings import DiscordSettings

API = "https://discord.com/api/v10"
TIMEOUT = aiohttp.ClientTimeout(total=10)
MESSAGE_CONTENT_FLAGS = 1 << 18 | 1 << 19
"""GATEWAY_MESSAGE_CONTENT and its limited form (Discord API reference, "Application Flags")."""

NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
    external_emojis=True,
    manage_webhooks=True,
)
"""What the invite link asks for; as a number, 309774896192."""
WANTED_ONLY = frozenset({"manage_webhooks", "external_emojis", "add_reactions"})
"""Troupe works without these, with less."""

_OTHER_TITLES = {
    "read_messages": "View Channel",
    "manage_guild": "Manage Server",
    "external_emojis": "Use External Emoji",
    "send_messages_in_threads": "Send Messages in Threads",
}
"""Where discord.py's name says something else than Discord's settings."""


def permission_title(name: str) -> str:
    """Return a permission's name as Discord's settings have it, from discord.py's."""
    return _OTHER_TITLES.get(name, name.replace("_", " ").title())


def invite_link(application: int) -> str:
    """Return the link that adds the bot to a server with the permissions it needs."""
    return discord.utils.oauth_url(
        application, permissions=NEEDED, scopes=("bot", "applications.commands")
    )


async def examine_account(settings: DiscordSettings) -> AsyncIterator[tuple[bool, str, str]]:
    """Yield (well, what was looked at, what was found or is to be done)."""
    if settings.token is None:
        yield True, "Discord token", "none: only the playground page starts"
        return
    base = str(settings.api_base or API).rstrip("/")
    headers = {"Authorization": f"Bot {settings.token.get_secret_value()}"}
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as session:
        status, me = await _get(session, f"{base}/applications/@me")
        if status == 401:
            yield False, "Discord token", "refused: reset it in the Developer Portal under Bot"
            return
        if status != 200 or not isinstance(me, dict):
            advice = "check DISCORD_API_BASE" if settings.api_base else "check the network"
            found = f"{base} answers with status {status}" if status else f"no answer from {base}"
            yield False, "Discord", f"{found}: {advice}"
            return
        ident = int(me["id"])
        yield True, "Discord token", f"belongs to {me.get('name', 'an application')}"
        yield _intent(settings, int(me.get("flags") or 0))
        status, guilds = await _get(session, f"{base}/users/@me/guilds")
        if status != 200 or not guilds:
            yield True, "servers", f"none yet: invite the bot with {invite_link(ident)}"
            return
        for guild in guilds[:100]:
            yield _permissions(guild, ident)


def _intent(settings: DiscordSettings, flags: int) -> tuple[bool, str, str]:
    granted = bool(flags & MESSAGE_CONTENT_FLAGS)
    what = "message content intent"
    if settings.message_content_intent and not granted:
        advice = (
            "asked for, but not granted: switch it on in the Developer Portal under "
            "Bot → Privileged Gateway Intents, or unset DISCORD_MESSAGE_CONTENT_INTENT"
        )
        return False, what, advice
    if not settings.message_content_intent:
        return True, what, "not asked for: mentions, replies and DMs work, auto mode does not"
    return True, what, "granted"


def _permissions(guild: dict[str, Any], application: int) -> tuple[bool, str, str]:
    name = f"server {guild.get('id')}"
    have = discord.Permissions(int(guild.get("permissions") or 0))
    if have.administrator:
        return True, name, "has every permission (Administrator: more than it needs)"
    missing = [p for p, needed in NEEDED if needed and not getattr(have, p)]
    titles = ", ".join(map(permission_title, missing))
    if set(missing) - WANTED_ONLY:
        return False, name, f"missing {titles}: invite again with {invite_link(application)}"
    if missing:
        return True, name, f"works with less, for want of {titles}"
    return True, name, "has all permissions it needs"


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int, Any]:
    """Return the status and the JSON; status 0 when there was no answer."""
    try:
        async with session.get(url) as response:
            body = await response.json() if response.status == 200 else None
            return response.status, body
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return 0, None

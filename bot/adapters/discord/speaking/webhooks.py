"""Under whose name a reply appears: one webhook a channel, and where its avatars come from.

A webhook message takes its avatar as a URL only, and ours are files. Choices weighed: a webhook
for each persona with its own picture uses up the fifteen that a channel may have, which other
bots share; an image host of our own would have to be public. So the picture is uploaded once as
an emoji of the application, cut to a small square: that needs no permission in any guild, and
there is room for 2,000, each with a lasting address on Discord's CDN, which messages name. Where
it fails the name stands alone.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from re import Match
from typing import Any, Generic, TypeVar

import discord
import structlog

from bot.adapters.discord.calling.calls import Calls, Webhook
from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.reading.mapping import clean_text
from bot.adapters.discord.speaking.posing import marked
from bot.personas.card import NOT_FOR_WEBHOOKS
from bot.personas.portrait import portrait
from bot.ports import Face
from bot.recent import Recent

log = structlog.get_logger(__name__)

WEBHOOK_NAME = "Troupe"
_RETRY_AFTER = 600.0
"""Seconds after which a channel without a webhook, or a failed picture, is tried again."""
_LISTED_FOR = 600.0
"""Seconds for which a guild's list of webhooks is believed."""
_KEPT = 2000
_NAME_LENGTH = 80

V = TypeVar("V")


def shown_name(name: str) -> str:
    """Return a persona's name as people see it: one line that pings nobody and turns nothing round.

    Cards come from strangers: one may be called "@everyone" or "Moderator", or hold signs that
    nobody sees.
    """
    shown = " ".join(clean_text(name).split()).replace("@", "＠")[:_NAME_LENGTH].strip()
    return marked(shown, _NAME_LENGTH)


def header_of(name: str) -> str:
    """Return the line that says who speaks when the bot itself does."""
    return f"**{discord.utils.escape_markdown(shown_name(name))}**\n"


def webhook_name(name: str) -> str:
    """Return a name that webhooks may have: 2 to 80 characters, no "clyde", no "discord"."""
    clean = shown_name(name)
    clean = NOT_FOR_WEBHOOKS.sub(_parted, clean)
    clean = clean[:_NAME_LENGTH].strip()
    return clean if len(clean) > 1 else f"{clean or '?'}\u200b"


def _parted(found: Match[str]) -> str:
    """Return a word with a sign in it that nobody sees."""
    return f"{found.group()[0]}\u200b{found.group()[1:]}"


class _Lookups(Generic[V]):
    """Answers by key, each looked up once however many ask; None is kept for a while only."""

    def __init__(self, lasting: float = inf) -> None:
        """`lasting`: seconds for which an answer is kept that is not None."""
        self._lasting = lasting
        self._answers = Recent[object, tuple[V | None, float]](_KEPT)
        self._running: dict[object, asyncio.Task[V | None]] = {}

    async def get(self, key: object, find: Callable[[], Awaitable[V | None]]) -> V | None:
        known = self._answers.get(key)
        if known is not None and time.monotonic() < known[1]:
            self._answers.move_to_end(key)
            return known[0]
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._look_up(key, find), name="discord-lookup")
            self._running[key] = task
        # Shielded: whoever asked may lose patience, the next one still wants the answer.
        return await asyncio.shield(task)

    async def _look_up(self, key: object, find: Callable[[], Awaitable[V | None]]) -> V | None:
        answer: V | None = None
        try:
            answer = await find()
        except FAILED as error:
            log.warning("discord lookup failed", reason=_reason(error))
        finally:
            self._running.pop(key, None)
        lasting = _RETRY_AFTER if answer is None else self._lasting
        self._answers[key] = (answer, time.monotonic() + lasting)
        return answer

    def forget(self, key: object) -> None:
        self._answers.pop(key, None)

    def retry(self, key: object) -> None:
        """Look again next time for what was not found."""
        known = self._answers.get(key)
        if known is not None and known[0] is None:
            del self._answers[key]

    async def close(self) -> None:
        """Cancel what is still being looked up."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@dataclass(slots=True)
class _Listed:
    """Our webhooks of a guild, by channel, and the channels that were asked for already."""

    hooks: dict[int, Webhook]
    told: set[int] = field(default_factory=set)


class Webhooks:
    """Our webhook in each channel."""

    def __init__(
        self,
        calls: Calls,
        application: Callable[[], int | None],
        may_list: Callable[[int], bool] = lambda _: False,
        alone: Callable[[], bool] = lambda: False,
    ) -> None:
        """`application` returns the id of our application once it is known; `may_list` whether we
        may see the webhooks of all channels of a guild; `alone` whether no other process speaks in
        the same channels."""
        self._calls = calls
        self._application = application
        self._may_list = may_list
        self._alone = alone
        self._found: _Lookups[Webhook] = _Lookups()
        self._guilds: _Lookups[_Listed] = _Lookups(_LISTED_FOR)
        self._ids = Recent[int, None](_KEPT)

    async def of(self, channel: int, guild: int | None = None) -> Webhook | None:
        """Return our webhook of a channel, made if need be; None where we may have none.

        With the guild, one call tells of all its channels, and the next ones need not be asked.
        """
        return await self._found.get(channel, lambda: self._find_or_make(channel, guild))

    async def named(self, channel: int, webhook: int) -> Webhook | None:
        """Return a certain webhook of ours; None where it is gone, or can't be looked for.

        There may be several, and what one says no other can change.
        """
        try:
            return next((each for each in await self._all(channel) if each.id == webhook), None)
        except FAILED as error:
            log.warning("webhook not looked for", reason=_reason(error))
            return None

    def forget(self, channel: int) -> None:
        """The channel's webhook is gone: look again next time."""
        self._found.forget(channel)

    def retry(self, channel: int) -> None:
        """The channel may have a webhook now, if it could not have one."""
        self._found.retry(channel)

    def is_ours(self, webhook: int) -> bool:
        """Whether a webhook id was seen to be one of ours."""
        return webhook in self._ids

    async def close(self) -> None:
        await self._found.close()
        await self._guilds.close()

    async def _find_or_make(self, channel: int, guild: int | None) -> Webhook | None:
        return await self._find(channel, guild) or await self._make(channel)

    async def _make(self, channel: int) -> Webhook:
        """Make a webhook; where another process did so at the same moment, the older one stays.

        Whoever looks after making sees both, and the younger one has not spoken yet.
        """
        made = self._known(await self._calls.create_webhook(channel, WEBHOOK_NAME))
        if self._alone():
            return made  # the first words of a channel need not wait for another call
        try:
            oldest = _oldest(await self._all(channel)) or made
            if oldest != made:
                await self._calls.delete_webhook(made)
        except FAILED as error:
            log.info("webhook not compared with others", reason=_reason(error))
            return made
        return oldest

    async def _find(self, channel: int, guild: int | None) -> Webhook | None:
        listed = None
        if guild is not None and self._may_list(guild):
            listed = await self._guilds.get(guild, lambda: self._list(guild))
        if listed is not None and channel not in listed.told:
            listed.told.add(channel)  # who asks again found that the list is not true any more
            return listed.hooks.get(channel)
        return _oldest(await self._all(channel))

    async def _all(self, channel: int) -> list[Webhook]:
        return [
            self._known(each) for each in await self._calls.webhooks(channel) if self._is_ours(each)
        ]

    async def _list(self, guild: int) -> _Listed:
        ours = filter(self._is_ours, await self._calls.guild_webhooks(guild))
        newest_first = sorted(ours, key=lambda data: -int(data["id"]))
        return _Listed({int(data["channel_id"]): self._known(data) for data in newest_first})

    def _is_ours(self, data: dict[str, Any]) -> bool:
        ours = str(data.get("application_id")) == str(self._application())
        return ours and bool(data.get("token"))

    def _known(self, data: dict[str, Any]) -> Webhook:
        hook = Webhook(int(str(data["id"])), str(data["token"]))
        self._ids[hook.id] = None
        return hook


def _oldest(hooks: Sequence[Webhook]) -> Webhook | None:
    """Return the one of several webhooks of a channel that every process takes."""
    return min(hooks, key=lambda hook: hook.id, default=None)


class Avatars:
    """Addresses of the personas' pictures."""

    def __init__(self, calls: Calls, application: Callable[[], int | None]) -> None:
        self._calls = calls
        self._application = application
        self._urls: _Lookups[str] = _Lookups()
        self._uploaded: _Lookups[dict[str, str]] = _Lookups()

    async def url(self, face: Face) -> str | None:
        """Return the address of a face's avatar, uploaded if need be; None without one."""
        if face.avatar is None:
            return None
        avatar = face.avatar
        name = f"troupe_{hashlib.sha256(avatar).hexdigest()[:16]}"
        return await self._urls.get(name, lambda: self._find_or_upload(name, avatar))

    async def close(self) -> None:
        await self._urls.close()
        await self._uploaded.close()

    async def _find_or_upload(self, name: str, avatar: bytes) -> str | None:
        application = self._application()
        if application is None:
            return None
        known = await self._uploaded.get("all", lambda: self._list(application)) or {}
        if name not in known:
            square = await asyncio.to_thread(portrait, avatar)
            if square is None:
                log.info("avatar can't be shown", bytes=len(avatar))
                return None
            image = f"data:image/png;base64,{base64.b64encode(square).decode()}"
            made = await self._calls.create_application_emoji(application, name, image)
            known[name] = str(made["id"])
        return f"{discord.Asset.BASE}/emojis/{known[name]}.png"

    async def _list(self, application: int) -> dict[str, str]:
        emojis = await self._calls.application_emojis(application)
        return {str(each["name"]): str(each["id"]) for each in emojis}


def _reason(error: BaseException) -> str:
    """Return what went wrong, without any text that Discord may have quoted."""
    if isinstance(error, discord.HTTPException):
        return f"{error.status} (code {error.code})"
    return type(error).__name__

"""What the sinks of all turns share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import discord

from bot.adapters.discord.calling.calls import Calls
from bot.adapters.discord.calling.pacing import Throttle
from bot.adapters.discord.calling.refusals import Mutes, delivery_error
from bot.adapters.discord.calling.rest import RestClient
from bot.adapters.discord.speaking.webhooks import Avatars, Webhooks
from bot.chat.place import GuildId, Place
from bot.errors import DeliveryError, PermissionMissing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """The bot's own user, and its application."""

    id: int
    name: str
    application: int


@dataclass(slots=True)
class Desk:
    """The connection's calls, webhooks, avatars and mutes."""

    calls: Calls
    webhooks: Webhooks
    avatars: Avatars
    mutes: Mutes
    account: Account | None = None
    """Who we are, once a client has logged in."""
    recognised: asyncio.Event = field(default_factory=asyncio.Event)
    """Until then our own webhooks and messages can't be told from anybody else's."""
    permissions_at: Callable[[Place], discord.Permissions | None] = lambda _: None
    """What we may do at a place, as far as Discord told us."""
    permissions_in: Callable[[GuildId], discord.Permissions | None] = lambda _: None
    """What we may do in a guild where no channel says otherwise, as far as Discord told us."""
    alone: Callable[[], bool] = lambda: False
    """Whether no other process serves our shards, as far as is known."""
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @classmethod
    def open(cls, token: str, throttle: Throttle) -> Desk:
        """Return a desk with calls of its own, which outlive any client of the gateway."""
        rest = RestClient(asyncio.get_running_loop(), throttle=throttle)
        rest.token = token
        calls = Calls(rest)

        def application() -> int | None:
            return None if desk.account is None else desk.account.application

        def may_list(guild: int) -> bool:
            mine = desk.permissions_in(GuildId(guild))
            return mine is not None and mine.manage_webhooks

        webhooks = Webhooks(calls, application, may_list, lambda: desk.alone())
        desk = cls(calls, webhooks, Avatars(calls, application), Mutes())
        return desk

    def recognise(self, account: Account) -> None:
        """Learn who we are."""
        self.account = account
        self.recognised.set()

    @property
    def throttle(self) -> Throttle:
        return self.calls.rest.throttle

    def own(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Start a task that `close` will find."""
        task = asyncio.create_task(work, name=f"discord-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def prepare(self, channel: int, guild: int) -> None:
        """Find a channel's webhook before anybody asks something there. Never waits."""
        self.own(self.webhooks.of(channel, guild), "prepare")

    def check(self, place: Place) -> None:
        """Make sure that a place is worth a call.

        Raises:
            PermissionMissing: Discord refused us there a short while ago, or would.
        """
        permission = self.missing(place)
        if permission is not None:
            raise PermissionMissing(f"missing permission: {permission}", permission=permission)

    def missing(self, place: Place) -> str | None:
        """Return the permission for want of which we don't speak at a place.

        Webhooks need no Send Messages, but an admin who denies it means that we be silent.
        """
        mine = self.permissions_at(place)
        if mine is not None and not mine.view_channel:
            return "View Channel"
        if mine is not None:
            may = mine.send_messages if place.parent is None else mine.send_messages_in_threads
            if not may:
                return _to_speak(place)
        return self.mutes.missing(place.channel)

    def try_again(self, channels: Iterable[int]) -> None:
        """What we may do in these channels changed: believe no earlier refusal."""
        for channel in channels:
            self.mutes.lift(channel)
            self.webhooks.retry(channel)

    def refused(self, error: BaseException, place: Place) -> DeliveryError:
        """Return the `DeliveryError` for a failed call; mute the place if we may not speak."""
        known = delivery_error(error, lacking=_to_speak(place))
        if isinstance(known, PermissionMissing):
            self.mutes.mute(place.channel, known.permission)
        return known

    async def close(self, timeout: float) -> None:
        """Let running calls end within `timeout` seconds, then cancel them."""
        for task in tuple(self._tasks):
            if task.get_name() in ("discord-typing", "discord-tidy"):
                task.cancel()  # nobody waits for what they wait for
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=timeout)
        leftover = tuple(self._tasks)
        for task in leftover:
            task.cancel()
        await asyncio.gather(*leftover, return_exceptions=True)
        await self.webhooks.close()
        await self.avatars.close()
        await self.calls.rest.close()


def _to_speak(place: Place) -> str:
    """Return the permission that speaking at a place needs, as Discord's settings name it."""
    return "Send Messages" if place.parent is None else "Send Messages in Threads"

"""The connection to Discord: events in, our own values out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import aiohttp
import discord
import structlog
from discord.ext import commands
from discord.webhook.async_ import async_context

from bot.adapters.discord.calling.pacing import Throttle
from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.calling.rest import PacedWebhooks, RestClient
from bot.adapters.discord.missed.looking_back import is_covered
from bot.adapters.discord.missed.passed_over import PassedOver
from bot.adapters.discord.reading.attachments import fetch
from bot.adapters.discord.reading.mapping import (
    HIDING,
    Us,
    edited_text,
    guild_of,
    is_for_nobody,
    message_of,
    quote_of,
    speaker_of,
)
from bot.adapters.discord.reading.places import Places
from bot.adapters.discord.session.joining import told_of_joining
from bot.adapters.discord.session.listener import LastSeen, Listener
from bot.adapters.discord.speaking.desk import Account
from bot.adapters.discord.translation import in_readers_language
from bot.adapters.discord.tree import CheckedTree
from bot.adapters.discord.unclaimed import is_unclaimed
from bot.chat.arriving.thread_opening import may_stand_above
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId, snowflake_seconds
from bot.chat.turn import Attachment, Message, Trigger
from bot.errors import StoreError

log = structlog.get_logger(__name__)

# Nobody speaks here: what is missing for that is not worth a warning at each start.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

HEARTBEAT_TIMEOUT: Final = 60.0
"""Seconds without anything from the gateway after which discord.py reconnects."""
MAX_RATELIMIT_TIMEOUT: Final = 30.0
REREAD: Final = 5
"""Messages of one question that are read once more."""
QUOTED: Final = 400
"""Characters of a message that are quoted as they stand; of a longer one all is attached."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What every client of this process shares."""

    listener: Listener
    last_seen: LastSeen
    throttle: Throttle
    message_content: bool
    shard_count: int
    is_our_webhook: Callable[[int], bool]
    on_account: Callable[[Account], None]
    """Told who we are after each login."""
    set_up: Callable[[TroupeBot], Awaitable[None]]
    """Adds cogs and views; called once a client, before it connects."""
    before_identify: Callable[[int], Awaitable[None]]
    """Waits until another IDENTIFY of a shard is allowed."""
    on_fresh_session: Callable[[TroupeBot], Awaitable[None]]
    """Called after each READY: events since the last session are lost and must be caught up."""
    http_trace: aiohttp.TraceConfig | None = None
    passed_over: PassedOver = field(default_factory=PassedOver)


def intents(*, message_content: bool) -> discord.Intents:
    """Return the least that is needed. Content comes without its intent where we are mentioned,
    replied to, or alone with somebody."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        guild_reactions=True,
        dm_reactions=True,
        message_content=message_content,
    )


class TroupeBot(commands.Bot):
    """One shard's client. It remembers no messages and no members."""

    def __init__(self, connection: Connection, shard_id: int) -> None:
        self._shared = connection
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=CheckedTree,
            intents=intents(message_content=connection.message_content),
            shard_id=shard_id,
            shard_count=connection.shard_count,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=discord.app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=False
            ),
            allowed_installs=discord.app_commands.AppInstallationType(guild=True, user=False),
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            guild_ready_timeout=1.0,  # seconds of silence after which all guilds are there
            max_ratelimit_timeout=MAX_RATELIMIT_TIMEOUT,
            enable_debug_events=False,
        )
        self.last_event_at = time.perf_counter()
        """When the gateway last said something, on `time.perf_counter`'s clock."""
        self._places = Places(self)
        self._files: aiohttp.ClientSession | None = None
        self._events: set[asyncio.Task[Any]] = set()

    def _get_state(self, **options: Any) -> Any:
        # The one place between discord.py making its HTTP client and handing it on to the
        # state and the command tree (discord/client.py, `Client.__init__`).
        made = self.http
        self.http = RestClient(
            self.loop,
            made.connector,
            proxy=made.proxy,
            proxy_auth=made.proxy_auth,
            http_trace=self._shared.http_trace,
            max_ratelimit_timeout=MAX_RATELIMIT_TIMEOUT,
            throttle=self._shared.throttle,
        )
        state = super()._get_state(**options)
        state.parsers["INTERACTION_CREATE"] = in_readers_language(
            state.parsers["INTERACTION_CREATE"]
        )
        state.parsers["GUILD_CREATE"] = told_of_joining(state, state.parsers["GUILD_CREATE"])
        return state

    # ── life ────────────────────────────────────────────────────────────────────────────────

    async def start(self, token: str, *, reconnect: bool = True) -> None:
        """Log in and stay connected. Ends only with an exception, or after `close`."""
        assert isinstance(self.http, RestClient)  # noqa: S101  # see `_get_state`
        # Every event's task is made within this context, interactions included.
        async_context.set(PacedWebhooks(self.http))
        await super().start(token, reconnect=reconnect)

    async def setup_hook(self) -> None:
        user = self.user
        if user is not None and self.application_id is not None:
            self._shared.on_account(Account(user.id, user.name, self.application_id))
        self._files = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        await self._shared.set_up(self)

    async def close(self) -> None:
        await super().close()
        if self._files is not None:
            await self._files.close()

    async def drain(self, timeout: float) -> None:
        """Let running event handlers end within `timeout` seconds, then cancel them."""
        if self._events:
            await asyncio.wait(tuple(self._events), timeout=timeout)
        leftover = tuple(self._events)
        for task in leftover:
            task.cancel()
        await asyncio.gather(*leftover, return_exceptions=True)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        await self._shared.before_identify(self.shard_id or 0)

    def is_connected(self) -> bool:
        """Whether the session is ready and its socket open: during an outage it is not."""
        socket = self.ws
        return self.is_ready() and not self.is_closed() and socket is not None and socket.open

    def heard_age(self) -> float:
        """Return the seconds since the gateway's last event or heartbeat answer."""
        heartbeats = getattr(self.ws, "_keep_alive", None)
        acknowledged = getattr(heartbeats, "_last_ack", self.last_event_at)
        return time.perf_counter() - max(self.last_event_at, float(acknowledged))

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        if event_name == "socket_event_type":
            self.last_event_at = time.perf_counter()
            return
        if self.is_closed():
            return  # discord.py has no loop any more that could run a handler
        super().dispatch(event_name, *args, **kwargs)
        if event_name == "interaction" and is_unclaimed(self, args[0]):
            super().dispatch("unclaimed", *args)

    async def _run_event(
        self, coro: Callable[..., Awaitable[Any]], event_name: str, *args: Any, **kwargs: Any
    ) -> None:
        # discord.py makes a task for each event and forgets it; `drain` needs to know them.
        task = asyncio.current_task()
        if task is not None:
            self._events.add(task)
            task.add_done_callback(self._events.discard)
        await super()._run_event(coro, event_name, *args, **kwargs)  # type: ignore[arg-type]  # its own *args

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        log.exception("event failed", gateway_event=event_method)

    async def on_ready(self) -> None:
        """A fresh session; also after each failed RESUME, so it must not matter how often."""
        log.info("connected", shard=self.shard_id, guilds=len(self.guilds))
        await self._shared.on_fresh_session(self)

    async def on_resumed(self) -> None:
        log.info("resumed", shard=self.shard_id)

    # ── messages ────────────────────────────────────────────────────────────────────────────

    @property
    def us(self) -> Us | None:
        """Who we are, once logged in."""
        if self.user is None:
            return None
        return Us(self.user.id, self._shared.is_our_webhook, self.application_id)

    async def on_message(self, message: discord.Message, /) -> None:
        """Overrides discord.py's prefix commands, which we have none of."""
        try:
            await self.take(message)
        except StoreError as error:
            log.warning("message not taken", reason=str(error))
            # Its author was told, and asks again: who reads a gap must not answer this one too.
            self._shared.passed_over.add(message.id)

    async def take(self, message: discord.Message) -> Trigger | None:
        """Take a message, new or caught up; return why it is for us, or None."""
        us = self.us
        if us is None or message.id in self._shared.passed_over or is_for_nobody(message, us):
            return None
        if await is_covered(message, if_unknown=True):
            return None  # its author hid it while nobody listened
        place = await self._places.of(message.channel, guild_of(message))
        mapped = message_of(message, us, place, uncovered=True)
        if mapped is None:
            return None
        owner = getattr(message.channel, "owner_id", None)
        trigger = await self._shared.listener.concerns(mapped, own_thread=owner == us.id)
        if trigger is None:
            self._shared.passed_over.add(message.id)
            return None
        mapped = await self.with_files(mapped, message)
        await self._shared.listener.receive(mapped, trigger)
        self._shared.last_seen.note(place.channel, mapped.id)
        return trigger

    async def reread(
        self, place: Place, messages: Sequence[MessageId]
    ) -> tuple[tuple[Message, ...], tuple[MessageId, ...]]:
        """Read messages of people once more, files included; return them, and those that are gone
        or hidden by their authors.

        What can't be read, for want of a permission say, is in neither.
        """
        read: list[Message] = []
        gone: list[MessageId] = []
        for ident in messages[:REREAD]:
            try:
                message = await self._fetch(place, ident)
            except discord.NotFound:
                gone.append(ident)
                continue
            except FAILED:
                log.info("message not read again")
                continue
            if await is_covered(message):
                gone.append(ident)
                continue
            us = self.us
            mapped = message_of(message, us, place, uncovered=True) if us is not None else None
            if mapped is not None:
                read.append(await self.with_files(mapped, message))
        return tuple(read), tuple(gone)

    async def _fetch(self, place: Place, ident: MessageId) -> discord.Message:
        here = self.get_partial_messageable(place.channel, guild_id=place.guild)
        try:
            return await here.fetch_message(ident)
        except discord.NotFound:
            if place.parent is None or not may_stand_above(place, ident):
                raise
        above = self.get_partial_messageable(place.parent, guild_id=place.guild)
        return await above.fetch_message(ident)

    async def reread_quoted(
        self, place: Place, message: MessageId
    ) -> tuple[tuple[Message, ...], tuple[MessageId, ...]]:
        """Read once more what somebody asked about by command; see `reread`."""
        us, channel = self.us, self.get_partial_messageable(place.channel, guild_id=place.guild)
        try:
            target = await channel.fetch_message(message)
        except discord.NotFound:
            return (), (message,)
        except FAILED:
            log.info("message not read again")
            return (), ()
        if us is None or not (quote_of(target, us).text or target.attachments):
            return (), ()  # hidden, or as Discord shows it without the message content intent
        author = speaker_of(target.author)
        made = Message(message, place, author, "", snowflake_seconds(message))
        return (await self.with_quoted(made, target),), ()

    async def with_quoted(self, mapped: Message, target: discord.Message) -> Message:
        """Return a message that quotes another, with its files; all of it where it is long."""
        if self.us is None:
            return mapped
        quoted = quote_of(target, self.us)
        made = await self.with_files(replace(mapped, replies_to=quoted), target)
        if len(quoted.text) <= QUOTED:
            return made
        whole = Attachment("message.txt", "text/plain", quoted.text.encode())
        return replace(made, attachments=(whole, *made.attachments))

    async def with_files(self, mapped: Message, message: discord.Message) -> Message:
        """Return a message with the files of another, or the same, as far as they can be read."""
        if not message.attachments or self._files is None:
            return mapped
        read, unread = await fetch(self._files, message.attachments)
        return replace(mapped, attachments=read, unread_attachments=unread)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        us = self.us
        if us is None:
            return
        text = edited_text(event, us)
        if text is not None:
            place = _place(event.channel_id, guild_of(event.message))
            await self._shared.listener.edited(place, MessageId(event.message_id), text)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        place = _place(event.channel_id, event.guild_id)
        await self._shared.listener.deleted(place, (MessageId(event.message_id),))

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        place = _place(event.channel_id, event.guild_id)
        gone = tuple(MessageId(each) for each in sorted(event.message_ids))
        await self._shared.listener.deleted(place, gone)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._shared.listener.closed(_place(channel.id, channel.guild.id))

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        await self._shared.listener.closed(_place(event.thread_id, event.guild_id))

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        if str(event.emoji) == HIDING:
            place = _place(event.channel_id, event.guild_id)
            message, by = MessageId(event.message_id), UserId(event.user_id)
            wrote = event.message_author_id
            author = None if wrote is None else UserId(wrote)
            await self._shared.listener.hidden(place, message, by, author)


def _place(channel: int, guild: int | None) -> Place:
    """Return a place by its ids alone: enough to find what is stored there."""
    return Place(ChannelId(channel), GuildId(guild) if guild is not None else None)

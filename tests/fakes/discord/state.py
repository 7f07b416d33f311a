"""What the fake Discord knows: users, guilds, channels, messages, webhooks.

Plain records without behaviour of their own; `World` finds them and tells whoever waits that
something changed. Times are seconds of `time.monotonic()`, comparable between processes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.fakes import PATIENCE

T = TypeVar("T")

DISCORD_EPOCH_MS = 1_420_070_400_000

TEXT, DM, GROUP, CATEGORY, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 3, 4, 11, 12
FORUM = 15
THREADS = (10, PUBLIC_THREAD, PRIVATE_THREAD)

EPHEMERAL, LOADING, HAS_THREAD, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 5, 1 << 15


@dataclass(slots=True, eq=False)
class User:
    """An account, a person's or a bot's."""

    id: int
    name: str
    display_name: str
    bot: bool = False
    accepts_dms: bool = True
    locale: str = "en-US"
    """The language of the person's Discord."""


@dataclass(slots=True, eq=False)
class Role:
    """A role; the one whose id is the guild's is @everyone."""

    id: int
    name: str
    permissions: int
    position: int = 0
    managed: bool = False
    mentionable: bool = False


@dataclass(slots=True, eq=False)
class Member:
    """A user inside a guild."""

    user: User
    role_ids: set[int] = field(default_factory=set)
    nick: str | None = None


@dataclass(slots=True)
class Overwrite:
    """What a channel allows or denies to one role (kind 0) or member (kind 1)."""

    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True, eq=False)
class Guild:
    """A server with its roles, members and channels (threads included)."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    bot_role_id: int = 0
    preferred_locale: str = "en-US"
    away: bool = False
    """An outage keeps it from new sessions: it is announced as unavailable."""

    def has(self, user: User) -> bool:
        """Whether somebody is a member."""
        return user.id in self.members


@dataclass(slots=True, eq=False)
class Webhook:
    """An incoming webhook of a channel."""

    id: int
    token: str
    name: str
    channel: Channel
    creator: User
    application_id: int | None
    avatar: str | None = None


@dataclass(slots=True, frozen=True)
class Revision:
    """A text as it stood from one moment on."""

    at: float
    content: str


@dataclass(slots=True, eq=False)
class Message:
    """A message with the whole history of its text.

    `pings` lists what it would really have notified: user ids, role ids, "everyone", "here".
    """

    id: int
    channel: Channel
    author: User
    content: str
    created_at: float
    embeds: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    kind: int = 0
    flags: int = 0
    nonce: str | None = None
    reference: Message | None = None
    reference_data: dict[str, Any] | None = None
    webhook_id: int | None = None
    application_id: int | None = None
    allowed_mentions: dict[str, Any] | None = None
    mentions: list[User] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    pings: tuple[int | str, ...] = ()
    reactions: dict[str, list[int]] = field(default_factory=dict)
    avatar_url: str | None = None
    edits: list[Revision] = field(default_factory=list)
    edited: bool = False
    edited_timestamp: str | None = None
    deleted_at: float | None = None
    interaction_metadata: dict[str, Any] | None = None
    thread: Channel | None = None
    replies: list[Message] = field(default_factory=list)
    answers: Message | None = None

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it still shows "… is thinking"."""
        return bool(self.flags & LOADING)

    @property
    def by_person(self) -> bool:
        """Whether a person wrote it, no bot and no webhook."""
        return not self.author.bot and self.webhook_id is None

    @property
    def first_visible_at(self) -> float | None:
        """When it first showed a letter or digit; None while it never did."""
        for revision in self.edits:
            if any(character.isalnum() for character in revision.content):
                return revision.at
        return None

    @property
    def final_at(self) -> float:
        """When its text changed last."""
        return self.edits[-1].at

    @property
    def freezes(self) -> list[float]:
        """The pauses between its revisions, in seconds."""
        return [b.at - a.at for a, b in zip(self.edits, self.edits[1:], strict=False)]


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel, category, thread or direct message."""

    id: int
    kind: int
    name: str = ""
    guild: Guild | None = None
    parent: Channel | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    nsfw: bool = False
    topic: str | None = None
    position: int = 0
    recipient: User | None = None
    owner_id: int | None = None
    archived: bool = False
    locked: bool = False
    messages: dict[int, Message] = field(default_factory=dict)
    deleted: list[Message] = field(default_factory=list)
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    typings: list[float] = field(default_factory=list)

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread."""
        return self.kind in THREADS


class World:
    """Every record by id, and one place to wait for changes."""

    def __init__(self) -> None:
        self._last_id = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.messages: dict[int, Message] = {}
        """Every message that was ever sent, deleted and ephemeral ones included."""
        self.files: dict[str, tuple[bytes, str]] = {}
        """CDN path → bytes and content type."""
        self.emojis: dict[str, int] = {}
        """The application's own emojis: name → id."""
        self.bot = self.add_user("troupe", bot=True)
        self.application_id = self.bot.id

    def new_id(self) -> int:
        """Return a snowflake of now, always larger than the one before."""
        now = (int(time.time() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last_id = max(self._last_id + 1, now)
        return self._last_id

    def add_user(self, name: str, *, bot: bool = False, display_name: str | None = None) -> User:
        """Make an account."""
        user = User(self.new_id(), name, display_name or name, bot)
        self.users[user.id] = user
        return user

    def add_channel(self, channel: Channel) -> Channel:
        """Register a channel in the world and in its guild."""
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels[channel.id] = channel
        return channel

    def dm_with(self, user: User) -> Channel:
        """Return the direct messages between the bot and `user`."""
        for channel in self.channels.values():
            if channel.kind == DM and channel.recipient is user:
                return channel
        return self.add_channel(Channel(self.new_id(), DM, recipient=user))

    def changed(self) -> None:
        """Wake everyone in `until`."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def next_change(self, timeout: float) -> bool:
        """Wait for one change; False when `timeout` seconds passed without any."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    async def until(self, look: Callable[[], T | None], what: str, timeout: float = PATIENCE) -> T:
        """Return the first true value of `look`.

        Raises:
            TimeoutError: it stayed empty for `timeout` seconds; the text names `what`.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = look()
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0 or not await self.next_change(left):
                found = look()
                if found:
                    return found
                raise TimeoutError(f"fake Discord: {what} did not happen within {timeout} s")

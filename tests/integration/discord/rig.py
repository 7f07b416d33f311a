"""What the bot's side of a scene needs: a desk, and a client that notes what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.adapters.discord.calling.pacing import Throttle
from bot.adapters.discord.missed.catchup import CatchUp
from bot.adapters.discord.missed.fates import DiscordChannels
from bot.adapters.discord.session.client import Connection, TroupeBot
from bot.adapters.discord.session.listener import LastSeen
from bot.adapters.discord.session.supervisor import IdentifyBudget, Supervisor
from bot.adapters.discord.speaking.desk import Account, Desk
from bot.adapters.discord.speaking.sink import DiscordSink, SinkFactory
from bot.chat.arriving.looking_again import Channels
from bot.chat.arriving.looking_back import Kept, Page, compared
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Message, Speaker, Trigger, Turn
from bot.personas.binding import TriggerMode
from bot.personas.png import blank_picture
from bot.ports import Face, Progress
from tests.fakes import PATIENCE
from tests.fakes.discord import state
from tests.fakes.discord.handles import Place as Channel
from tests.fakes.discord.server import FakeDiscord

PNG = blank_picture(700)


def picture(width: int, height: int) -> bytes:
    """Return the beginning of a PNG of this size."""
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + bytes(4)[:3] + b"\x0dIHDR" + size + bytes(64)


WREN = Face("wren", "Wren", PNG)


@dataclass
class Notes:
    """A listener that finds every message interesting, and notes what it hears."""

    concern: Callable[[Message], Trigger | None] = lambda message: Trigger.MENTION
    received: list[Message] = field(default_factory=list)
    edits: list[tuple[int, str]] = field(default_factory=list)
    deletions: list[tuple[int, ...]] = field(default_factory=list)
    closings: list[int] = field(default_factory=list)
    hides: list[tuple[int, int]] = field(default_factory=list)
    considered: list[tuple[Message, bool]] = field(default_factory=list)
    stored: dict[int, tuple[Kept, ...]] = field(default_factory=dict)
    looked_back: list[int] = field(default_factory=list)
    channels: Channels | None = None

    async def concerns(self, message: Message, *, own_thread: bool = False) -> Trigger | None:
        self.considered.append((message, own_thread))
        return self.concern(message)

    async def receive(self, message: Message, trigger: Trigger) -> None:
        self.received.append(message)

    async def edited(self, place: Place, message: MessageId, text: str) -> None:
        self.edits.append((message, text))

    async def hidden(
        self, place: Place, message: MessageId, by: UserId, author: UserId | None = None
    ) -> None:
        self.hides.append((message, by))

    async def closed(self, place: Place) -> None:
        self.closings.append(place.channel)

    async def deleted(self, place: Place, messages: Sequence[MessageId]) -> None:
        self.deletions.append(tuple(messages))

    async def kept(self, place: Place) -> Sequence[Kept]:
        return self.stored.get(place.channel, ())

    async def look(self, place: Place, kept: Sequence[Kept], page: Page) -> None:
        gone, texts = await compared(place, kept, page, self.channels)
        if gone:
            await self.deleted(place, gone)
        for message, text in texts.items():
            await self.edited(place, message, text)
        self.looked_back.append(place.channel)

    async def until(self, ready: Callable[[Notes], bool], timeout: float = PATIENCE) -> None:
        """Wait until it has heard what the scene is about."""
        async with asyncio.timeout(timeout):
            while not ready(self):
                await asyncio.sleep(0.01)


class Unread:
    """Channels as a store would remember them."""

    def __init__(self) -> None:
        self.noted: dict[ChannelId, MessageId] = {}
        self.until: dict[int, float] = {}

    def note(self, channel: ChannelId, message: MessageId) -> None:
        self.noted[channel] = message

    async def recent(self) -> Sequence[tuple[ChannelId, MessageId]]:
        return sorted(self.noted.items(), key=lambda item: -item[1])

    def listened(self, shard: int, at: float) -> None:
        self.until[shard] = at

    async def listened_until(self, shard: int) -> float | None:
        return self.until.get(shard)


@dataclass
class Rig:
    """One bot process."""

    discord: FakeDiscord
    desk: Desk
    notes: Notes
    last_seen: LastSeen
    supervisor: Supervisor
    progress: list[Progress] = field(default_factory=list)

    def sink(self, turn: Turn, face: Face = WREN, progress: Progress | None = None) -> DiscordSink:
        return SinkFactory(self.desk).open(turn, face, progress, self.progress.append)

    @property
    def client(self) -> TroupeBot:
        return self.supervisor.clients[0]


def asked(channel: Channel, message: state.Message) -> Turn:
    """Return the turn of a person's message, without a gateway."""
    record = channel.record
    thread = record.is_thread
    place = Place(
        ChannelId(record.id),
        GuildId(record.guild.id) if record.guild else None,
        parent=ChannelId(record.parent.id) if thread and record.parent else None,
    )
    speaker = Speaker(UserId(message.author.id), message.author.name)
    said = Message(MessageId(message.id), place, speaker, message.content, message.created_at)
    return Turn((said,), Trigger.MENTION)


@asynccontextmanager
async def desk_at(discord: FakeDiscord) -> AsyncIterator[Desk]:
    """A desk that knows who it is, as after a login."""
    desk = Desk.open(discord.token, Throttle())
    me = discord.bot_user
    desk.recognise(Account(me.id, me.name, discord.world.application_id))
    try:
        yield desk
    finally:
        await desk.close(1.0)


@asynccontextmanager
async def rig_at(
    discord: FakeDiscord,
    *,
    notes: Notes | None = None,
    last_seen: LastSeen | None = None,
    message_content: bool = False,
    modes: Mapping[ChannelId, TriggerMode] = MappingProxyType({}),
    deaf_after: float = 100.0,
    spacing: float = 0.0,
    connect: bool = True,
) -> AsyncIterator[Rig]:
    """A supervised, connected bot."""
    heard = notes or Notes()
    seen = last_seen or Unread()
    throttle = Throttle()
    desk = Desk.open(discord.token, throttle)
    heard.channels = DiscordChannels(desk)

    async def mode_at(place: Place) -> TriggerMode:
        return modes.get(place.channel, TriggerMode.MENTION)

    catchup = CatchUp(seen, desk.prepare, mode_at, heard)
    budget = IdentifyBudget(spacing=spacing)

    async def fresh(client: TroupeBot) -> None:
        await catchup.run(client)

    async def set_up(client: TroupeBot) -> None:
        pass

    async def before_identify(shard: int) -> None:
        await budget.wait()
        await catchup.mark(shard)

    connection = Connection(
        listener=heard,
        last_seen=seen,
        throttle=throttle,
        message_content=message_content,
        shard_count=1,
        is_our_webhook=desk.webhooks.is_ours,
        on_account=desk.recognise,
        set_up=set_up,
        before_identify=before_identify,
        on_fresh_session=fresh,
    )
    supervisor = Supervisor(
        lambda shard: TroupeBot(connection, shard),
        discord.token,
        [0],
        deaf_after=deaf_after,
        look_every=0.1,
        first_pause=0.05,
    )
    running = asyncio.create_task(supervisor.run())
    try:
        if connect:
            await discord.connected()
        yield Rig(discord, desk, heard, seen, supervisor)
    finally:
        await supervisor.stop(1.0)
        await asyncio.gather(running, return_exceptions=True)
        await desk.close(1.0)

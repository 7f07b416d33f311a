"""The fake Discord as one object: start it, drive it, look at what happened."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from tests.fakes import PATIENCE
from tests.fakes.discord import payloads, permissions
from tests.fakes.discord.actions import Actions
from tests.fakes.discord.call import Call
from tests.fakes.discord.control import Control
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.handles import Person, Place, Server
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.posting import Posting
from tests.fakes.discord.rest import MAX_BODY, PREFIX, Rest
from tests.fakes.discord.routes import webhooks
from tests.fakes.discord.state import (
    GROUP,
    Channel,
    Guild,
    Member,
    Message,
    Role,
    User,
    Webhook,
    World,
)

TOKEN = "fake.discord.token"


class FakeDiscord:
    """A Discord on loopback sockets.

    Args:
        latency: seconds that every REST call takes.
        rate_limits: enforce Discord's limits.
        host, port, gateway_port: where to listen; port 0 picks a free one.
        token: the only token it accepts.
        heartbeat_interval: seconds, told to clients.
        privileged_intents: granted in the "portal"; None grants what is asked for.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        rate_limits: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        gateway_port: int = 0,
        token: str = TOKEN,
        heartbeat_interval: float = 41.25,
        privileged_intents: int | None = None,
    ) -> None:
        self.token = token
        self.world = World()
        self.gateway = Gateway(self.world, token)
        self.gateway.heartbeat_interval = heartbeat_interval
        self.gateway.privileged_intents = privileged_intents
        self.posting = Posting(self.world, self.gateway)
        self.rest = Rest(
            self.world, self.gateway, self.posting, token=token, rate_limits=rate_limits
        )
        self.rest.latency = latency
        self.rest.control = Control(self).serve
        self.actions = Actions(self.rest)
        self._address = (host, port)
        self._gateway_port = gateway_port
        self._runner: web.ServerRunner | None = None
        self._places: dict[int, Place] = {}
        self._people: dict[str, Person] = {}
        self._servers: dict[str, Server] = {}

    async def __aenter__(self) -> FakeDiscord:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen for REST and for the gateway."""
        host, port = self._address
        loop = asyncio.get_running_loop()

        def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> Any:
            return web.BaseRequest(
                message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY
            )

        server = web.Server(self.rest.serve, request_factory=request, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, reuse_address=True).start()
        self._address = (host, self._runner.addresses[0][1])
        self.posting.origin = self.origin
        await self.gateway.start(host, self._gateway_port)

    async def stop(self) -> None:
        """Close every connection; nothing is left running."""
        await self.gateway.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    # Where it is

    @property
    def origin(self) -> str:
        """The HTTP origin, also of the CDN and the control API."""
        return f"http://{self._address[0]}:{self._address[1]}"

    @property
    def api_base(self) -> str:
        """The REST base, for discord.http.Route.BASE."""
        return self.origin + PREFIX

    @property
    def gateway_url(self) -> str:
        """The gateway, for discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY."""
        return self.gateway.url

    @property
    def bot_user(self) -> User:
        """The bot's account."""
        return self.world.bot

    @property
    def latency(self) -> float:
        """Seconds that every REST call takes."""
        return self.rest.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.rest.latency = seconds

    # Who is there

    def guild(
        self,
        name: str = "home",
        *,
        channels: Iterable[str] = (),
        members: Iterable[str] = (),
        with_bot: bool = True,
        joins: bool = False,
    ) -> Server:
        """Return the guild of this name, made if needed, with these channels and members.

        `with_bot=False`: the bot is no member; people use it there by their own installation.
        `joins`: somebody has just added it, which it learns from a GUILD_CREATE that does not
        speak of an outage.
        """
        server = self._servers.get(name)
        if server is None:
            server = self._servers[name] = self._found(
                name, list(channels), with_bot=with_bot, joins=joins
            )
        for channel in channels:
            server.channel(channel)
        for member in members:
            server.member(member)
        return server

    def _found(self, name: str, channels: list[str], *, with_bot: bool, joins: bool) -> Server:
        world = self.world
        owner = self.user("owner")
        guild = Guild(world.new_id(), name, owner.id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", permissions.EVERYONE)
        role = Role(world.new_id(), world.bot.name, permissions.BOT, 1, managed=True)
        guild.roles[role.id] = role
        guild.bot_role_id = role.id
        if with_bot:
            guild.members[world.bot.id] = Member(world.bot, {role.id})
        guild.members[owner.id] = Member(owner.record)
        for position, channel in enumerate(channels):
            record = Channel(world.new_id(), 0, channel, guild=guild, position=position)
            world.add_channel(record)
        world.guilds[guild.id] = guild
        if with_bot:
            body = payloads.guild(guild, world) if self.gateway.connected else {}
            if joins:
                del body["unavailable"]
            self.gateway.dispatch("GUILD_CREATE", body, guild_id=guild.id)
        return Server(self, guild)

    def user(self, name: str) -> Person:
        """Return the person of this name, made if needed."""
        if name not in self._people:
            self._people[name] = Person(self, self.world.add_user(name))
        return self._people[name]

    def other_bot(self, name: str) -> Person:
        """Return another bot's account."""
        person = self.user(name)
        person.record.bot = True
        return person

    def dm(self, person: Person) -> Place:
        """Return the direct messages between a person and the bot."""
        return self.place(self.world.dm_with(person.record))

    def group(self) -> Place:
        """Return a new group chat of people, in which the bot is used by their installation."""
        return self.place(self.world.add_channel(Channel(self.world.new_id(), GROUP)))

    def place(self, record: Channel) -> Place:
        """Return the handle of a channel record."""
        if record.id not in self._places:
            self._places[record.id] = Place(self, record)
        return self._places[record.id]

    def add_webhook(self, channel: Channel, name: str) -> Webhook:
        """Add a webhook of someone else."""
        creator = self.user("owner").record
        token = secrets.token_urlsafe(51)
        hook = Webhook(self.world.new_id(), token, name, channel, creator, None)
        return webhooks.add(self.rest, hook)

    def remove_webhook(self, hook: Webhook) -> None:
        """Delete a webhook."""
        webhooks.remove(self.rest, hook)

    def files(self, message: Message) -> list[bytes]:
        """Return the contents of a message's files, as a download would give them."""
        paths = [urlsplit(each["url"]).path for each in message.attachments]
        return [self.world.files[path][0] for path in paths]

    # What goes wrong, and what was seen

    def fail(
        self,
        route: str,
        *,
        status: int | None = None,
        code: int = 0,
        times: int = 1,
        performed: bool = False,
        abort: bool = False,
        delay: float = 0.0,
        when: Callable[[Call], bool] | None = None,
    ) -> Fault:
        """Plan a failure; see `Fault` for the meaning of each argument."""
        fault = Fault(route, times, status, code, performed, abort, delay, when)
        return self.rest.faults.add(fault)

    @property
    def calls(self) -> Counter[str]:
        """How often each route was called: "METHOD /template"."""
        return self.rest.calls

    @property
    def rate_limited(self) -> int:
        """How many 429s were answered."""
        return self.rest.rate_limited.total()

    @property
    def command_syncs(self) -> int:
        """How many bulk writes of commands there were."""
        return self.rest.commands.syncs

    def forget_calls(self) -> None:
        """Start counting calls and 429s anew."""
        self.rest.calls.clear()
        self.rest.rate_limited.clear()
        self.rest.log.clear()

    async def connected(self, timeout: float = PATIENCE) -> None:
        """Wait until a client has identified or resumed.

        Raises:
            TimeoutError: none did.
        """
        await self.world.until(lambda: self.gateway.connected or None, "a connection", timeout)

    async def answered(self, interaction: Interaction, *, timeout: float = PATIENCE) -> Interaction:
        """Wait for the first answer within its deadline, then for a deferred text."""
        begun = interaction.created_at
        while interaction.callback is None:
            left = begun + interaction.deadline + 0.02 - time.monotonic()
            if left <= 0 or not await self.world.next_change(left):
                return interaction
        while interaction.announced:
            left = begun + timeout - time.monotonic()
            if left <= 0 or not await self.world.next_change(left):
                break
        return interaction

"""The gateway v10: sessions, events and every way in which a connection can go wrong."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import deque
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes.discord import payloads, permissions
from tests.fakes.discord import sessions as s
from tests.fakes.discord.sessions import Connection, Session
from tests.fakes.discord.state import Channel, Message, World

_INTENTS = {
    "MESSAGE_REACTION": (s.GUILD_REACTIONS, s.DM_REACTIONS),
    "MESSAGE": (s.GUILD_MESSAGES, s.DM_MESSAGES),
    "TYPING": (s.GUILD_TYPING, s.DM_TYPING),
    "WEBHOOKS": (s.GUILD_WEBHOOKS, 0),
    "GUILD_MEMBER": (s.GUILD_MEMBERS, 0),
    "INTERACTION": (0, 0),
}
CLOSE_BAD_TOKEN, CLOSE_BAD_SHARD, CLOSE_BAD_INTENTS = 4004, 4010, 4014
GOODBYE = (WSCloseCode.OK, WSCloseCode.GOING_AWAY)
"""A client that closes with one of these gives its session up."""
SENDS_PER_MINUTE = 120


class Gateway:
    """Speaks to every connected client; also the handle with which tests break it."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.token = token
        self.heartbeat_interval = 41.25
        """Seconds between heartbeats, told to clients in HELLO."""
        self.acknowledge_heartbeats = True
        self.privileged_intents: int | None = None
        """Intents granted in the developer portal; None grants whatever is asked for."""
        self.identifies = self.resumes = self.heartbeats = 0
        self.asked_intents = 0
        self.presences: list[dict[str, Any]] = []
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self._runner: web.ServerRunner | None = None
        self._site: web.TCPSite | None = None
        self._address = ("127.0.0.1", 0)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://{self._address[0]}:{self._address[1]}/"

    @property
    def connected(self) -> bool:
        """Whether some client has a live session."""
        return any(session.connection for session in self._sessions.values())

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 picks a free one."""
        self._address = (host, port)
        self._runner = web.ServerRunner(
            web.Server(self._serve, access_log=None), shutdown_timeout=0.5
        )
        await self._runner.setup()
        await self.up()
        bound = self._runner.addresses[0]
        self._address = (host, bound[1])

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        for connection in list(self._connections):
            connection.abort()
        if self._runner is not None:
            await self._runner.cleanup()

    # What tests do to it

    async def down(self) -> None:
        """Begin an outage: cut everyone off and refuse connections."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        await self.drop()

    async def up(self) -> None:
        """End an outage."""
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, *self._address, reuse_address=True)
        await self._site.start()

    async def outage(self, seconds: float) -> None:
        """Refuse connections for so long; returns when the gateway listens again."""
        await self.down()
        await asyncio.sleep(seconds)
        await self.up()

    async def drop(self) -> None:
        """Cut every connection without a word; sessions can be resumed."""
        cut = set(self._connections)
        for connection in cut:
            connection.abort()
        while cut & self._connections:
            await asyncio.sleep(0.001)

    async def drop_and_replay(self, *messages: Message) -> None:
        """Cut every connection; after the RESUME send these MESSAGE_CREATEs once more."""
        for message in messages:
            body = payloads.message_event(message)
            for session in self._entitled("MESSAGE_CREATE", message.channel):
                session.again.append(("MESSAGE_CREATE", self._dump(session, body, message.channel)))
        await self.drop()

    def replay(self, message: Message) -> None:
        """Send the MESSAGE_CREATE of a message once more on the open connections."""
        body = payloads.message_event(message)
        self.dispatch("MESSAGE_CREATE", body, channel=message.channel, message=True)

    def reconnect(self) -> None:
        """Ask every client to reconnect (op 7)."""
        for connection in self._connections:
            connection.send_op(7)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Invalidate every session (op 9)."""
        for session in list(self._sessions.values()):
            if session.connection is not None:
                session.connection.send_op(9, resumable)
            if not resumable:
                session.connection = None
                del self._sessions[session.id]

    async def close(self, code: int) -> None:
        """Close every connection with a code."""
        for connection in list(self._connections):
            await connection.socket.close(code=code)

    def silence(self, silent: bool = True) -> None:
        """Stop, or go on, acknowledging heartbeats."""
        self.acknowledge_heartbeats = not silent

    # Events

    def dispatch(
        self,
        event: str,
        body: dict[str, Any],
        *,
        channel: Channel | None = None,
        guild_id: int | None = None,
        message: bool = False,
    ) -> None:
        """Send an event to the sessions that own the guild, asked for it and may see it."""
        plain = ""
        for session in self._entitled(event, channel, guild_id):
            if message and channel is not None and not session.intents & s.MESSAGE_CONTENT:
                session.dispatch(event, self._dump(session, body, channel))
                continue
            plain = plain or json.dumps(body)
            session.dispatch(event, plain)

    def _entitled(
        self, event: str, channel: Channel | None = None, guild_id: int | None = None
    ) -> list[Session]:
        private = channel is not None and channel.guild is None
        if channel is not None and channel.guild is not None:
            guild_id = channel.guild.id
            if not channel.guild.has(self.world.bot) and event != "INTERACTION_CREATE":
                return []
            seen = permissions.in_channel(channel, self.world.bot)
            if not seen and event.startswith(("MESSAGE", "TYPING")):
                return []
        kind = next((key for key in _INTENTS if event.startswith(key)), None)
        needed = _INTENTS[kind][private] if kind else s.GUILDS
        now = time.monotonic()
        for session in list(self._sessions.values()):
            if session.detached_at and now - session.detached_at > s.RESUME_SECONDS:
                del self._sessions[session.id]
        return [
            session
            for session in self._sessions.values()
            if session.owns(guild_id) and (not needed or session.intents & needed)
        ]

    def _dump(self, session: Session, body: dict[str, Any], channel: Channel) -> str:
        if not session.intents & s.MESSAGE_CONTENT:
            private = channel.guild is None
            body = payloads.strip_content(body, self.world.bot.id, private=private)
        return json.dumps(body)

    # The protocol

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=400, text="This is a gateway: speak websocket.")
        socket = web.WebSocketResponse(compress=False, timeout=1.0, max_msg_size=4096 * 4)
        await socket.prepare(request)
        connection = Connection(request, socket)
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write())
        connection.send_op(10, {"heartbeat_interval": round(self.heartbeat_interval * 1000)})
        try:
            await self._read(connection)
        finally:
            self._connections.discard(connection)
            self._detach(connection)
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        return socket

    def _detach(self, connection: Connection) -> None:
        for session in list(self._sessions.values()):
            if session.connection is connection:
                session.connection = None
                session.detached_at = time.monotonic()
                if connection.left:
                    self._sessions.pop(session.id, None)
        self.world.changed()

    async def _read(self, connection: Connection) -> None:
        socket = connection.socket
        sends: deque[float] = deque(maxlen=SENDS_PER_MINUTE)
        patience = max(self.heartbeat_interval * 2, 5.0)
        while True:
            try:
                received = await socket.receive(timeout=patience)
            except TimeoutError:
                await socket.close(code=4009)
                return
            if received.type is not WSMsgType.TEXT:
                closed = received.type is WSMsgType.CLOSE
                connection.left = closed and received.data in GOODBYE
                return
            now = time.monotonic()
            if len(sends) == SENDS_PER_MINUTE and now - sends[0] < 60:
                await socket.close(code=4008)
                return
            sends.append(now)
            try:
                payload = json.loads(received.data)
                op, data = payload["op"], payload["d"]
            except (ValueError, KeyError, TypeError):
                await socket.close(code=4002)
                return
            code = self._receive(connection, op, data)
            if code is not None:
                await socket.close(code=code)
                return

    def _receive(self, connection: Connection, op: int, data: Any) -> int | None:
        """Answer one payload; return a close code if the connection must end."""
        if op == 1:
            self.heartbeats += 1
            if self.acknowledge_heartbeats:
                connection.send_op(11)
        elif op == 2:
            return self._identify(connection, data)
        elif op == 6:
            return self._resume(connection, data)
        elif op == 3:
            self.presences.append(data)
        elif op == 8:
            self._send_members(connection, data)
        elif op != 4:
            return 4001
        return None

    def _identify(self, connection: Connection, data: dict[str, Any]) -> int | None:
        if data.get("token") != self.token:
            return CLOSE_BAD_TOKEN
        shard, count = data.get("shard") or (0, 1)
        if not 0 <= shard < count:
            return CLOSE_BAD_SHARD
        intents = int(data.get("intents") or 0)
        granted = self.privileged_intents
        if granted is not None and intents & s.PRIVILEGED & ~granted:
            return CLOSE_BAD_INTENTS
        self.identifies += 1
        self.asked_intents = intents
        session = Session(secrets.token_hex(16), (shard, count), intents, connection)
        self._sessions[session.id] = session
        guilds = [
            guild
            for guild in self.world.guilds.values()
            if session.owns(guild.id) and guild.has(self.world.bot)
        ]
        session.dispatch("READY", json.dumps(self._ready(session, [g.id for g in guilds])))
        if intents & s.GUILDS:
            everyone = bool(intents & s.GUILD_MEMBERS)
            for guild in guilds:
                if guild.away:
                    continue
                body = payloads.guild(guild, self.world, all_members=everyone)
                session.dispatch("GUILD_CREATE", json.dumps(body))
        self.world.changed()
        return None

    def _ready(self, session: Session, guild_ids: list[int]) -> dict[str, Any]:
        return {
            "v": 10,
            "user": payloads.user(self.world.bot) | {"verified": True, "mfa_enabled": True},
            "guilds": [{"id": str(guild), "unavailable": True} for guild in guild_ids],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(self.world.application_id), "flags": 1 << 19},
            "private_channels": [],
            "relationships": [],
        }

    def _resume(self, connection: Connection, data: dict[str, Any]) -> int | None:
        if data.get("token") != self.token:
            return CLOSE_BAD_TOKEN
        session = self._sessions.get(str(data.get("session_id")))
        sequence = data.get("seq") or 0
        if session is None or not session.can_resume(sequence):
            connection.send_op(9, False)
            return None
        self.resumes += 1
        session.resume(connection, sequence)
        self.world.changed()
        return None

    def _send_members(self, connection: Connection, data: dict[str, Any]) -> None:
        session = next((x for x in self._sessions.values() if x.connection is connection), None)
        guild = self.world.guilds.get(int(data.get("guild_id") or 0))
        if session is None or guild is None:
            return
        wanted = {int(i) for i in data.get("user_ids") or []}
        query = (data.get("query") or "").lower()
        found = [
            payloads.member(member, guild)
            for member in guild.members.values()
            if (member.user.id in wanted if wanted else member.user.name.startswith(query))
        ]
        limit = data.get("limit") or len(found)
        body = {
            "guild_id": str(guild.id),
            "members": found[:limit],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
            "nonce": data.get("nonce"),
        }
        session.dispatch("GUILD_MEMBERS_CHUNK", json.dumps(body))

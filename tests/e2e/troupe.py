"""The whole program between a fake Discord and a fake Ollama: three parties, real sockets.

The bot is `python -m bot run` in a process of its own (see `forks.py`); the two servers live in the
test's loop, so that a scene can look at what they saw.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from bot.adapters.redis import Client, EmbeddedRedis, open_redis
from tests.e2e.forks import Forked, fork
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Person, Place, Server
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.state import Message
from tests.fakes.discord.validation import components_of
from tests.fakes.ollama import FakeOllama

ROOT = Path(__file__).resolve().parents[2]
MODEL = "llama3.2:3b"
FIRST_CONTACT = "You're talking with an AI, not a person."
OURS = ("DISCORD_", "OLLAMA_", "REDIS_", "OPS_", "PLAY_", "LOG_", "DATA_", "PERSONAS_", "ENCRYPT")

T = TypeVar("T")
_numbers = itertools.count(1)


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a process: ours, with these settings and no others."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    return {**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **settings}


async def until(look: Callable[[], T | None], what: str) -> T:
    """Return the first true value of `look`."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        await asyncio.sleep(0.02)
    return found


@dataclass
class Ended:
    """A process that is over."""

    code: int
    out: str
    err: str


async def begun(
    folder: Path, *arguments: str, fresh: bool = False, **settings: str
) -> asyncio.subprocess.Process | Forked:
    """Start `python -m bot …` with its streams open: forked, or in a `fresh` interpreter."""
    given = {"DATA_DIR": str(folder / "data"), "OPS_PORT": "0", "PLAY_PORT": "0", **settings}
    if not fresh and "FRESH" not in os.environ:
        return await fork(*arguments, cwd=folder, env=environment(**given))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=environment(**given),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )


async def run(
    folder: Path, *arguments: str, said: str = "", fresh: bool = False, **settings: str
) -> Ended:
    """Run `python -m bot …` to its end, with `said` on its standard input."""
    process = await begun(folder, *arguments, fresh=fresh, **settings)
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate(said.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


@dataclass
class Troupe:
    """A running bot, or one that is down. Its log is kept over restarts."""

    folder: Path
    settings: Mapping[str, str]
    command: str = "run"
    fresh: bool = False
    log: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    _process: asyncio.subprocess.Process | Forked | None = None
    _readers: list[asyncio.Task[None]] = field(default_factory=list)
    _began: int = 0

    async def start(self) -> None:
        """Start the process, and wait until its operations page is up."""
        self._began = len(self.log)
        told = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", **self.settings}
        self._process = await begun(self.folder, self.command, fresh=self.fresh, **told)
        streams = ((self._process.stdout, self.out), (self._process.stderr, self.log))
        self._readers = [asyncio.create_task(_pump(stream, into)) for stream, into in streams]
        await self.logged("operations page")

    @property
    def process(self) -> asyncio.subprocess.Process | Forked:
        assert self._process is not None
        return self._process

    @property
    def ops(self) -> str:
        return str(self.events("operations page")[-1]["url"]).rstrip("/")

    def events(self, name: str, **fields: object) -> list[dict[str, Any]]:
        """Return the lines that this process has logged under a name, with these fields."""
        lines = (json.loads(line) for line in self.log[self._began :] if line.startswith("{"))
        return [
            line for line in lines if line.get("event") == name and fields.items() <= line.items()
        ]

    async def up(self, look: Callable[[], T | None], what: str) -> T:
        """Wait for something that this process must bring about; fail at once when it is gone."""

        def alive() -> T | None:
            found = look()
            assert found or self.process.returncode is None, "the bot has ended"
            return found

        try:
            return await until(alive, what)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.log[-30:]])) from None

    async def logged(self, name: str, **fields: object) -> dict[str, Any]:
        """Wait for a line of the log."""
        found = await self.up(
            lambda: self.events(name, **fields), f"log line {name!r} {fields or ''}"
        )
        return found[-1]

    async def over(self, message: Message) -> str:
        """Wait until the turn that a message began is over; return its outcome."""

        def look() -> str | None:
            ends = self.events("turn over", turn=str(message.id))
            outcomes = [str(end["outcome"]) for end in ends]
            lasting = [each for each in outcomes if each not in ("merged", "left")]
            return lasting[-1] if lasting else None

        return await self.up(look, f"the end of the turn of {message.content!r}")

    async def kill(self) -> None:
        """kill -9."""
        await self._end(signal.SIGKILL)

    async def terminate(self) -> int:
        """SIGTERM; return the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: int) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for the end of the process; return its exit code."""
        process = self.process
        async with asyncio.timeout(PATIENCE):
            code = await process.wait()
            await asyncio.gather(*self._readers)
        return code

    async def close(self) -> None:
        """Leave nothing behind: neither the process, nor a private Redis that outlived it."""
        if self._process is not None and self._process.returncode is None:
            try:
                await self.terminate()
            except TimeoutError:
                await self.kill()
        if "REDIS_URL" not in self.settings and (self.folder / "data" / "redis").is_dir():
            server = EmbeddedRedis(self.folder / "data")
            await server.start()
            await server.stop()

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[Client]:
        """Its own Redis, from outside."""
        server = EmbeddedRedis(self.folder / "data")
        redis = await open_redis(await server.start())
        try:
            yield redis
        finally:
            await redis.aclose()
            await server.stop()

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a page of the operations server."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.ops}{path}") as response:
            return response.status, await response.text()

    async def ready(self, wanted: int) -> str:
        """Wait until /readyz answers with a status; return what it says."""
        deadline = time.monotonic() + PATIENCE
        while (found := await self.get("/readyz"))[0] != wanted:
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.1)
        return found[1]

    async def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels."""
        _, page = await self.get("/metrics")
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        total = 0.0
        for line in page.splitlines():
            sample, _, value = line.rpartition(" ")
            found, _, rest = sample.partition("{")
            if found == name and all(each in rest for each in wanted):
                total += float(value)
        return total


async def _pump(stream: asyncio.StreamReader | None, into: list[str]) -> None:
    assert stream is not None
    while line := await stream.readline():
        into.append(line.decode(errors="replace").rstrip("\n"))


@dataclass
class Scene:
    """Everybody who takes part."""

    discord: FakeDiscord
    ollama: FakeOllama
    troupe: Troupe
    guild: Server

    def channel(self, **options: Any) -> Place:
        """Return a new channel."""
        return self.guild.channel(f"stage-{next(_numbers)}", **options)

    def person(self, *permissions: str) -> Person:
        """Return a new member."""
        return self.guild.member(f"guest-{next(_numbers)}", permissions=permissions)

    async def answer(self, place: Place, message: Message) -> str:
        """Wait until a question's turn is over; return its answer as it stands there."""
        await self.troupe.over(message)
        return said(place, message)

    async def exchange(
        self, place: Place, person: Person, text: str, reply: str | None = None
    ) -> tuple[Message, str]:
        """Ask, wait for the whole answer, and return both."""
        if reply is not None:
            self.ollama.reply_next(reply)
        message = await place.says(person, text, mention_bot=True)
        return message, await self.answer(place, message)

    def asked(self, text: str) -> list[Any]:
        """Return the chat requests whose last message holds a text."""
        return [chat for chat in self.ollama.chats if text in chat.messages[-1]["content"]]

    def forget(self) -> None:
        """Between two scenes: no scripts, faults and requests of the last one."""
        self.ollama.reset()
        self.ollama.set_pace(rate=None, first_token=0.0)
        self.discord.rest.faults.clear()
        self.discord.rest.interactions.deadline = PATIENCE
        self.discord.forget_calls()


def said(place: Place, message: Message) -> str:
    """Return the answer to a message, without the small print about being an AI under it."""
    return own_words(place.answer_to(message))


def own_words(text: str) -> str:
    """Return what a persona said: a text without the small print of a first contact."""
    return text.partition(f"\n\n-# {FIRST_CONTACT}")[0]


def control(reply: Message, action: str) -> str:
    """Return the custom id of a button under a reply."""
    found = (str(part.get("custom_id")) for part in components_of(reply.components))
    return next(ident for ident in found if ident.startswith(f"reply:{action}:"))


def contents(chats: Iterable[Any]) -> str:
    """Return every message that was sent with some chat requests."""
    return "\n".join(str(m["content"]) for chat in chats for m in chat.messages)


@contextlib.asynccontextmanager
async def opened(
    folder: Path,
    *,
    connect: bool = True,
    fresh: bool = False,
    models: Sequence[str] = (MODEL,),
    ollama: Mapping[str, Any] | None = None,
    **settings: str,
) -> AsyncIterator[Scene]:
    """Open a scene: both servers, a guild, and the bot, connected.

    Keyword arguments are settings of the bot, which starts in a `fresh` interpreter or is forked;
    `models` and `ollama` are for the fake.
    """
    async with (
        FakeDiscord() as discord,
        FakeOllama(models, num_ctx=8192, num_parallel=16, **(ollama or {})) as model,
    ):
        discord.rest.interactions.deadline = PATIENCE
        guild = discord.guild("home", channels=["general"])
        troupe = Troupe(folder, connections(discord, model) | settings, fresh=fresh)
        try:
            await troupe.start()
            if connect:
                await troupe.up(lambda: discord.gateway.connected, "a connection to Discord")
            yield Scene(discord, model, troupe, guild)
        finally:
            await troupe.close()


def connections(discord: FakeDiscord, ollama: FakeOllama) -> dict[str, str]:
    """Return the settings that lead a bot to the two servers."""
    return {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "OLLAMA_HOSTS": ollama.url,
        "OLLAMA_MODEL": MODEL,
        "OLLAMA_NUM_PARALLEL": "16",
    }

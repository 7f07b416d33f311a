"""A memory over a real Redis and a faithful Ollama, and people who talk."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.adapters.ollama.embedder import OllamaEmbedder
from bot.adapters.redis import Client, Sealer
from bot.adapters.redis.memories import RedisMemories
from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Message, Speaker, Trigger, Turn
from bot.memory import Consent, Item, Kind, Learner, Memory, Recollection
from bot.memory.learning import IDLE
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, Written
from bot.routing.profiles import MemoryPolicy
from bot.routing.route import Route
from tests.fakes.ollama import FakeOllama
from tests.integration.pools import pool_over

MODEL = "llama3.2:3b"
EMBED = "nomic-embed-text"
ANNA = Speaker(UserId(101), "Anna", "en-GB")
BEN = Speaker(UserId(202), "Ben", "de")
GUILD = GuildId(700)
HERE = Place(ChannelId(50), GUILD)
CLOSED = Place(ChannelId(55), GUILD, restricted=True)
ELSEWHERE = Place(ChannelId(60), GuildId(800))
DM = Place(ChannelId(51))


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


@dataclass
class Counted:
    """An observer that remembers."""

    recalls: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    denials: int = 0
    fallbacks: list[str] = field(default_factory=list)

    def recalled(self, seconds: float, *, outcome: str) -> None:
        self.recalls.append(outcome)

    def stored(self, kind: str, count: int = 1) -> None:
        self.kinds.append(kind)

    def evicted(self, kind: str, count: int = 1) -> None: ...

    def extracted(self, outcome: str) -> None:
        self.outcomes.append(outcome)

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)

    def denied(self, count: int) -> None:
        self.denials += count

    def embedding_fallback(self, reason: str) -> None:
        self.fallbacks.append(reason)


def noted(quote: str, /, **changes: Any) -> dict[str, Any]:
    """Return a proposal as a model writes it."""
    proposal: dict[str, Any] = {
        "kind": "fact",
        "slot": "other",
        "text": quote,
        "quote": quote,
        "about": "self",
        "durable": True,
        "date": None,
        "replaces": [],
    }
    return proposal | changes


@dataclass
class Company:
    """A memory and all that is around it."""

    memory: Memory
    store: RedisMemories
    ollama: FakeOllama
    clock: Hands
    counted: Counted
    conversations: dict[Place, Conversation] = field(default_factory=dict)
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1_000))

    def turn(self, text: str, place: Place = HERE, speaker: Speaker = ANNA) -> Turn:
        self.clock.time += 1
        message = Message(MessageId(next(self.ids)), place, speaker, text, self.clock.now())
        return Turn((message,), Trigger.MENTION)

    async def agrees(self, speaker: Speaker = ANNA) -> None:
        await self.memory.notebook.set_consent(speaker.id, Consent.ON)

    async def says(
        self,
        text: str,
        place: Place = HERE,
        speaker: Speaker = ANNA,
        *,
        reply: str = "I see.",
        route: Route = Route.FACTUAL,
        persona: str = "wren",
    ) -> Turn:
        """Say something, get a reply, and have it noted."""
        turn = self.turn(text, place, speaker)
        before = self.conversations.setdefault(place, Conversation(place))
        await self.memory.after(turn, route, persona, before)
        said = tuple(Said(each.id, each.speaker, each.text, each.at) for each in turn.messages)
        ids = (MessageId(next(self.ids)),)
        variant = Variant(reply, ids, persona, route, MODEL, self.clock.now())
        exchange = Exchange(turn.id, said, (variant,), 0)
        after = replace(before, exchanges=(*before.exchanges, exchange))
        self.conversations[place] = after
        return turn

    async def reads(self, *proposals: dict[str, Any]) -> bool:
        """Let the model note these of whoever fell silent."""
        self.answers(json.dumps({"items": proposals}))
        self.clock.time += IDLE + 1
        return await self.memory.learner.work_once()

    def answers(self, text: str) -> None:
        self.ollama.reply_with(text, kind="json")

    async def recall(
        self,
        text: str,
        place: Place = HERE,
        speaker: Speaker = ANNA,
        *,
        policy: MemoryPolicy = MemoryPolicy.ALL,
        persona: str = "wren",
    ) -> Recollection:
        return await self.memory.recall(self.turn(text, place, speaker), policy, persona)

    async def items(self, speaker: Speaker = ANNA, *kinds: Kind) -> list[Item]:
        shelf = await self.store.load(speaker.id)
        return [] if shelf is None else shelf.of(*(kinds or tuple(Kind)))

    async def texts(self, speaker: Speaker = ANNA, *kinds: Kind) -> list[str]:
        return [item.text for item in await self.items(speaker, *kinds)]


class Interrupted(RedisMemories):
    """A memory that changes between a look and the write after it."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def apply(self, person: UserId, shelf: Shelf, changes: Changes, **how: bool) -> Written:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return await super().apply(person, shelf, changes, **how)


@asynccontextmanager
async def company_of(
    redis: Client, sealer: Sealer, *, vectors: bool = False
) -> AsyncIterator[Company]:
    async with FakeOllama([MODEL, EMBED]) as ollama, pool_over(ollama.url) as pool:
        clock, counted = Hands(), Counted()
        store = RedisMemories(redis, sealer)
        embedder = OllamaEmbedder(pool, EMBED) if vectors else None
        learner = Learner(store, pool, lambda: MODEL, embedder, clock, counted)
        memory = Memory(store, learner, embedder, clock, counted)
        yield Company(memory, store, ollama, clock, counted)


@pytest.fixture
async def company(redis: Client, sealer: Sealer) -> AsyncIterator[Company]:
    async with company_of(redis, sealer) as found:
        yield found


@pytest.fixture
async def with_vectors(redis: Client, sealer: Sealer) -> AsyncIterator[Company]:
    """The same, with an embedding model."""
    async with company_of(redis, sealer, vectors=True) as found:
        yield found


@pytest.fixture
def interrupted(company: Company, redis: Client, sealer: Sealer) -> Interrupted:
    return Interrupted(redis, sealer)

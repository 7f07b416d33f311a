"""Everything in Redis, opened once and shared by all rooms."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from bot.adapters.redis import (
    Client,
    RedisBindings,
    RedisCards,
    RedisConversations,
    RedisJournal,
    RedisKeptPlaces,
    RedisLimiter,
    RedisReplies,
    RedisRouteCounts,
    RedisRoutes,
    RedisState,
    Sealer,
    check_seal,
    open_database,
    open_sealer,
)
from bot.adapters.redis.memories import RedisMemories
from bot.adapters.redis.migrations import migrate
from bot.files.data_files import migrations_dir
from bot.observability import Metrics
from bot.opening.guarding import GuardStores, open_guard_stores
from bot.ports import SubjectAccess
from bot.scheduling.admission import rate
from bot.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything in Redis."""

    redis: Client
    private: bool
    """The server is one of our own."""
    conversations: RedisConversations
    bindings: RedisBindings
    cards: RedisCards
    journal: RedisJournal
    limiter: RedisLimiter
    state: RedisState
    routes: RedisRoutes
    route_counts: RedisRouteCounts
    guard: GuardStores
    memories: RedisMemories
    replies: RedisReplies
    kept_places: RedisKeptPlaces

    def subjects(self) -> dict[str, SubjectAccess]:
        """Return every store that may know something about a person, by its name."""
        return {
            "bindings": self.bindings,  # before those that know which DMs are the person's
            "conversations": self.conversations,
            "memories": self.memories,
            "journal": self.journal,
            "routes": self.routes,
            "cards": self.cards,
            "replies": self.replies,
            "limits": self.limiter,
            "trends": self.guard.trends,
            "moderation": self.guard.moderation,
        }


async def open_stores(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Stores:
    """Connect to Redis, or start our own, and bring its schema up to date."""
    core = settings.core
    # Wrong keys are refused before anything is started or migrated.
    sealer = await asyncio.to_thread(open_sealer, core.key_text, core.data_dir)
    redis = await open_database(
        settings.redis.address, core.data_dir, stack, on_error=metrics.redis_error
    )
    private = settings.redis.address is None
    await check_seal(redis, sealer, only_look=True)
    report = await migrate(redis, migrations_dir())
    if report.applied:
        log.info("schema migrated", applied=report.applied, version=report.version)
    await check_seal(redis, sealer)
    bindings = RedisBindings(redis)
    await bindings.start()
    stack.push_async_callback(bindings.close)
    journal = await _open_journal(redis, sealer, settings, stack)
    limits = settings.limits
    limiter = RedisLimiter(redis, person_rate=rate(limits.person), guild_rate=rate(limits.guild))
    conversations = RedisConversations(redis, sealer)
    cards = RedisCards(redis, sealer)
    routes = RedisRoutes(redis, sealer)
    await routes.start()
    stack.push_async_callback(routes.close)
    return Stores(
        redis=redis,
        private=private,
        conversations=conversations,
        bindings=bindings,
        cards=cards,
        journal=journal,
        limiter=limiter,
        state=RedisState(redis),
        routes=routes,
        route_counts=RedisRouteCounts(redis),
        guard=open_guard_stores(redis, sealer, stack),
        memories=RedisMemories(
            redis, sealer, lifetime_s=settings.core.memory_days * 86_400, private=private
        ),
        replies=RedisReplies(redis, sealer),
        kept_places=RedisKeptPlaces(redis),
    )


async def _open_journal(
    redis: Client, sealer: Sealer, settings: Settings, stack: AsyncExitStack
) -> RedisJournal:
    journal = RedisJournal(
        redis,
        sealer,
        process_id=f"{os.getpid()}-{secrets.token_hex(4)}",
        shards=settings.discord.shard_ids,
        shard_count=settings.discord.shard_count,
    )
    await journal.start()
    stack.push_async_callback(journal.close)
    return journal

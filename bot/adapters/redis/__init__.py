"""State in Redis: conversations, bindings, the journal, limits, and a server of our own."""

from __future__ import annotations

from bot.adapters.redis.audit import RedisAudit
from bot.adapters.redis.bindings import RedisBindings
from bot.adapters.redis.cards import RedisCards
from bot.adapters.redis.connect import Client, open_redis
from bot.adapters.redis.conversations import RedisConversations
from bot.adapters.redis.crypto import Sealer, open_sealer, read_sealer
from bot.adapters.redis.embedded import EmbeddedRedis
from bot.adapters.redis.journal import RedisJournal
from bot.adapters.redis.kept_places import RedisKeptPlaces
from bot.adapters.redis.limits import RedisLimiter
from bot.adapters.redis.moderation import RedisModeration
from bot.adapters.redis.opening import look_into_database, open_database
from bot.adapters.redis.replies import RedisReplies
from bot.adapters.redis.route_records import RedisRouteCounts
from bot.adapters.redis.routes import RedisRoutes
from bot.adapters.redis.state import RedisState, check_seal
from bot.adapters.redis.trends import RedisTrends

__all__ = [
    "Client",
    "EmbeddedRedis",
    "RedisAudit",
    "RedisBindings",
    "RedisCards",
    "RedisConversations",
    "RedisJournal",
    "RedisKeptPlaces",
    "RedisLimiter",
    "RedisModeration",
    "RedisReplies",
    "RedisRouteCounts",
    "RedisRoutes",
    "RedisState",
    "RedisTrends",
    "Sealer",
    "check_seal",
    "look_into_database",
    "open_database",
    "open_redis",
    "open_sealer",
    "read_sealer",
]

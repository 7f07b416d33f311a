"""State in Redis: conversations, bindings, the journal, limits, and a server of our own."""

from __future__ import annotations

from bot.adapters.redis.connect import Client, open_redis
from bot.adapters.redis.conversations import RedisConversations
from bot.adapters.redis.crypto import Sealer, open_sealer
from bot.adapters.redis.embedded import EmbeddedRedis

__all__ = ["Client", "EmbeddedRedis", "RedisConversations", "Sealer", "open_redis", "open_sealer"]

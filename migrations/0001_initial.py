"""The first schema: `bot/adapters/redis/keys.py` describes it.

Records carry their own format (the seal's version byte, JSON that ignores unknown names), so that
an empty database needs nothing but to know which schema it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.adapters.redis.migrations import Migration


async def up(migration: Migration) -> None:
    await migration.write("HSET", "troupe:{schema}:info", "layout", "1")

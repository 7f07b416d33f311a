"""What is kept of the replies that people can press buttons under."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.scripts import Script
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import TurnId
from bot.chat.wishes.claims import Claim
from bot.errors import RecordCorrupt
from bot.ports import Held

CLAIM_S: Final = 180
"""Longer than a reply takes; after a crash the journal knows of the wish, not the claim."""
DAY: Final = 86_400
ACCOUNTS: Final = 20
"""Accounts of turns that are kept for each place, for `/why` after a restart."""

HOLD: Final = Script("reply", "hold")
RELEASE: Final = Script("release")


class RedisReplies:
    """Claims, the latest reply of each place, and the accounts of the last turns."""

    def __init__(self, redis: Client, sealer: Sealer, *, ttl_s: int = 30 * DAY) -> None:
        self._redis = redis
        self._sealer = sealer
        self._ttl = ttl_s

    async def claim(self, place: Place, turn: TurnId, wish: MessageId) -> Claim:
        """Let a wish be the only one; see `bot.chat.wishes.claims`."""
        key = keys.place(place.channel, f"claim:{turn}")
        with store_errors(self._redis):
            if await self._redis.set(key, str(wish), nx=True, ex=CLAIM_S):
                return Claim.OURS
            before = await self._redis.get(key)
        return Claim.TWICE if before == str(wish).encode() else Claim.TAKEN

    async def release(self, place: Place, turn: TurnId, wish: MessageId) -> None:
        """The wish is over."""
        await RELEASE.run(self._redis, [keys.place(place.channel, f"claim:{turn}")], [str(wish)])

    async def hold(self, place: Place, held: Held) -> Held | None:
        """Let a reply be the latest of its place; return the one whose buttons are to go.

        That is this one, when a later turn's reply stands there already.
        """
        key = keys.place(place.channel, "latest")
        message = "" if held.message is None else str(held.message)
        webhook = "" if held.webhook is None else str(held.webhook)
        answer: list[bytes] = await HOLD.run(
            self._redis, [key], [self._ttl, held.turn, message, webhook]
        )
        if not answer or not answer[1]:
            return None
        turn, old, hook = (part.decode() for part in answer)
        return Held(TurnId(turn), MessageId(int(old)), int(hook) if hook else None)

    async def keep_account(self, place: Place, turn: TurnId, summary: Mapping[str, Any]) -> None:
        """Keep what `/why` shows of a turn; the oldest of the place goes."""
        key = keys.place(place.channel, "accounts")
        sealed = self._sealer.seal(json.dumps(summary).encode(), key, turn)
        with store_errors(self._redis):
            pipe = self._redis.pipeline(transaction=False)
            pipe.hset(key, turn, sealed)
            pipe.expire(key, self._ttl)
            pipe.hlen(key)
            count = (await pipe.execute())[-1]
            if count > 2 * ACCOUNTS:
                turns = sorted(await self._redis.hkeys(key), key=int)
                await self._redis.hdel(key, *turns[:-ACCOUNTS])

    async def account(self, place: Place, turn: TurnId) -> Mapping[str, Any] | None:
        """Return what `/why` shows of a turn, if it is still known."""
        key = keys.place(place.channel, "accounts")
        with store_errors(self._redis):
            sealed: Any = await self._redis.hget(key, turn)
        if sealed is None:
            return None
        try:
            found = json.loads(self._sealer.open(sealed, key, turn))
        except ValueError as error:
            raise RecordCorrupt("a stored account is no JSON") from error
        return found if isinstance(found, dict) else None

    async def reset(self, place: Place) -> int:
        """Forget a place's latest reply and accounts. Return how many of the two there were."""
        names = [keys.place(place.channel, part) for part in ("latest", "accounts")]
        with store_errors(self._redis):
            return int(await self._redis.delete(*names))

    # ── subject access ──────────────────────────────────────────────────────────────────────

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return what is kept of a person: nothing, only of turns."""
        return {}

    async def delete_person(self, person: UserId) -> int:
        """Remove what is kept of a person; see `export_person`."""
        return 0

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove what is kept of a guild's places. Call it while they are still listed."""
        with store_errors(self._redis):
            channels: Any = await self._redis.smembers(keys.guild(guild, "places"))
            removed = 0
            for channel in channels:
                removed += await self.reset(Place(ChannelId(int(channel)), guild))
        return removed

"""Small values by name, such as the hash of the synced commands."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.crypto import Sealer
from bot.errors import RecordCorrupt, StoreError

NAME: Final = re.compile(r"[a-z0-9_.:-]{1,100}")
BYTES: Final = 65_536
SEAL_CHECK: Final = "seal-check"
SEAL_TEXT: Final = b"troupe"


class RedisState:
    """JSON values by name, kept for good. Nothing personal belongs here."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    async def get(self, name: str) -> Any:
        """Return the value, or None.

        Raises:
            RecordCorrupt: what is stored is no JSON.
            StoreError: Redis is away.
        """
        with store_errors(self._redis):
            stored = await self._redis.get(_key(name))
        if stored is None:
            return None
        try:
            return json.loads(stored)
        except (ValueError, RecursionError) as error:
            raise RecordCorrupt(f"the stored value {name} is no JSON") from error

    async def set(self, name: str, value: Any) -> None:
        """Store a value.

        Raises:
            StoreError: Redis is away, or the value is too long or no JSON.
        """
        try:
            data = json.dumps(value, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise StoreError(f"the value {name} can't be written as JSON") from error
        if len(data) > BYTES:
            raise StoreError(f"the value {name} is longer than {BYTES} bytes")
        with store_errors(self._redis):
            await self._redis.set(_key(name), data)


async def check_seal(redis: Client, sealer: Sealer, *, only_look: bool = False) -> None:
    """Make sure that this database's records open with the configured keys; call it at start.

    `only_look`: write nothing, neither the first mark nor one with the newest key.

    Raises:
        RecordCorrupt: they do not; the text says what to do.
        StoreError: Redis is away.
    """
    name = keys.state(SEAL_CHECK)
    with store_errors(redis):
        stored: Any = await redis.get(name)
        if stored is None and only_look:
            return
        if stored is None:
            await redis.set(name, sealer.seal(SEAL_TEXT, name), nx=True)
            return
    try:
        sealer.open(stored, name)
    except RecordCorrupt as error:
        raise RecordCorrupt(
            "this database was written with other encryption keys: put the old key back into "
            "ENCRYPTION_KEYS (after the new one), or the old key file into DATA_DIR"
        ) from error
    if only_look:
        return
    # With the newest key, so that the oldest may one day be taken out of the setting.
    with store_errors(redis):
        await redis.set(name, sealer.seal(SEAL_TEXT, name))


def _key(name: str) -> str:
    if not NAME.fullmatch(name):
        raise StoreError("the name of a small value has letters, digits, and _.:- only")
    return keys.state(name)

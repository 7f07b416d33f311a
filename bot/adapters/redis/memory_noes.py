"""Who wants no memory, under names that nobody can find without the operator's key."""

from __future__ import annotations

import hashlib
import hmac

from bot.adapters.redis import keys
from bot.adapters.redis.crypto import Sealer
from bot.chat.place import UserId

PURPOSE = "troupe memory declined"


class Noes:
    """Names of keys: an HMAC of the person's id, with the newest key first."""

    def __init__(self, sealer: Sealer) -> None:
        self._secrets = sealer.derivations(PURPOSE)

    def keys(self, person: UserId) -> list[str]:
        """Return the keys of which one exists if the person said no; all in one slot."""
        return [
            keys.memory_no(hmac.new(secret, str(person).encode(), hashlib.sha256).hexdigest())
            for secret in self._secrets
        ]

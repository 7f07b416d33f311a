"""Lua scripts: one file each, run by their checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, TypeAlias

from redis.exceptions import NoScriptError

from bot.adapters.redis.connect import Client, store_errors

Argument: TypeAlias = str | bytes | int | float


class Script:
    """A script whose source is the given files of `lua/`, joined."""

    def __init__(self, *names: str) -> None:
        folder = files("bot.adapters.redis") / "lua"
        self.source = "\n".join(
            (folder / f"{name}.lua").read_text(encoding="utf-8") for name in names
        )
        self.sha = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: Client, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run in one round trip; in two when the server has not seen the script yet.

        Raises:
            StoreError: Redis is away, or the script failed.
        """
        with store_errors(client):
            try:
                return await client.evalsha(self.sha, len(keys), *keys, *args)
            except NoScriptError:
                return await client.eval(self.source, len(keys), *keys, *args)


def pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    """Return a hash that a script answers with as a list of names and values in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))

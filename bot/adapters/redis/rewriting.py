"""The append-only file of a private server, written anew without what was deleted.

A deletion is one more line of the file: what is deleted stands before it until then.
"""

from __future__ import annotations

import contextlib

from redis.exceptions import ResponseError

from bot.adapters.redis.connect import Client, store_errors


async def write_anew(redis: Client) -> None:
    """Have the file written anew, in the background of the server.

    One that is being written already was begun a moment ago; the stop of the server writes it once
    more.

    Raises:
        StoreError: the server is away.
    """
    with store_errors(redis), contextlib.suppress(ResponseError):
        await redis.bgrewriteaof()


async def written_anew(redis: Client) -> bool:
    """Whether the last `write_anew` is done.

    Raises:
        StoreError: the server is away.
    """
    with store_errors(redis):
        told = await redis.info("persistence")
    return not (told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])

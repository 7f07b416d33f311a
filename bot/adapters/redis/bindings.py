"""Bindings in Redis: `bot.ports.BindingStore`.

Reads come from memory, a guild at a time. Each change also gets a number; every process asks each
second or two what changed since the last number it saw. That needs no connection of its own, and
misses nothing over a lost one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.records import binding_of, binding_record
from bot.adapters.redis.scripts import Script
from bot.chat.place import GuildId, UserId
from bot.errors import RecordCorrupt, StoreError
from bot.personas.binding import Binding, BindingLevel, BindingTarget

POLL_S: Final = 1.5
"""How often to ask for changes, in seconds."""
FRESH_S: Final = 300.0
"""A guild is read anew after this long, should a change have missed its number (a process that
died between the two writes)."""
GUILDS: Final = 5000
"""Guilds held in memory; the least recently used goes first."""
CHANGES: Final = 500
TARGETS: Final = 2000
"""Bindings of one guild; Discord allows 500 channels and 1000 active threads."""
NAME_CHARACTERS: Final = 200
WORDS: Final = 50

CHANGED: Final = Script("binding_changed")
CHANGES_SINCE: Final = Script("binding_changes")

log = structlog.get_logger(__name__)

Guild = Mapping[str, Binding]


class RedisBindings:
    """Bindings by guild, cached once `start` has been called."""

    def __init__(self, redis: Client, *, poll_s: float = POLL_S) -> None:
        self._redis = redis
        self._poll_s = poll_s
        self._held: OrderedDict[str, tuple[float, Guild]] = OrderedDict()
        self._seen = 0
        self._epoch = 0
        self._poll: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Hold bindings in memory from now on, and follow changes until `close`.

        Raises:
            StoreError: Redis is away.
        """
        await self._follow()
        if self._poll is None:
            self._poll = asyncio.create_task(self._keep_following(), name="bindings-poll")

    async def close(self) -> None:
        """Stop following changes."""
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
            self._poll = None
        self._held.clear()

    async def get(self, targets: Sequence[BindingTarget]) -> Mapping[BindingTarget, Binding]:
        """Return what is attached to the targets; from memory once their guild was read."""
        found: dict[BindingTarget, Binding] = {}
        for target in targets:
            binding = (await self._guild(_owner(target))).get(_field(target))
            if binding is not None:
                found[target] = binding
        return found

    async def put(self, target: BindingTarget, binding: Binding | None) -> None:
        """Attach, or with None detach.

        Raises:
            StoreError: Redis is away, or the binding is out of bounds.
        """
        owner, field = _owner(target), _field(target)
        name = keys.bindings(owner)
        if binding is None:
            with store_errors(self._redis):
                await self._redis.hdel(name, field)
        else:
            record = _checked(binding)
            with store_errors(self._redis):
                if await self._redis.hlen(name) >= TARGETS:
                    raise StoreError(f"a guild can hold {TARGETS} bindings")
                await self._redis.hset(name, field, record)
        await self._announce(owner)

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Bindings belong to places: nothing is stored about people."""
        return {}

    async def delete_person(self, person: UserId) -> int:
        """Bindings belong to places: nothing is stored about people."""
        return 0

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove a guild's bindings."""
        name = keys.bindings(str(guild))
        with store_errors(self._redis):
            count = int(await self._redis.hlen(name))
            await self._redis.delete(name)
        await self._announce(str(guild))
        return count

    async def _announce(self, owner: str) -> None:
        self._forget([owner])
        await CHANGED.run(self._redis, [keys.BINDING_SEQUENCE, keys.BINDING_CHANGES], [owner])

    async def _guild(self, owner: str) -> Guild:
        held = self._held.get(owner)
        if held is not None and time.monotonic() - held[0] < FRESH_S:
            self._held.move_to_end(owner)
            return held[1]
        epoch = self._epoch
        with store_errors(self._redis):
            stored = await self._redis.hgetall(keys.bindings(owner))
        guild = _read(owner, stored)
        if self._poll is not None and epoch == self._epoch:  # nothing changed while Redis answered
            self._held[owner] = (time.monotonic(), guild)
            while len(self._held) > GUILDS:
                self._held.popitem(last=False)
        return guild

    def _forget(self, owners: Sequence[str]) -> None:
        self._epoch += 1
        for owner in owners:
            self._held.pop(owner, None)

    async def _keep_following(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            # While Redis is away what is held stays good; the next answer names what changed.
            with contextlib.suppress(StoreError):
                await self._follow()

    async def _follow(self) -> None:
        names = [keys.BINDING_SEQUENCE, keys.BINDING_CHANGES]
        answer = await CHANGES_SINCE.run(self._redis, names, [self._seen, CHANGES])
        number, owners = int(answer[0]), answer[1:]
        if number < self._seen or len(owners) > CHANGES:  # another database, or far behind
            self._epoch += 1
            self._held.clear()
        elif owners:
            self._forget([owner.decode("ascii", "replace") for owner in owners])
        self._seen = number


def _owner(target: BindingTarget) -> str:
    return f"dm{target.id}" if target.guild is None else str(target.guild)


def _field(target: BindingTarget) -> str:
    if target.level is BindingLevel.DEFAULT:
        raise StoreError("the default binding is a setting; nothing can be attached to it")
    return f"{target.level.value}:{target.id}"


def _checked(binding: Binding) -> bytes:
    scene = binding.scene or ()
    names = [*binding.cast.values(), *binding.words, *scene, binding.model or ""]
    if max(len(binding.words), len(scene)) > WORDS or any(
        len(name) > NAME_CHARACTERS for name in names
    ):
        raise StoreError(
            f"a binding can hold {WORDS} words, and names of {NAME_CHARACTERS} characters"
        )
    return binding_record(binding)


def _read(owner: str, stored: Mapping[Any, Any]) -> Guild:
    """Read a guild's bindings; one that can't be read counts as absent, and is logged."""
    guild: dict[str, Binding] = {}
    for field, record in stored.items():
        try:
            guild[field.decode("ascii", "replace")] = binding_of(record)
        except RecordCorrupt as error:
            log.warning("binding_unreadable", guild=owner, reason=str(error))
    return guild

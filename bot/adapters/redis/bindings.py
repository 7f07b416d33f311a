"""Bindings in Redis: `bot.ports.BindingStore`. Reads come from memory, a guild at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, groupby
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.followed import POLL_S, Followed
from bot.adapters.redis.records import binding_of, binding_record
from bot.chat.place import GuildId, UserId
from bot.errors import RecordCorrupt, StoreError
from bot.personas.binding import Binding, BindingLevel, BindingTarget, listed, unlisted

TARGETS: Final = 2000
"""Bindings of one guild; Discord allows 500 channels and 1000 active threads."""
NAME_CHARACTERS: Final = 200
WORDS: Final = 50

log = structlog.get_logger(__name__)

Guild = Mapping[str, Binding]


class RedisBindings:
    """Bindings by guild, cached once `start` has been called."""

    def __init__(self, redis: Client, *, poll_s: float = POLL_S) -> None:
        self._redis = redis
        self._held = Followed(
            redis,
            sequence=keys.BINDING_SEQUENCE,
            changes=keys.BINDING_CHANGES,
            read=self._read,
            poll_s=poll_s,
        )

    async def start(self) -> None:
        """Hold bindings in memory from now on, and follow changes until `close`.

        Raises:
            StoreError: Redis is away.
        """
        await self._held.start()

    async def close(self) -> None:
        """Stop following changes."""
        await self._held.close()

    async def get(self, targets: Sequence[BindingTarget]) -> Mapping[BindingTarget, Binding]:
        """Return what is attached to the targets; from memory once their guild was read."""
        found: dict[BindingTarget, Binding] = {}
        for owner, theirs in groupby(targets, _owner):
            held = await self._held.get(owner)
            if held:  # most servers have set nothing
                found |= {each: held[_field(each)] for each in theirs if _field(each) in held}
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
                full = await self._redis.hlen(name) >= TARGETS
                if full and not await self._redis.hexists(name, field):
                    raise StoreError(f"a guild can hold {TARGETS} bindings")
                await self._redis.hset(name, field, record)
        await self._held.announce(owner)

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return where admins listed the person, and what is set in their direct messages."""
        servers = [
            {"server": owner, "at": field, **listed(binding, person)}
            for owner, field, binding in await self._naming(person)
        ]
        direct = {}
        for owner in await self._direct(person):
            if held := await self._read(owner):
                fields = {field: json.loads(binding_record(each)) for field, each in held.items()}
                direct[owner.removeprefix("dm")] = fields
        told: dict[str, Any] = {"servers": servers, "direct_messages": direct}
        return {name: value for name, value in told.items() if value}

    async def delete_person(self, person: UserId) -> int:
        """Remove what is set in the person's direct messages.

        What admins decided about them stays: nobody lifts a bar by asking for a deletion.
        """
        count = 0
        for owner in await self._direct(person):
            name = keys.bindings(owner)
            with store_errors(self._redis):
                count += int(await self._redis.hlen(name))
                await self._redis.delete(name)
            await self._held.announce(owner)
        return count

    async def delete_strictly(self, person: UserId) -> int:
        """Remove the person from the lists of admins as well."""
        count = await self.delete_person(person)
        for owner, field, _ in await self._naming(person):
            name = keys.bindings(owner)
            change: Any = partial(_unlist, name=name, field=field, person=person)
            with store_errors(self._redis):
                count += await self._redis.transaction(change, name, value_from_callable=True)
            await self._held.announce(owner)
        return count

    async def _naming(self, person: UserId) -> list[tuple[str, str, Binding]]:
        """Return the bindings that name a person, as owner, field, and binding. By SCAN."""
        with store_errors(self._redis):
            names = [name async for name in self._redis.scan_iter(keys.bindings("*"), count=500)]
        owners = sorted({keys.owner_of(name.decode()) for name in names})
        return [
            (owner, field, binding)
            for owner in owners
            for field, binding in (await self._read(owner)).items()
            if listed(binding, person)
        ]

    async def _direct(self, person: UserId) -> list[str]:
        """Return the owners of bindings in a person's direct messages, as far as we know these."""
        found: set[Any] = set()
        for part in ("places", "memory:places"):
            with store_errors(self._redis):
                found |= await self._redis.smembers(keys.person(person, part))
        places = (member.decode().partition(":") for member in sorted(found))
        return [keys.owner(None, int(channel)) for guild, _, channel in places if guild == "0"]

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove a guild's bindings."""
        name = keys.bindings(str(guild))
        with store_errors(self._redis):
            count = int(await self._redis.hlen(name))
            await self._redis.delete(name)
        await self._held.announce(str(guild))
        return count

    async def _read(self, owner: str) -> Guild:
        with store_errors(self._redis):
            return _read(owner, await self._redis.hgetall(keys.bindings(owner)))


async def _unlist(pipe: Any, *, name: str, field: str, person: UserId) -> int:
    """Take a person out of one binding; done again if another hand changes it meanwhile."""
    record = await pipe.hget(name, field)
    pipe.multi()
    if record is None:
        return 0
    pipe.hset(name, field, binding_record(unlisted(binding_of(record), person)))
    return 1


def _owner(target: BindingTarget) -> str:
    return keys.owner(target.guild, target.id)


def _field(target: BindingTarget) -> str:
    if target.level is BindingLevel.DEFAULT:
        raise StoreError("the default binding is a setting; nothing can be attached to it")
    return f"{target.level.value}:{target.id}"


def _checked(binding: Binding) -> bytes:
    listed = [binding.scene or (), binding.allowed or (), binding.barred or (), binding.words]
    names = [*binding.cast.values(), *chain.from_iterable(listed), *binding.limits]
    names += [binding.model or "", binding.quiet.zone if binding.quiet else ""]
    longest = max(len(binding.limits), *map(len, listed))
    if longest > WORDS or any(len(name) > NAME_CHARACTERS for name in names):
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
            log.warning("binding unreadable", guild=owner, reason=str(error))
    return guild

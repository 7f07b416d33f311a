"""Pins and corrections of the router in Redis: `bot.routing.dispatch.OverrideStore`.

A guild's pins and corrections are read at once and held in memory, so that a message costs no
round trip for them. Corrections are sealed: hashed features can be guessed back into words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.followed import POLL_S, Followed
from bot.adapters.redis.route_records import correction_of, correction_record
from bot.chat.place import GuildId, MessageId, Place, UserId
from bot.errors import InvalidChoice, RecordCorrupt
from bot.routing.corrections import NO_CORRECTIONS, Correction, CorrectionBook
from bot.routing.dispatch import Overrides
from bot.routing.route import Route

LIFE_S: Final = 90 * 86_400
"""Seconds that a correction holds."""
CORRECTIONS: Final = 500
"""Corrections of one guild; the oldest makes room."""
PINS: Final = 2_000
"""Pins of one guild."""
_TEXT: Final = "text"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GuildRoutes:
    """What a guild, or a DM, has set. `pins` are by `u<user>` and `c<channel>`."""

    pins: Mapping[str, Route]
    corrections: CorrectionBook
    keeps_text: bool


class RedisRoutes:
    """Pins, corrections, and whether texts are kept; cached once `start` has been called."""

    def __init__(
        self,
        redis: Client,
        sealer: Sealer,
        *,
        poll_s: float = POLL_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._sealer = sealer
        self._now = now
        self._held = Followed(
            redis,
            sequence=keys.ROUTE_SEQUENCE,
            changes=keys.ROUTE_CHANGES,
            read=self._read,
            poll_s=poll_s,
        )

    async def start(self) -> None:
        """Hold what is read in memory, and follow changes, until `close`."""
        await self._held.start()

    async def close(self) -> None:
        """Stop following changes."""
        await self._held.close()

    async def in_force(self, place: Place, person: UserId) -> Overrides:
        """Return what holds for a person in a place: their own pin before the place's."""
        found = await self._held.get(_owner(place))
        names = [f"u{person}", f"c{place.channel}"]
        names += [f"c{place.parent}"] if place.parent else []
        pin = next((found.pins[name] for name in names if name in found.pins), None)
        return Overrides(pin, found.corrections)

    # ── pins ────────────────────────────────────────────────────────────────────────────────

    async def pin(self, place: Place, route: Route, person: UserId | None = None) -> None:
        """Fix the route of a place or, in its whole guild, of a person.

        Raises:
            InvalidChoice: the guild has as many pins as it may have.
        """
        owner = _owner(place)
        name, field = keys.owned(owner, "routes"), _pinned(place, person)
        with store_errors(self._redis):
            full = await self._redis.hlen(name) >= PINS
            if full and not await self._redis.hexists(name, field):
                raise InvalidChoice("A server can have {most} pins. Remove some first.", most=PINS)
            await self._redis.hset(name, field, route.value)
            if person is not None:
                await self._redis.sadd(keys.person(person, "pins"), owner)
        await self._held.announce(owner)

    async def unpin(self, place: Place, person: UserId | None = None) -> bool:
        """Remove a pin. False when there was none."""
        owner = _owner(place)
        with store_errors(self._redis):
            name = keys.owned(owner, "routes")
            removed = bool(await self._redis.hdel(name, _pinned(place, person)))
            if person is not None:
                await self._redis.srem(keys.person(person, "pins"), owner)
        await self._held.announce(owner)
        return removed

    # ── corrections ─────────────────────────────────────────────────────────────────────────

    async def keeps_text(self, place: Place) -> bool:
        """Return whether the texts of corrected messages are kept here."""
        return (await self._held.get(_owner(place))).keeps_text

    async def keep_text(self, place: Place, keep: bool) -> int:
        """Keep texts from now on, or stop and drop those kept. Return how many were dropped."""
        owner = _owner(place)
        name = keys.owned(owner, "routes")
        with store_errors(self._redis):
            if keep:
                await self._redis.hset(name, _TEXT, "1")
            else:
                await self._redis.hdel(name, _TEXT)
        kept = [] if keep else [c for c in (await self._read(owner)).corrections if c.text]
        for each in kept:
            key = _fix(owner, each.id)
            record = self._sealer.seal(correction_record(replace(each, text=None)), key)
            with store_errors(self._redis):
                await self._redis.set(key, record, xx=True, keepttl=True)
        await self._held.announce(owner)
        return len(kept)

    async def correct(self, place: Place, correction: Correction) -> None:
        """Store a correction, for 90 days; one of the same message is replaced."""
        owner = _owner(place)
        name, index = _fix(owner, correction.id), keys.owned(owner, "fixes")
        about = keys.person(correction.author, "fixes")
        record = self._sealer.seal(correction_record(correction), name)
        now = self._now()
        ends = {correction.id: now + LIFE_S}
        with store_errors(self._redis):
            await self._redis.set(name, record, ex=LIFE_S)
            await self._redis.zadd(index, ends)
            await self._redis.zremrangebyscore(index, 0, now)
            await self._redis.expire(index, LIFE_S)
            await self._redis.zadd(about, {f"{owner}:{correction.id}": now + LIFE_S})
            await self._redis.zremrangebyscore(about, 0, now)
            await self._redis.expire(about, LIFE_S)
            oldest: Any = await self._redis.zrange(index, 0, -CORRECTIONS - 1)
            if oldest:
                await self._redis.zrem(index, *oldest)
                await self._redis.delete(*(_fix(owner, each.decode("ascii")) for each in oldest))
        await self._held.announce(owner)

    async def corrections(self, place: Place) -> tuple[Correction, ...]:
        """Return the corrections of a place's guild, newest first."""
        return tuple((await self._held.get(_owner(place))).corrections)

    async def forget(self, place: Place, messages: Sequence[MessageId]) -> int:
        """Remove the corrections of messages that were edited or deleted."""
        gone = set(messages)
        held = await self._held.get(_owner(place))
        found = [each for each in held.corrections if gone.intersection(each.messages)]
        await self._remove(_owner(place), found)
        return len(found)

    async def _remove(self, owner: str, corrections: Sequence[Correction]) -> None:
        if not corrections:
            return
        with store_errors(self._redis):
            await self._redis.delete(*(_fix(owner, each.id) for each in corrections))
            await self._redis.zrem(keys.owned(owner, "fixes"), *(each.id for each in corrections))
            for each in corrections:
                await self._redis.zrem(keys.person(each.author, "fixes"), f"{owner}:{each.id}")
        await self._held.announce(owner)

    # ── subject access ──────────────────────────────────────────────────────────────────────

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return the person's pins, and the corrections of their messages."""
        pins, fixes = await self._about(person)
        found: dict[str, Any] = {}
        for owner in pins:
            route = (await self._read(owner)).pins.get(f"u{person}")
            if route is not None:
                found.setdefault("pins", {})[owner] = route.value
        for owner, ident in fixes:
            correction = await self._correction(owner, ident)
            if correction is not None:
                entry = {"label": correction.label.value, "text": correction.text}
                found.setdefault("corrections", {})[f"{owner}:{ident}"] = entry
        return found

    async def delete_person(self, person: UserId) -> int:
        """Remove the person's pins, and the corrections of their messages."""
        pins, fixes = await self._about(person)
        count = 0
        with store_errors(self._redis):
            for owner in pins:
                count += int(await self._redis.hdel(keys.owned(owner, "routes"), f"u{person}"))
            for owner, ident in fixes:
                count += int(await self._redis.delete(_fix(owner, ident)))
                await self._redis.zrem(keys.owned(owner, "fixes"), ident)
            await self._redis.delete(keys.person(person, "pins"))
            await self._redis.delete(keys.person(person, "fixes"))
        for owner in {*pins, *(owner for owner, _ in fixes)}:
            await self._held.announce(owner)
        return count

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove a guild's pins and corrections."""
        owner = str(guild)
        held = await self._read(owner)
        await self._remove(owner, list(held.corrections))
        with store_errors(self._redis):
            await self._redis.delete(keys.owned(owner, "routes"), keys.owned(owner, "fixes"))
        await self._held.announce(owner)
        return len(held.pins) + len(held.corrections)

    async def _about(self, person: UserId) -> tuple[list[str], list[tuple[str, str]]]:
        with store_errors(self._redis):
            pins: Any = await self._redis.smembers(keys.person(person, "pins"))
            fixes: Any = await self._redis.zrange(keys.person(person, "fixes"), 0, -1)
        pairs = (each.decode("ascii", "replace").partition(":") for each in fixes)
        return (
            sorted(each.decode("ascii", "replace") for each in pins),
            [(owner, ident) for owner, _, ident in pairs],
        )

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    async def _read(self, owner: str) -> GuildRoutes:
        index = keys.owned(owner, "fixes")
        with store_errors(self._redis):
            stored: Any = await self._redis.hgetall(keys.owned(owner, "routes"))
            found: Any = await self._redis.zrevrangebyscore(
                index, "+inf", self._now(), start=0, num=CORRECTIONS
            )
            ids = [each.decode("ascii", "replace") for each in found]
            records: Any = (
                await self._redis.mget([_fix(owner, each) for each in ids]) if ids else []
            )
        corrections = [
            correction
            for ident, record in zip(ids, records, strict=True)
            if record is not None and (correction := self._opened(owner, ident, record))
        ]
        book = CorrectionBook(corrections) if corrections else NO_CORRECTIONS
        return GuildRoutes(_pins(owner, stored), book, _TEXT.encode() in stored)

    async def _correction(self, owner: str, ident: str) -> Correction | None:
        with store_errors(self._redis):
            record: Any = await self._redis.get(_fix(owner, ident))
        return self._opened(owner, ident, record) if record else None

    def _opened(self, owner: str, ident: str, record: bytes) -> Correction | None:
        """Read a correction; one that can't be read counts as absent, and is logged."""
        try:
            return correction_of(self._sealer.open(record, _fix(owner, ident)))
        except RecordCorrupt as error:
            log.warning("correction unreadable", owner=owner, reason=str(error))
            return None


def _owner(place: Place) -> str:
    return keys.owner(place.guild, place.channel)


def _pinned(place: Place, person: UserId | None) -> str:
    return f"c{place.channel}" if person is None else f"u{person}"


def _fix(owner: str, ident: str) -> str:
    return keys.owned(owner, f"fix:{ident}")


def _pins(owner: str, stored: Mapping[Any, Any]) -> dict[str, Route]:
    pins: dict[str, Route] = {}
    for field, value in stored.items():
        name = field.decode("ascii", "replace")
        if name == _TEXT:
            continue
        try:
            pins[name] = Route(value.decode("ascii", "replace"))
        except ValueError:
            log.warning("pin unreadable", owner=owner)
    return pins

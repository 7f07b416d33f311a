"""Conversations in Redis: `bot.ports.ConversationStore`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.conversation_cache import ConversationCache, characters_of
from bot.adapters.redis.conversation_rows import PlaceCodec, turn_text
from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.records import text_record
from bot.adapters.redis.scripts import Argument, Script, pairs
from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import TurnId
from bot.errors import StoreError

DAY: Final = 86_400
TOMBSTONE_S: Final = DAY
"""Longer than any turn can be under way: the journal gives up after a day."""
TOMBSTONES: Final = 5000
NOTE_S: Final = 3600
"""Edits of messages whose turn is still under way; turns end within minutes."""
NOTES: Final = 256
STATE_VALUES: Final = 48
STATE_CHARACTERS: Final = 65_536
DELETED_AT_ONCE: Final = 200
INDEXED_S: Final = 300.0
"""A turn is written twice, before and after its reply stands there; for so long the second time
needs no entries in the indexes. Deletions between the two leave tombstones."""
INDEXED: Final = 500

LOAD: Final = Script("conversation", "load")
RECORD: Final = Script("conversation", "record")
EDIT: Final = Script("conversation", "edit")
DELETE: Final = Script("conversation", "delete")
META: Final = Script("conversation", "meta")
RESET: Final = Script("conversation", "reset")


class RedisConversations:
    """Conversations by place, encrypted, with a lifetime that each write renews.

    Each write is one script, so that deletions and edits win over a write that is under way.
    """

    def __init__(
        self, redis: Client, sealer: Sealer, *, ttl_s: float = 30 * DAY, cap: int = 400
    ) -> None:
        """Keep `cap` exchanges a place, each place for `ttl_s` seconds after its last write."""
        self._redis = redis
        self._sealer = sealer
        self._ttl = max(1, int(ttl_s))
        self._cap = max(1, cap)
        self._cache = ConversationCache()
        self._indexed: dict[tuple[ChannelId, TurnId, frozenset[UserId]], float] = {}

    async def load(self, place: Place) -> Conversation:
        """Return the conversation, empty when there is none. One round trip."""
        channel = place.channel
        known = self._cache.version(channel)
        answer: list[Any] = await LOAD.run(self._redis, keys.conversation(channel), [known])
        version: bytes = answer[0]
        if not version:
            self._cache.drop(channel)
            return Conversation(place)
        if len(answer) == 1 and (held := self._cache.get(channel, version)) is not None:
            return replace(held, place=place)
        if len(answer) == 1:  # let go by the cache while Redis answered
            answer = await LOAD.run(self._redis, keys.conversation(channel), [b""])
            if len(answer) == 1:
                return Conversation(place)
        meta, rows, lines = (pairs(part) for part in answer[1:])
        conversation = await self._codec(channel).conversation(place, meta, rows, lines)
        self._cache.put(channel, answer[0], conversation)
        return conversation

    async def record(self, place: Place, exchange: Exchange) -> Exchange | None:
        """Insert or replace the exchange; see the port."""
        channel = place.channel
        arguments = self._codec(channel).arguments(exchange)
        await self._index(place, exchange)
        answer: list[Any] = await RECORD.run(
            self._redis, keys.conversation(channel), [self._ttl, self._cap, *arguments]
        )
        previous, version, stored, as_given = answer[:4]
        if not stored:
            self._cache.drop(channel)
            return None
        if not as_given:
            self._cache.drop(channel)
            return (await self.load(place)).exchange(exchange.turn)
        room = {TurnId(turn.decode()) for turn in answer[4:]}
        chosen = exchange.chosen % len(exchange.variants) if exchange.variants else -1
        exchange = replace(exchange, chosen=chosen)
        self._cache.advance(
            channel,
            previous,
            version,
            lambda held: _with_exchange(held, exchange, room),
            characters_of(exchange),
        )
        return exchange

    async def edit(self, place: Place, message: MessageId, text: str) -> bool:
        """Rewrite a message; see the port. The new text also waits, for an hour, for a write of
        that message that is still under way."""
        channel = place.channel
        sealed = self._codec(channel).line(text_record(text, edited=True), f"t{message}")
        args: list[Argument] = [self._ttl, NOTE_S, NOTES, str(message), sealed]
        return bool(await EDIT.run(self._redis, keys.conversation(channel), args))

    async def delete(self, place: Place, messages: Sequence[MessageId]) -> tuple[TurnId, ...]:
        """Remove messages; see the port. A reply that spans several messages goes as a whole, and
        the last question of a turn takes the replies with it."""
        turns, _ = await self._delete(place.channel, [str(message) for message in messages])
        return turns

    async def find(self, place: Place, message: MessageId) -> Exchange | None:
        """Return the exchange that holds this message."""
        for exchange in reversed((await self.load(place)).exchanges):
            if any(said.message_id == message for said in exchange.said):
                return exchange
            if any(message in variant.message_ids for variant in exchange.variants):
                return exchange
        return None

    async def trim(
        self, place: Place, to: TurnId, summary: str | None, *, taken_back: int | None = None
    ) -> None:
        """Send history from `to` on; an older call than the last one changes nothing."""
        fields: dict[str, str | bytes] = {"trimmed_to": turn_text(to), "summary": b""}
        if summary:
            fields["summary"] = self._codec(place.channel).value(summary, "summary")
        await self._write_meta(
            place.channel,
            fields,
            lambda held: replace(held, trimmed_to=to, summary=summary),
            "" if taken_back is None else str(taken_back),
        )

    async def keep(self, place: Place, state: Mapping[str, str]) -> None:
        """Merge small values into the state; see the port."""
        codec = self._codec(place.channel)
        if sum(len(name) + len(value) for name, value in state.items()) > STATE_CHARACTERS:
            raise StoreError("too many characters in a conversation's state")
        fields: dict[str, str | bytes] = {}
        for name, value in state.items():
            fields[f"s:{name}"] = codec.value(value, f"s:{name}") if value else b""
        if not fields:
            return

        def merged(held: Conversation) -> Conversation:
            values = {**held.state, **state}
            return replace(held, state={name: text for name, text in values.items() if text})

        await self._write_meta(place.channel, fields, merged)

    async def reset(self, place: Place) -> int:
        """Forget the place's conversation."""
        self._cache.drop(place.channel)
        names = keys.conversation(place.channel)
        return int(await RESET.run(self._redis, names, [TOMBSTONE_S]))

    # ── subject access ──────────────────────────────────────────────────────────────────────

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return what the person said, and what they were answered, place by place."""
        found: list[dict[str, Any]] = []
        for place in await self._places_of(person):
            conversation = await self.load(place)
            exchanges = [
                {
                    "said": [
                        {"id": str(said.message_id), "at": said.at, "text": said.text}
                        for said in exchange.said
                        if said.speaker.id == person
                    ],
                    "replies": [variant.text for variant in exchange.variants],
                }
                for exchange in conversation.exchanges
                if any(said.speaker.id == person for said in exchange.said)
            ]
            if exchanges:
                guild = None if place.guild is None else str(place.guild)
                found.append(
                    {"guild": guild, "channel": str(place.channel), "exchanges": exchanges}
                )
        return {"conversations": found}

    async def delete_person(self, person: UserId) -> int:
        """Remove what the person said, here and in writes under way. Return how many changes
        that made."""
        changes = 0
        for place in await self._places_of(person):
            conversation = await self.load(place)
            messages = [
                str(said.message_id)
                for exchange in conversation.exchanges
                for said in exchange.said
                if said.speaker.id == person
            ]
            changes += (await self._delete(place.channel, [f"u{person}", *messages]))[1]
        with store_errors(self._redis):
            await self._redis.delete(keys.person(person, "places"))
        return changes

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove every conversation of a guild. Return how many exchanges there were."""
        index = keys.guild(guild, "places")
        with store_errors(self._redis):
            channels = await self._redis.smembers(index)
        exchanges = 0
        for channel in channels:
            exchanges += await self.reset(Place(ChannelId(int(channel)), guild))
        with store_errors(self._redis):
            await self._redis.delete(index)
        return exchanges

    # ── inside ──────────────────────────────────────────────────────────────────────────────

    def _codec(self, channel: ChannelId) -> PlaceCodec:
        meta, _, lines, *_ = keys.conversation(channel)
        return PlaceCodec(self._sealer, meta=meta, lines=lines)

    async def _delete(
        self, channel: ChannelId, what: Sequence[str]
    ) -> tuple[tuple[TurnId, ...], int]:
        self._cache.drop(channel)
        turns: list[TurnId] = []
        changes = 0
        for start in range(0, len(what), DELETED_AT_ONCE):
            part = what[start : start + DELETED_AT_ONCE]
            args: list[Argument] = [TOMBSTONE_S, TOMBSTONES, *part]
            answer = await DELETE.run(self._redis, keys.conversation(channel), args)
            turns += [TurnId(turn.decode()) for turn in answer if turn]
            changes += len(answer)
        return tuple(turns), changes

    async def _write_meta(
        self,
        channel: ChannelId,
        fields: Mapping[str, str | bytes],
        change: Any,
        taken_back: str = "",
    ) -> None:
        args: list[Argument] = [self._ttl, STATE_VALUES, taken_back]
        for field, value in fields.items():
            args += [field, value]
        answer = await META.run(self._redis, keys.conversation(channel), args)
        previous, version, done = answer
        if done:
            size = sum(len(value) for value in fields.values())
            self._cache.advance(channel, previous, version, change, size)

    async def _index(self, place: Place, exchange: Exchange) -> None:
        """Note where people's texts are, before they are there: a crash in between leaves a
        reference too many, never one too few."""
        people = frozenset(said.speaker.id for said in exchange.said)
        key, now = (place.channel, exchange.turn, people), time.monotonic()
        if now - self._indexed.pop(key, float("-inf")) < INDEXED_S:
            return
        with store_errors(self._redis):
            pipe = self._redis.pipeline(transaction=False)
            for user in people:
                pipe.sadd(keys.person(user, "places"), keys.place_member(place))
                pipe.expire(keys.person(user, "places"), self._ttl + DAY)
            if place.guild is not None:
                pipe.sadd(keys.guild(place.guild, "places"), str(place.channel))
                pipe.expire(keys.guild(place.guild, "places"), self._ttl + DAY)
            if len(pipe):
                await pipe.execute()
        self._indexed[key] = now
        if len(self._indexed) > INDEXED:
            del self._indexed[next(iter(self._indexed))]

    async def _places_of(self, person: UserId) -> list[Place]:
        with store_errors(self._redis):
            members = await self._redis.smembers(keys.person(person, "places"))
        places = []
        for member in sorted(members):
            guild, _, channel = _text(member).partition(":")
            ident = GuildId(int(guild)) if guild != "0" else None
            places.append(Place(ChannelId(int(channel)), ident))
        return places


def _text(value: bytes | str) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value


def _with_exchange(
    conversation: Conversation, exchange: Exchange, without: set[TurnId]
) -> Conversation:
    """Return the conversation with one exchange inserted or replaced, by turn id."""
    number = int(exchange.turn)
    others = [e for e in conversation.exchanges if e.turn not in without]
    place = len(others)
    while place > 0 and int(others[place - 1].turn) >= number:
        place -= 1
    if place < len(others) and others[place].turn == exchange.turn:
        others[place] = exchange
    elif exchange.turn not in without:
        others.insert(place, exchange)
    return replace(conversation, exchanges=tuple(others))

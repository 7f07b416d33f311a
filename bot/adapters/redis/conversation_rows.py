"""From what a place's keys hold to a `Conversation`, and back to the arguments of a script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

import structlog

from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.records import said_of, said_record, text_record, variant_of, variant_record
from bot.adapters.redis.scripts import Argument
from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.place import MessageId, Place
from bot.chat.turn import TurnId
from bot.errors import RecordCorrupt, StoreError

SLICE = 50
"""Exchanges decoded before other tasks get their turn: about a millisecond."""

log = structlog.get_logger(__name__)


class Row(NamedTuple):
    """What a turn holds, by ids only; see `lua/conversation.lua`."""

    chosen: str
    said: tuple[str, ...]
    variants: tuple[tuple[str, tuple[str, ...]], ...]


def read_row(data: bytes) -> Row:
    """Read a row.

    Raises:
        RecordCorrupt: it is none.
    """
    try:
        chosen, said, variants = data.decode("ascii").split("|")
        pairs = [part.split("=") for part in variants.split(";") if part]
        return Row(
            chosen,
            tuple(part for part in said.split(",") if part),
            tuple((number, tuple(i for i in ids.split(",") if i)) for number, ids in pairs),
        )
    except ValueError as error:
        raise RecordCorrupt("a stored row can't be read") from error


def turn_text(turn: TurnId) -> str:
    """Return a turn id that is safe to sort and to store.

    Raises:
        StoreError: it is not the plain decimal form of a number of 64 bits.
    """
    if not turn.isascii() or not turn.isdecimal() or len(turn) > 20 or str(int(turn)) != turn:
        raise StoreError("a turn id must be a decimal number")
    return turn


class PlaceCodec:
    """Seals and opens what one place stores. `lines` and `meta` are its keys."""

    def __init__(self, sealer: Sealer, *, meta: str, lines: str) -> None:
        self._sealer = sealer
        self._meta = meta
        self._lines = lines

    def line(self, plain: bytes, field: str) -> bytes:
        """Seal a field of the lines."""
        return self._sealer.seal(plain, self._lines, field)

    def value(self, text: str, field: str) -> bytes:
        """Seal a field of the meta key."""
        return self._sealer.seal(text.encode("utf-8", "surrogatepass"), self._meta, field)

    def arguments(self, exchange: Exchange) -> list[Argument]:
        """Return what `record.lua` wants to know about an exchange, from its turn on."""
        turn = turn_text(exchange.turn)
        chosen = exchange.chosen % len(exchange.variants) if exchange.variants else ""
        args: list[Argument] = [turn, chosen, len(exchange.said)]
        for said in exchange.said:
            ident = str(said.message_id)
            about = self.line(said_record(said), f"a{ident}")
            text = self.line(text_record(said.text, edited=said.edited), f"t{ident}")
            args += [ident, str(said.speaker.id), said.at, about, text]
        args.append(len(exchange.variants))
        for number, variant in enumerate(exchange.variants):
            line = f"{turn}.{number}"
            about = self.line(variant_record(variant), f"a{line}")
            text = self.line(text_record(variant.text), f"t{line}")
            args += [number, ",".join(str(i) for i in variant.message_ids), about, text]
        return args

    async def conversation(
        self,
        place: Place,
        meta: Mapping[bytes, bytes],
        rows: Mapping[bytes, bytes],
        lines: Mapping[bytes, bytes],
    ) -> Conversation:
        """Open a conversation, and leave out what can't be opened: one bad record, or a lost key,
        must not silence the place for good."""
        exchanges: list[Exchange] = []
        unreadable = 0
        numbered = sorted((int(turn), row) for turn, row in rows.items() if turn.isdigit())
        for start in range(0, len(numbered), SLICE):
            if start:
                await asyncio.sleep(0)
            for turn, row in islice(numbered, start, start + SLICE):
                exchange, bad = self._exchange(TurnId(str(turn)), row, lines)
                unreadable += bad
                if exchange is not None:
                    exchanges.append(exchange)
        state: dict[str, str] = {}
        summary: str | None = None
        for name, sealed in meta.items():
            field = name.decode("utf-8", "replace")
            if field != "summary" and not field.startswith("s:"):
                continue
            try:
                text = self._sealer.open(sealed, self._meta, field).decode("utf-8", "surrogatepass")
            except (RecordCorrupt, UnicodeDecodeError):
                unreadable += 1
                continue
            if field == "summary":
                summary = text
            else:
                state[field[2:]] = text
        if unreadable:
            log.warning("records unreadable", place=place.channel, records=unreadable)
        trimmed = meta.get(b"trimmed_to", b"").decode("ascii", "replace")
        return Conversation(
            place,
            tuple(exchanges),
            summary,
            TurnId(trimmed) if trimmed.isdecimal() else None,
            state,
            int(meta.get(b"taken_back", b"0")),
        )

    def _exchange(
        self, turn: TurnId, data: bytes, lines: Mapping[bytes, bytes]
    ) -> tuple[Exchange | None, int]:
        """Return the exchange, if anything of it can be read, and the number of bad records."""
        try:
            row = read_row(data)
        except RecordCorrupt:
            return None, 1
        bad = 0
        said: list[Said] = []
        for ident in row.said:
            try:
                said.append(self._said(ident, lines))
            except (RecordCorrupt, KeyError):
                bad += 1
        variants: list[Variant] = []
        chosen = -1
        for number, ids in row.variants:
            try:
                variants.append(self._variant(f"{turn}.{number}", ids, lines))
            except (RecordCorrupt, KeyError):
                bad += 1
                continue
            if number == row.chosen:
                chosen = len(variants) - 1
        if variants and chosen < 0:
            chosen = len(variants) - 1
        if not said and not variants:
            return None, bad
        return Exchange(turn, tuple(said), tuple(variants), chosen), bad

    def _said(self, ident: str, lines: Mapping[bytes, bytes]) -> Said:
        about, text = self._open(f"a{ident}", lines), self._open(f"t{ident}", lines)
        return said_of(MessageId(int(ident)), about, text)

    def _variant(self, line: str, ids: tuple[str, ...], lines: Mapping[bytes, bytes]) -> Variant:
        """Read a reply. Once edited, its text stands under the message that was edited."""
        text_line = next((i for i in ids if f"t{i}".encode() in lines), line)
        about, text = self._open(f"a{line}", lines), self._open(f"t{text_line}", lines)
        return variant_of(tuple(MessageId(int(i)) for i in ids), about, text)

    def _open(self, field: str, lines: Mapping[bytes, bytes]) -> bytes:
        return self._sealer.open(lines[field.encode()], self._lines, field)

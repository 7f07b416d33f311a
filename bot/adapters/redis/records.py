"""How values are written down, and read back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from bot.adapters.redis.fields import (
    ATTACHMENT_BYTES,
    RECORD_CHARACTERS,
    Fields,
    dump,
    ident,
    read,
)
from bot.adapters.redis.order_records import (
    answering_in,
    answering_out,
    order_in,
    order_out,
)
from bot.chat.conversation import Said, Variant
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.preparing.files import NOT_KEPT
from bot.chat.preparing.files import unread as not_read
from bot.chat.turn import (
    Again,
    Attachment,
    Cue,
    Message,
    Quoted,
    Speaker,
    Trigger,
    TurnId,
    Wish,
)
from bot.errors import RecordCorrupt, StoreError
from bot.personas.binding import Binding, QuietHours, TriggerMode
from bot.ports import Progress
from bot.routing.route import Route

# ── conversations ───────────────────────────────────────────────────────────────────────────


def text_record(text: str, *, edited: bool = False) -> bytes:
    """Write the text of a message or a reply."""
    if len(text) > RECORD_CHARACTERS:
        raise StoreError("a text is too long to be stored")
    return dump({"t": text, "e": edited})


def said_record(said: Said) -> bytes:
    """Write what is known about a message, without its text."""
    about: dict[str, Any] = {"s": _speaker_out(said.speaker), "at": said.at}
    if said.by_command:
        about["c"] = True
    if said.order is not None:
        about["o"] = order_out(said.order)
    if said.about is not None:
        about["a"] = said.about
    if said.unkept:
        about["u"] = True
    return dump(about)


def said_of(message: MessageId, about: bytes, text: bytes) -> Said:
    """Read a message."""
    known, words = Fields(read(about)), Fields(read(text))
    return Said(
        message,
        _speaker_in(known.part("s")),
        words.text("t"),
        known.seconds("at"),
        edited=words.flag("e"),
        by_command=known.flag("c"),
        order=order_in(known.part("o")) if known.has("o") else None,
        about=MessageId(known.ident("a")) if known.has("a") else None,
        unkept=known.flag("u"),
    )


def variant_record(variant: Variant) -> bytes:
    """Write what is known about a reply, without its text and its ids."""
    known = {"p": variant.persona, "r": variant.route.value, "m": variant.model, "at": variant.at}
    return dump(known | {"x": 1} if variant.rival else known)


def variant_of(messages: tuple[MessageId, ...], about: bytes, text: bytes) -> Variant:
    """Read a reply."""
    known, words = Fields(read(about)), Fields(read(text))
    return Variant(
        words.text("t"),
        messages,
        known.text("p"),
        _choice(Route, known.text("r")),
        known.text("m"),
        known.seconds("at"),
        rival=known.has("x"),
    )


def _choice(kind: Any, value: str) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        raise RecordCorrupt(f"a stored record has an unknown {kind.__name__}") from error


def _speaker_out(speaker: Speaker) -> dict[str, Any]:
    return {"i": speaker.id, "n": speaker.name, "l": speaker.locale}


def _speaker_in(fields: Fields) -> Speaker:
    return Speaker(UserId(fields.ident("i")), fields.text("n"), fields.text_or_none("l"))


# ── journal ─────────────────────────────────────────────────────────────────────────────────


def entry_record(message: Message, trigger: Trigger, accepted_at: float) -> bytes:
    """Write an accepted message. Attachments beyond `ATTACHMENT_BYTES` leave only their names."""
    if len(message.text) > RECORD_CHARACTERS:
        raise StoreError("a message is too long to be stored")
    quoted = message.replies_to
    files: list[dict[str, str]] = []
    unread = list(message.unread_attachments)
    room = ATTACHMENT_BYTES
    for file in message.attachments:
        if len(file.content) > room:
            unread.append(not_read(file.name, NOT_KEPT))
            continue
        room -= len(file.content)
        content = base64.b64encode(file.content).decode("ascii")
        files.append({"n": file.name, "m": file.media_type, "c": content})
    return dump(
        {
            "i": message.id,
            "p": _place_out(message.place),
            "s": _speaker_out(message.speaker),
            "t": message.text,
            "at": message.at,
            "me": message.mentions_us,
            "q": quoted
            and {
                "i": quoted.message_id,
                "n": quoted.author_name,
                "u": quoted.by_us,
                "t": quoted.text,
                "r": quoted.answers,
            },
            "f": files,
            "uf": unread,
            "cu": message.cue and {"n": message.cue.speakers, "d": message.cue.spoken},
            "ag": message.again and _again_out(message.again),
            "pe": message.persona,
            "ab": message.about,
            "ro": list(message.roles),
            "sp": message.spoken,
            "od": message.order and order_out(message.order),
            "an": message.answering and answering_out(message.answering),
            "why": trigger.value,
            "in": accepted_at,
        }
    )


def entry_of(data: bytes) -> tuple[Message, Trigger, float]:
    """Read an accepted message: it, its trigger, and when it was accepted."""
    fields = Fields(read(data))
    quoted = None
    if fields.has("q"):
        part = fields.part("q")
        answers = part.ident_or_none("r")
        quoted = Quoted(
            MessageId(part.ident("i")),
            part.text("n"),
            part.flag("u"),
            part.text("t"),
            None if answers is None else MessageId(answers),
        )
    unread = fields.items("uf")
    if not all(isinstance(name, str) for name in unread):
        raise RecordCorrupt("a stored record has a wrong file name")
    message = Message(
        MessageId(fields.ident("i")),
        _place_in(fields.part("p")),
        _speaker_in(fields.part("s")),
        fields.text("t"),
        fields.seconds("at"),
        mentions_us=fields.flag("me"),
        replies_to=quoted,
        attachments=tuple(_attachment_in(Fields(file)) for file in fields.items("f")),
        unread_attachments=tuple(unread),
        cue=_cue_in(fields.part("cu")) if fields.has("cu") else None,
        again=_again_in(fields.part("ag")) if fields.has("ag") else None,
        persona=fields.text_or_none("pe"),
        about=MessageId(fields.ident("ab")) if fields.has("ab") else None,
        roles=tuple(ident(role) for role in fields.items("ro")),
        spoken=fields.flag("sp"),
        order=order_in(fields.part("od")) if fields.has("od") else None,
        answering=answering_in(fields.part("an")) if fields.has("an") else None,
    )
    return message, _choice(Trigger, fields.text("why")), fields.seconds("in")


def _cue_in(fields: Fields) -> Cue:
    names = [*fields.items("n"), *fields.items("d")]
    if not all(isinstance(name, str) for name in names):
        raise RecordCorrupt("a stored record has a wrong cue")
    return Cue(tuple(fields.items("n")), tuple(fields.items("d")))


def _again_out(again: Again) -> dict[str, Any]:
    return {
        "w": again.wish.value,
        "t": again.turn,
        "r": again.requester,
        "q": list(again.question),
        "m": list(again.reply),
        "h": again.webhook,
        "v": again.variants,
        "z": again.size,
        "n": again.index,
        "s": again.small_print,
        "a": again.asked,
    }


def _again_in(fields: Fields) -> Again:
    return Again(
        _choice(Wish, fields.text("w")),
        TurnId(fields.text("t")),
        UserId(fields.ident("r")),
        tuple(MessageId(ident(each)) for each in fields.items("q")),
        tuple(MessageId(ident(each)) for each in fields.items("m")),
        webhook=fields.ident_or_none("h"),
        variants=fields.ident("v"),
        size=fields.ident("z"),
        index=fields.ident("n"),
        small_print=fields.text("s"),
        asked=fields.text_or_none("a") or "",
    )


def _attachment_in(fields: Fields) -> Attachment:
    try:
        content = base64.b64decode(fields.text("c"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RecordCorrupt("a stored attachment is no base64") from error
    return Attachment(fields.text("n"), fields.text("m"), content)


def _place_out(place: Place) -> dict[str, Any]:
    return {
        "c": place.channel,
        "g": place.guild,
        "p": place.parent,
        "k": place.category,
        "a": place.age_restricted,
        "r": place.restricted,
    }


def _place_in(fields: Fields) -> Place:
    guild, parent = fields.ident_or_none("g"), fields.ident_or_none("p")
    category = fields.ident_or_none("k")
    return Place(
        ChannelId(fields.ident("c")),
        None if guild is None else GuildId(guild),
        parent=None if parent is None else ChannelId(parent),
        category=None if category is None else ChannelId(category),
        age_restricted=fields.flag("a"),
        restricted=fields.flag("r"),
    )


def progress_record(progress: Progress) -> bytes:
    """Write what of a reply is visible."""
    return dump({"r": list(progress.reply_ids), "w": progress.webhook, "f": progress.final})


def progress_of(data: bytes | None) -> Progress:
    """Read what of a reply is visible; nothing when nothing was noted."""
    if data is None:
        return Progress()
    fields = Fields(read(data))
    replies = tuple(MessageId(ident(value)) for value in fields.items("r"))
    return Progress(replies, fields.ident_or_none("w"), fields.flag("f"))


# ── bindings ────────────────────────────────────────────────────────────────────────────────


def binding_record(binding: Binding) -> bytes:
    """Write a binding; values that are inherited are left out."""
    values: dict[str, Any] = {"cast": {route.value: name for route, name in binding.cast.items()}}
    if binding.mode is not None:
        values["mode"] = binding.mode.value
    if binding.model is not None:
        values["model"] = binding.model
    if binding.words:
        values["words"] = list(binding.words)
    for name in ("scene", "allowed", "barred"):
        listed = getattr(binding, name)
        if listed is not None:
            values[name] = list(listed)
    if binding.quiet is not None:
        quiet = binding.quiet
        values["quiet"] = {"from": quiet.start, "to": quiet.end, "zone": quiet.zone}
    if binding.limits:
        values["limits"] = dict(binding.limits)
    return dump(values)


def binding_of(data: bytes) -> Binding:
    """Read a binding."""
    values = read(data)
    fields = Fields(values)
    cast: Mapping[str, Any] = values.get("cast") or {}
    words = fields.items("words")
    if not isinstance(cast, dict) or not all(isinstance(name, str) for name in cast.values()):
        raise RecordCorrupt("a stored binding has a wrong cast")
    if not all(isinstance(word, str) for word in words):
        raise RecordCorrupt("a stored binding has wrong words")
    limits = values.get("limits") or {}
    if not isinstance(limits, dict) or not all(_is_count(count) for count in limits.values()):
        raise RecordCorrupt("a stored binding has wrong limits")
    mode = fields.text_or_none("mode")
    return Binding(
        cast={_choice(Route, route): name for route, name in cast.items()},
        mode=None if mode is None else _choice(TriggerMode, mode),
        model=fields.text_or_none("model"),
        words=tuple(words),
        scene=_names_in(fields, "scene"),
        allowed=_names_in(fields, "allowed"),
        barred=_names_in(fields, "barred"),
        quiet=_quiet_in(fields.part("quiet")) if fields.has("quiet") else None,
        limits=limits,
    )


def _names_in(fields: Fields, name: str) -> tuple[str, ...] | None:
    if not fields.has(name):
        return None
    listed = fields.items(name)
    if not all(isinstance(each, str) for each in listed):
        raise RecordCorrupt(f"a stored binding has a wrong list {name}")
    return tuple(listed)


def _quiet_in(fields: Fields) -> QuietHours:
    start, end = fields.ident("from"), fields.ident("to")
    if max(start, end) >= 24 * 60:
        raise RecordCorrupt("a stored binding has wrong quiet hours")
    return QuietHours(start, end, fields.text("zone"))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31

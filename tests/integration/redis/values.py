"""Messages and exchanges to store."""

from __future__ import annotations

from bot.chat.conversation import Exchange, Said, Variant
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Message, Speaker, TurnId
from bot.routing.route import Route

GUILD = GuildId(700)
PLACE = Place(ChannelId(50), GUILD)
DM = Place(ChannelId(51))
ANNA = Speaker(UserId(1), "Anna", "de")
BEN = Speaker(UserId(2), "Ben")


def said(ident: int, text: str = "hello", speaker: Speaker = ANNA) -> Said:
    return Said(MessageId(ident), speaker, text, 1_700_000_000.5)


def variant(*ids: int, text: str = "hi there") -> Variant:
    return Variant(
        text,
        tuple(MessageId(i) for i in ids),
        "sage",
        Route.FACTUAL,
        "llama3.2:3b",
        1_700_000_001.0,
    )


def exchange(turn: int, *messages: Said, variants: tuple[Variant, ...] = ()) -> Exchange:
    """A turn; without messages one by Anna, and without variants one reply with the next id."""
    return Exchange(
        TurnId(str(turn)),
        messages or (said(turn),),
        variants or (variant(turn + 1),),
        (len(variants) or 1) - 1,
    )


def message(
    ident: int, text: str = "hello", place: Place = PLACE, speaker: Speaker = ANNA
) -> Message:
    return Message(MessageId(ident), place, speaker, text, 1_700_000_000.5)

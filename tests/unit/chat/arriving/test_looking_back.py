"""Which messages of a channel are looked back at, and what became of them meanwhile."""

from __future__ import annotations

from bot.chat.arriving.looking_again import Fate
from bot.chat.arriving.looking_back import ASKED_FOR, AT_MOST, Kept, Page, compared, kept_of
from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Speaker, TurnId
from bot.routing.route import Route

HERE = Place(ChannelId(1), GuildId(2))
ANN = Speaker(UserId(4), "Ann")


def said(ident: int, *, about: int | None = None, by_command: bool = False) -> Said:
    return Said(
        MessageId(ident), ANN, "hello", 0.0, by_command=by_command,
        about=None if about is None else MessageId(about),
    )  # fmt: skip


def exchange(turn: int, *messages: Said, replies: tuple[int, ...] = ()) -> Exchange:
    ids = tuple(map(MessageId, replies))
    variant = Variant("hi", ids, "maud", Route.COMPANION, "m", 0.0)
    return Exchange(TurnId(str(turn)), messages, (variant,), 0)


class Asked:
    """Channels of which each message is gone, and which ones were asked for."""

    def __init__(self) -> None:
        self.names: list[int] = []

    async def fate(self, place: Place, message: MessageId) -> Fate:
        self.names.append(message)
        return Fate(gone=True)


def test_words_replies_and_what_was_asked_about_stand_in_a_channel_and_commands_do_not() -> None:
    conversation = Conversation(
        HERE,
        (
            exchange(5, said(5), replies=(6, 7)),
            exchange(8, said(8, by_command=True), replies=(9,)),
            exchange(10, said(10, by_command=True, about=5), replies=(11,)),
            exchange(12, replies=(12,)),
        ),
    )
    newest_first = {12: None, 11: None, 5: "hello", 9: None, 6: None, 7: None}
    assert {each.message: each.text for each in kept_of(conversation)} == newest_first
    many = (exchange(n, said(n)) for n in range(1, AT_MOST + 50))
    assert len(kept_of(Conversation(HERE, tuple(many)))) == AT_MOST


async def test_an_edit_of_our_own_is_nothing_that_somebody_said() -> None:
    kept = [Kept(MessageId(6)), Kept(MessageId(5), "hello")]
    page = Page(MessageId(0), {MessageId(6): "our new text", MessageId(5): "good evening"})
    assert await compared(HERE, kept, page, None) == ((), {5: "good evening"})


async def test_what_is_older_than_the_page_is_asked_for_the_newest_first() -> None:
    channels, first = Asked(), 1000
    kept = [Kept(MessageId(first - n), "hello") for n in range(ASKED_FOR + 20)]
    page = Page(MessageId(first - 9), {MessageId(first): None})
    gone, _ = await compared(HERE, kept, page, channels)
    assert channels.names == [first - 10 - n for n in range(ASKED_FOR)]
    assert set(gone) == {first - n for n in range(1, 10 + ASKED_FOR)}

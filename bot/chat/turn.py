"""What comes in: messages of people, and the turn they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from bot.chat.place import MessageId, Place, UserId
from bot.creative.order import Order

TurnId = NewType("TurnId", str)
"""The decimal id of the turn's first message; also the seed of our nonces and log lines."""


class Trigger(StrEnum):
    """Why a message is for us."""

    MENTION = "mention"
    REPLY = "reply"
    DM = "dm"
    THREAD = "thread"
    AUTO = "auto"
    WORD = "word"
    COMMAND = "command"
    PLAY = "play"
    SCENE = "scene"
    """Another persona of the scene has spoken, and this one answers or adds to it."""
    AGAIN = "again"
    """Somebody wants a reply that stands there written anew, continued, edited or flipped."""


class Wish(StrEnum):
    """What is to be done with a reply that stands there."""

    REGENERATE = "regenerate"
    """Write another variant, and show it."""
    COMPARE = "compare"
    """Write another variant for the person to choose between it and the shown one."""
    CONTINUE = "continue"
    """Go on where the shown variant stops."""
    SHOW = "show"
    """Show another variant."""
    PICK = "pick"
    """Choose the shown one of two variants that were to be compared."""
    EDIT = "edit"
    """Put a person's text in the shown variant's place."""

    @property
    def writes_another(self) -> bool:
        """Whether the model writes another variant."""
        return self in {Wish.REGENERATE, Wish.COMPARE}

    @property
    def points(self) -> bool:
        """Whether it points to a variant that is there, and nothing is written."""
        return self in {Wish.SHOW, Wish.PICK}


DIRECT = frozenset(
    {
        Trigger.MENTION,
        Trigger.REPLY,
        Trigger.DM,
        Trigger.THREAD,
        Trigger.COMMAND,
        Trigger.PLAY,
        Trigger.AGAIN,
    }
)
"""Triggers by which somebody asked us; the others overheard them."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person, under the cleaned display name that the model sees."""

    id: UserId
    name: str
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message, already fetched and within bounds."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Quoted:
    """The message that an incoming one replies to."""

    message_id: MessageId
    author_name: str
    by_us: bool
    text: str
    answers: MessageId | None = None
    """The message that it replies to in turn."""


@dataclass(frozen=True, slots=True)
class Cue:
    """In a scene: who speaks next, by persona id, without a new word of a person."""

    speakers: tuple[str, ...]
    """Who speaks now, and who after that."""
    spoken: tuple[str, ...]
    """Who has spoken since the person did; nobody does so twice."""


@dataclass(frozen=True, slots=True)
class Again:
    """A wish about a reply that stands there: all that is needed to fulfil it, also by another
    process after a crash."""

    wish: Wish
    turn: TurnId
    """The turn whose reply it is."""
    requester: UserId
    """Who had asked what the reply answers."""
    question: tuple[MessageId, ...]
    reply: tuple[MessageId, ...]
    """The messages in which the reply stands."""
    webhook: int | None = None
    """The webhook that spoke, if one did."""
    variants: int = 1
    """How many there were; more of them mean that another was written already."""
    size: int = 0
    """Characters of the shown variant; more of them mean that it was continued already."""
    index: int = 0
    """For `SHOW` and `PICK`: which variant, from 0."""
    small_print: str = ""
    """What the program had added under the reply."""
    asked: str = ""
    """The question that stands above the reply, where no message of the channel holds it."""


@dataclass(frozen=True, slots=True)
class Answering:
    """An interaction that can be answered: the way to speak where the bot is no member."""

    application: int
    token: str = field(repr=False)
    """A secret: whoever has it can speak for us there, for fifteen minutes."""
    hidden: bool = False
    """Only the person reads the answer."""
    lasting: bool = False
    """The bot may change the answer later without the token, as any message of its own."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a person, free of Discord's markup for mentions. `at` is unix seconds."""

    id: MessageId
    place: Place
    speaker: Speaker
    text: str
    at: float
    mentions_us: bool = False
    replies_to: Quoted | None = None
    attachments: tuple[Attachment, ...] = ()
    unread_attachments: tuple[str, ...] = ()
    """Names of attachments that were not read, each with the reason."""
    cue: Cue | None = None
    """Set when this stands for a persona's reply: its id, no text, the person of the turn."""
    again: Again | None = None
    """Set when this stands for a wish about a reply: the interaction's id, and who had the wish."""
    persona: str | None = None
    """Who shall answer, by persona id, where a person chose."""
    about: MessageId | None = None
    """For an interaction's id: the message in the channel that the answer points to."""
    roles: tuple[int, ...] = ()
    """Ids of the roles that the person has in the guild."""
    order: Order | None = None
    """Set when a creative tool was used; the text says what for."""
    answering: Answering | None = None
    """Set where only an answer to the interaction can be shown."""
    before: tuple[Quoted, ...] = ()
    """What was said before it outside the stored conversation, oldest first; never stored."""
    spoken: bool = False
    """With `about`: that message holds these very words."""

    @property
    def is_command(self) -> bool:
        """Whether it was said through a command, so that no message of the channel holds it."""
        given = (self.order, self.about, self.answering)
        return not self.spoken and any(each is not None for each in given)

    @property
    def is_unkept(self) -> bool:
        """Whether it came with a file or a quote that is stored nowhere and can't be read again."""
        if not self.is_command or (self.about is not None and self.answering is None):
            return False
        # The text that an order works on is stored with it; its pictures are not.
        lost = [f for f in self.attachments if self.order is None or "image/" in f.media_type]
        return self.replies_to is not None or bool(lost)

    @property
    def spoken_in(self) -> MessageId:
        """Return the message that holds the words: what is deleted or edited with it."""
        return self.about if self.spoken and self.about is not None else self.id


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, or one person's burst of messages, that is for us."""

    messages: tuple[Message, ...]
    trigger: Trigger

    @property
    def id(self) -> TurnId:
        """Return the id of the first message, as text."""
        return TurnId(str(self.messages[0].id))

    @property
    def place(self) -> Place:
        return self.messages[-1].place

    @property
    def speaker(self) -> Speaker:
        return self.messages[-1].speaker

    @property
    def cue(self) -> Cue | None:
        """Return whose turn it is; None as soon as a person has said something."""
        spoken = any(message.cue is None for message in self.messages)
        return None if spoken else self.messages[-1].cue

    @property
    def again(self) -> Again | None:
        """Return the wish about a reply that this turn is, if it is one."""
        return self.messages[-1].again

    @property
    def persona(self) -> str | None:
        """Return who shall answer, where a person chose."""
        return self.messages[-1].persona

    @property
    def points_at(self) -> MessageId:
        """Return the message in the channel that the answer points to.

        With what a thread began with it is that: the rest of a burst stands in the channel above.
        """
        first = MessageId(self.place.channel)
        last = first if first in self.message_ids else self.messages[-1].id
        return self.messages[-1].about or last

    @property
    def order(self) -> Order | None:
        """Return what was ordered of a creative tool, if one was used."""
        return self.messages[-1].order

    @property
    def answering(self) -> Answering | None:
        """Return the interaction that must be answered, if nothing else can be shown here."""
        return self.messages[-1].answering

    @property
    def by_token(self) -> bool:
        """Whether only the token of an interaction reaches the place: the bot may not post there,
        or others must not read along."""
        return self.answering is not None and not self.answering.lasting

    @property
    def roles(self) -> tuple[int, ...]:
        """Return the ids of the roles that the person has in the guild."""
        return self.messages[-1].roles

    @property
    def text(self) -> str:
        """Return the burst's texts, one to a line."""
        return "\n".join(message.text for message in self.messages if message.text)

    @property
    def message_ids(self) -> tuple[MessageId, ...]:
        return tuple(message.id for message in self.messages)

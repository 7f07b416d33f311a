"""What the rooms need from the outside world. Adapters fulfil these; tests meet them at sockets."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import GuildId, MessageId, Place, UserId
from bot.chat.turn import Message, Trigger, TurnId
from bot.personas.binding import Binding, BindingTarget


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> float:
        """Return unix seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        ...


# ── models ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message for the model. `images` are base64 strings."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A generation. Load-time options (num_ctx) belong to the adapter, one value per model."""

    model: str
    messages: tuple[ChatMessage, ...]
    options: Mapping[str, float | int | list[str]] = field(default_factory=dict)
    """Sampling options by Ollama's names, with `num_predict` and `stop`."""
    format: Mapping[str, Any] | None = None
    """A JSON schema that the reply must fulfil."""
    affinity: str = ""
    """Conversation key: requests with equal keys prefer the same host and its prompt cache."""
    num_keep: int | None = None
    """Tokens of the system message, kept by Ollama should it ever cut the prompt."""
    logprobs: int = 0
    """How many top log-probabilities to ask for with each token; 0 for none."""
    first_token_timeout: float | None = None
    """Seconds, in place of the setting's value."""


@dataclass(frozen=True, slots=True)
class TokenProbability:
    """A token and its natural log-probability, with its alternatives."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a reply. `thinking` is never shown."""

    text: str = ""
    thinking: str = ""
    logprobs: tuple[TokenProbability, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a stream. Durations are in seconds; counts are tokens."""

    reason: Literal["stop", "length"]
    backend: str
    model: str
    prompt_tokens: int
    """Cached and evaluated together, as Ollama counts."""
    reply_tokens: int
    total: float
    load: float
    prompt_eval: float
    eval: float

    @property
    def slot_wait(self) -> float:
        """Return the seconds spent waiting for a slot of the host."""
        return max(0.0, self.total - self.load - self.prompt_eval - self.eval)


class ChatModel(Protocol):
    """A language model behind one or more hosts."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Yield pieces, then exactly one `Finished`.

        An async generator: use it within `contextlib.aclosing`; closing it, or cancelling the
        task, closes the connection so that the host stops generating. Another host is tried
        only before the first piece.

        Raises:
            BackendError: one of its kinds; see `bot.errors`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Choices:
    """A text to be sorted into one of some choices, each with what it stands for."""

    model: str
    text: str
    instructions: str
    criteria: Mapping[str, str]


class Classifier(Protocol):
    """Sorts a text where a host has a route of its own for that."""

    async def shares(self, choices: Choices, *, timeout: float) -> Mapping[str, float] | None:
        """Return a probability for each choice; None where no host offers it for the model.

        Raises:
            BackendError: a host failed, answered something else, or not in `timeout` seconds.
        """
        ...


class ModelFacts(Protocol):
    """What is known about the models behind the hosts."""

    async def is_loading(self, model: str, affinity: str) -> bool:
        """Whether a request with this affinity waits for its host to load the model. Asks the
        host; False when nobody knows. Never raises."""
        ...

    async def sees(self, model: str) -> bool:
        """Whether a model takes pictures; False when nobody knows. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Unit vectors, in the order of the texts. `space` is `model@dimensions`."""

    space: str
    vectors: tuple[tuple[float, ...], ...]


class Embedder(Protocol):
    """Turns texts into vectors."""

    async def embed(self, texts: Sequence[str], *, timeout: float) -> Embeddings:
        """Return one vector a text.

        Raises:
            BackendError: no host answered within `timeout` seconds.
        """
        ...


# ── stores ──────────────────────────────────────────────────────────────────────────────────


class ConversationStore(Protocol):
    """Conversations by place, encrypted at rest, each with a lifetime.

    Deleted message ids leave a tombstone, so that a write which was under way can't bring their
    text back. Every method raises `StoreError` when the store is away.
    """

    async def load(self, place: Place) -> Conversation: ...

    async def record(self, place: Place, exchange: Exchange) -> Exchange | None:
        """Insert or replace the exchange by its turn id, ordered by turn id.

        Text of messages that were deleted meanwhile is left out; None when nothing is left.
        Texts that were edited meanwhile are kept in their edited form.
        """
        ...

    async def edit(self, place: Place, message: MessageId, text: str) -> bool:
        """Rewrite a person's message, or one of our replies. False when it is not stored."""
        ...

    async def delete(self, place: Place, messages: Sequence[MessageId]) -> tuple[TurnId, ...]:
        """Remove messages, and leave tombstones. Return the turns whose question is gone."""
        ...

    async def find(self, place: Place, message: MessageId) -> Exchange | None:
        """Return the exchange that holds this message, said or replied."""
        ...

    async def trim(
        self, place: Place, to: TurnId, summary: str | None, *, taken_back: int | None = None
    ) -> None:
        """Send history from `to` on. Exchanges before it stay stored until their lifetime ends.

        With `taken_back` nothing happens unless the conversation's is still that: its summary
        would hold what a person has deleted or changed.
        """
        ...

    async def keep(self, place: Place, state: Mapping[str, str]) -> None:
        """Merge small values into the conversation's state; an empty string removes one."""
        ...

    async def reset(self, place: Place) -> int:
        """Forget the place's conversation. Return how many exchanges there were."""
        ...


class BindingStore(Protocol):
    """Bindings by what they are attached to; read from memory on the hot path."""

    async def get(self, targets: Sequence[BindingTarget]) -> Mapping[BindingTarget, Binding]: ...

    async def put(self, target: BindingTarget, binding: Binding | None) -> None:
        """Attach, or with None detach. Visible to other processes within seconds."""
        ...


class Outcome(StrEnum):
    """How a turn ended; a metric label."""

    ANSWERED = "answered"
    REFUSED = "refused"
    SUPPORTED = "supported"
    FAILED = "failed"
    BUSY = "busy"
    BARRED = "barred"
    """An admin's list or quiet hours keep the bot silent."""
    CANCELLED = "cancelled"
    """The question was deleted, or somebody pressed stop."""
    MERGED = "merged"
    """Answered together with a later message of the same burst."""
    LEFT = "left"
    """Left unfinished to the process that takes over, which counts it again when it has ended."""
    EXPIRED = "expired"
    """Found unfinished after a restart, too old to answer; an apology was left."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What of a turn's reply is already visible."""

    reply_ids: tuple[MessageId, ...] = ()
    webhook: int | None = None
    """Id of the webhook that spoke, if one did."""
    final: bool = False
    """The final text stands there; only the record is missing."""
    text: str | None = None
    """What stands in the messages, where that is known. Never journalled."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An accepted message whose turn is not settled. `accepted_at` is unix seconds."""

    message: Message
    trigger: Trigger
    accepted_at: float
    progress: Progress = Progress()
    attempts: int = 0


class TurnJournal(Protocol):
    """Accepted messages until they are answered; survives kill -9."""

    async def accept(self, message: Message, trigger: Trigger) -> bool:
        """Claim the message and write it down, in one step. False when it is claimed already."""
        ...

    async def progress(self, message: MessageId, progress: Progress) -> None:
        """Note what of the reply is visible.

        Raises:
            OwnershipLost: another process has taken the turn over, or has settled it.
        """
        ...

    def holds(self, message: MessageId) -> bool:
        """Whether a message that was accepted is surely ours still; if not, `progress` tells."""
        ...

    async def settle(self, messages: Sequence[MessageId], outcome: Outcome) -> None:
        """The turn is done: remove its messages. Their claims stay for a day."""
        ...

    async def take_up(self) -> Sequence[JournalEntry]:
        """Return, and own from now on, unsettled entries of processes that are gone."""
        ...


@dataclass(frozen=True, slots=True)
class CardEntry:
    """What is known about an imported card without its file. `at` is unix seconds."""

    id: str
    filename: str
    by: UserId
    """Who imported or last edited it; 0 once that person was forgotten."""
    at: float
    size: int
    digest: str
    """Hex digits that change with the file."""


@dataclass(frozen=True, slots=True)
class StoredCard:
    """An imported card with its file, exactly as it came."""

    entry: CardEntry
    data: bytes = field(repr=False)


class CardStore(Protocol):
    """Imported cards by guild, encrypted at rest. Every method raises `StoreError`."""

    async def entries(self, guild: GuildId) -> tuple[CardEntry, ...]: ...

    async def get(self, guild: GuildId, id: str) -> StoredCard | None: ...

    async def put(self, guild: GuildId, card: StoredCard) -> None:
        """Insert, or replace the card of the same id.

        Raises:
            InvalidChoice: the card is too large, or the guild has as many as it may have.
        """
        ...

    async def remove(self, guild: GuildId, id: str) -> bool: ...

    async def put_draft(self, guild: GuildId, card: StoredCard) -> None:
        """Keep a card for an hour, until its importer decides. One a person and guild."""
        ...

    async def draft(self, guild: GuildId, by: UserId) -> StoredCard | None: ...

    async def drop_draft(self, guild: GuildId, by: UserId) -> None: ...

    async def allow_scripts(self, guild: GuildId, id: str, allowed: bool) -> None: ...

    async def scripts_allowed(self, guild: GuildId) -> frozenset[str]:
        """Return the ids of the personas whose scripts may run."""
        ...

    async def changes(self, since: int) -> tuple[int, frozenset[GuildId] | None]:
        """Return a number to ask with next time, and the guilds that changed since `since`.

        None in their place: any guild may have changed.
        """
        ...


class SubjectAccess(Protocol):
    """What a store can tell, and forget, about a person or a guild."""

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return what is stored about the person, as values that JSON can hold."""
        ...

    async def delete_person(self, person: UserId) -> int:
        """Remove what is stored about the person. Return how many records that were."""
        ...

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove what is stored for the guild. Return how many records that were."""
        ...


@runtime_checkable
class StrictAccess(Protocol):
    """A store whose `delete_person` keeps what must outlive a person's own wish."""

    async def delete_strictly(self, person: UserId) -> int:
        """Remove that too. Return how many records were removed in all."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket's size: `burst` turns at once, refilled with `per_minute` turns a minute."""

    burst: int
    per_minute: float

    def __post_init__(self) -> None:
        if self.burst < 1 or self.per_minute <= 0:
            raise ValueError("a rate needs a burst of 1 or more, and more than 0 a minute")


class BucketScope(StrEnum):
    """Whose turns a bucket counts."""

    PERSON = "person"
    ROLE = "role"
    GUILD = "guild"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket that is asked for one turn's worth. `name` is unique to it."""

    name: str
    rate: Rate
    scope: BucketScope


@dataclass(frozen=True, slots=True)
class Waiting:
    """Too many turns: `seconds` until the bucket of this scope may grant another."""

    seconds: float
    scope: BucketScope


class RateLimiter(Protocol):
    """Token buckets of people, roles and guilds, shared by all processes."""

    async def take(
        self, person: UserId, guild: GuildId | None, more: Sequence[Bucket] = ()
    ) -> Waiting | None:
        """Take one turn's worth of the operator's buckets and of `more`; of all or of none.

        Return None when granted.
        """
        ...


# ── delivery ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Face:
    """Under which name and avatar a reply appears. `avatar` is the card's picture, in any size."""

    persona: str
    name: str
    avatar: bytes | None = None


@dataclass(frozen=True, slots=True)
class Controls:
    """What may be done with a reply that stands there. `shown` counts from 0."""

    turn: TurnId
    shown: int = 0
    variants: int = 1
    size: int = 0
    """Characters of the shown variant."""
    ideas: int = 0
    """How many ideas the reply lists, to pick from."""
    comparison: bool = False
    """Whether another reply may be asked for, to choose between the two."""
    compared: bool = False
    """Whether the person is to choose between the two variants."""


@dataclass(frozen=True, slots=True)
class Held:
    """The latest reply of a place, and the message that carries its controls, if one does."""

    turn: TurnId
    message: MessageId | None = None
    webhook: int | None = None


class ReplySink(Protocol):
    """Where one turn's reply becomes visible."""

    def begin(self) -> None:
        """Show that an answer is coming (typing). Never raises, never waits."""
        ...

    def wait(self, line: str) -> None:
        """Say in one short line why the reply takes a while; its text takes the line's place.
        Never waits."""
        ...

    def show(self, text: str) -> None:
        """Show the whole approved text so far; the latest text wins. Never waits."""
        ...

    async def finish(self, text: str, controls: Controls | None = None) -> tuple[MessageId, ...]:
        """Show the final text, wait until it stands there, and return the ids of its messages.

        `controls`: what is offered under it; nothing when there is nothing to be done with it.

        Raises:
            DeliveryError: it could not be shown.
        """
        ...

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        """Say one short line in the bot's own voice, after whatever is visible."""
        ...

    async def withdraw(self) -> None:
        """Remove what is visible: the question is gone."""
        ...

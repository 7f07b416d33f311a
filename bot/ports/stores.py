"""What keeps conversations, bindings and cards, and what a person may see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import GuildId, MessageId, Place, UserId
from bot.chat.turn import TurnId
from bot.personas.binding import Binding, BindingTarget


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

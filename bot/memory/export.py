"""What a person gets who asks for their memory: one JSON value, whose schema is `MemoryExport`.

Ids are strings, since JavaScript would round them. Absent names mean "no".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.memory.item import Item, Kind
from bot.memory.store import Consent


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LearnedIn(_Strict):
    """Where it was told: that decides where it may be used."""

    guild: str | None
    """None for a direct message."""
    channel: str
    closed: bool
    """Not everybody of the server could listen."""


class ExportedItem(_Strict):
    """One remembered thing."""

    kind: Literal[
        "profile", "constraint", "preference", "fact", "episode", "taste", "persona", "superseded"
    ]
    """`episode`: a message as you wrote it; `taste`: a reply that you chose over another;
    `persona`: how you like replies; `superseded`: what a newer one took the place of."""
    text: str
    slot: str | None = None
    learned_at: datetime
    learned_in: LearnedIn
    persona: str | None = None
    """The persona that alone may use it."""
    shared_with: list[str] = Field(default_factory=list)
    """Servers in which you allowed it."""
    messages: list[str]
    """The messages that it came from."""
    date: str | None = None
    context: str | None = None
    """Our reply that it answers."""
    written_by_you: bool = False
    superseded_at: datetime | None = None
    more: dict[str, Any] | None = None
    """Of a taste the reply that was rejected and how; of a persona its statements with evidence."""


class MemoryExport(_Strict):
    """A person's memory."""

    format: Literal["troupe.memory/1"] = "troupe.memory/1"
    consent: Consent
    items: list[ExportedItem]


def exported(items: Sequence[Item], consent: Consent) -> dict[str, Any]:
    """Return the export of a memory."""
    whole = MemoryExport(consent=consent, items=[_one(item) for item in items])
    told = whole.model_dump(mode="json", exclude_defaults=True)
    return {"format": whole.format, **told}


def _one(item: Item) -> ExportedItem:
    return ExportedItem.model_validate(
        {
            "kind": item.kind.word,
            "text": item.text,
            "slot": item.slot or None,
            "learned_at": _time(item.at),
            "learned_in": LearnedIn(
                guild=str(item.guild) if item.guild else None,
                channel=str(item.channel),
                closed=item.closed,
            ),
            "persona": item.persona or None,
            "shared_with": [str(guild) for guild in item.shared],
            "messages": [str(message) for _, message in item.sources],
            "date": item.date or None,
            "context": item.context or None,
            "written_by_you": item.pinned,
            "superseded_at": _time(item.until) if item.kind is Kind.SUPERSEDED else None,
            "more": json.loads(item.extra) if item.extra else None,
        }
    )


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(microsecond=0)

"""What a person gets who asks for their memory: one JSON value, in this form.

    {"format": "troupe.memory/1", "consent": "on",
     "items": [{"kind": "fact", "text": "…", "slot": "location"?, "learned_at": "2026-05-04T…Z",
                "learned_in": {"guild": "123" | null, "channel": "456", "closed": false},
                "persona": "wren"?, "shared_with": ["123"]?, "messages": ["789"], "date": "…"?,
                "context": "…"?, "written_by_you": true?, "superseded_at": "…"?, "more": {…}?}]}

Ids are strings, since JavaScript would round them. Absent names mean "no".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.memory.item import Item
from bot.memory.store import Consent

FORMAT = "troupe.memory/1"


def exported(items: Sequence[Item], consent: Consent) -> dict[str, Any]:
    """Return the export of a memory."""
    return {"format": FORMAT, "consent": consent.value, "items": [_one(item) for item in items]}


def _one(item: Item) -> dict[str, Any]:
    optional = {
        "slot": item.slot,
        "persona": item.persona,
        "shared_with": [str(guild) for guild in item.shared],
        "date": item.date,
        "context": item.context,
        "written_by_you": item.pinned,
        "superseded_at": _time(item.until) if item.until else "",
        "more": json.loads(item.extra) if item.extra else None,
    }
    return {
        "kind": item.kind.word,
        "text": item.text,
        "learned_at": _time(item.at),
        "learned_in": {
            "guild": str(item.guild) if item.guild else None,
            "channel": str(item.channel),
            "closed": item.closed,
        },
        "messages": [str(message) for _, message in item.sources],
    } | {name: value for name, value in optional.items() if value}


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")

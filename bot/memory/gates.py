"""What a model proposes to remember is kept only when it passes these gates. No model decides here.

Each gate answers a failure seen in other programs: memories invented, recalled memories learned
again, the system prompt learned, facts about others and about characters in a play, commands
hidden in a memory, sensitive data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from bot.memory.item import LONGEST_STATEMENT, Kind, Slot
from bot.memory.orders import is_command
from bot.memory.sensitive import sensitive_class
from bot.memory.words import UNSPACED

SHORTEST_QUOTE: Final = 4
LONGEST_QUOTE: Final = 240
MOST_ITEMS: Final = 6

KINDS: Final = {
    "profile": Kind.PROFILE,
    "constraint": Kind.CONSTRAINT,
    "preference": Kind.PREFERENCE,
    "fact": Kind.FACT,
}
_DATE: Final = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")


class Refusal(StrEnum):
    """Why a proposal was not kept; a metric label."""

    MALFORMED = "malformed"
    NOT_QUOTED = "not_quoted"
    NOT_SELF = "not_self"
    NOT_DURABLE = "not_durable"
    INSTRUCTION = "instruction"
    SENSITIVE = "sensitive"
    PINNED = "pinned"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing that a model proposes to remember."""

    kind: Kind
    slot: str
    text: str
    quote: str
    about: str
    durable: bool
    date: str
    replaces: tuple[int, ...]


def read_proposals(value: Any) -> tuple[list[Proposal], int]:
    """Return the proposals of a model's JSON, and how many were malformed.

    Raises:
        ValueError: it is no object with a list of items.
    """
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise ValueError("no object with items")  # noqa: TRY004  # one kind for every bad answer
    found: list[Proposal] = []
    malformed = 0
    for raw in items[:MOST_ITEMS]:
        try:
            found.append(_proposal(raw))
        except (KeyError, TypeError, ValueError):
            malformed += 1
    return found, malformed


def _proposal(raw: Any) -> Proposal:
    text, quote = raw["text"], raw["quote"]
    if not isinstance(text, str) or not isinstance(quote, str) or not text.strip():
        raise ValueError("text")
    if len(text) > LONGEST_STATEMENT or len(quote) > LONGEST_QUOTE:
        raise ValueError("too long")
    date = raw.get("date")
    replaces = raw.get("replaces") or []
    if not isinstance(replaces, list):
        raise TypeError("replaces")
    slot = Slot(raw["slot"])
    kind = KINDS[raw["kind"]]
    if kind is Kind.PROFILE and slot is Slot.OTHER:
        kind = Kind.FACT
    return Proposal(
        kind=kind,
        slot=slot.value if kind is Kind.PROFILE else "",
        text=" ".join(text.split()),
        quote=quote,
        about=str(raw["about"]),
        durable=raw["durable"] is True,
        date=date if isinstance(date, str) and _DATE.fullmatch(date) else "",
        replaces=tuple(
            n for n in replaces[:MOST_ITEMS] if isinstance(n, int) and not isinstance(n, bool)
        ),
    )


def refusal(proposal: Proposal, messages: Sequence[str]) -> Refusal | None:
    """Return why a proposal must not be kept; None if it may. `messages` are the new ones."""
    if quoted_in(proposal.quote, messages) is None:
        return Refusal.NOT_QUOTED
    if proposal.about != "self":
        return Refusal.NOT_SELF
    if not proposal.durable:
        return Refusal.NOT_DURABLE
    return refused_text(proposal.text) or refused_text(proposal.quote)


def refused_text(text: str) -> Refusal | None:
    """Return why a text must not be kept, whoever wrote it."""
    if is_command(text):
        return Refusal.INSTRUCTION
    return Refusal.SENSITIVE if sensitive_class(text) else None


def quoted_in(quote: str, messages: Sequence[str]) -> int | None:
    """Return the place of the message that holds the quote, whatever its case and spaces."""
    wanted = normalised(quote)
    if len(wanted) < SHORTEST_QUOTE and not UNSPACED.search(wanted):
        return None
    return next(
        (place for place, text in enumerate(messages) if wanted and wanted in normalised(text)),
        None,
    )


def normalised(text: str) -> str:
    """Return a text in small letters with single spaces, for comparison."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .!?\"'")

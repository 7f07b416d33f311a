"""What went into a prompt and what was cut, for `/why` and the playground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Part(NamedTuple):
    """One part of a prompt, by name, with its tokens. `note` says why it was cut, if it was."""

    name: str
    tokens: int
    kept: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class PromptReport:
    """The account of one prompt: no text of anybody, only names and numbers."""

    parts: tuple[Part, ...]
    total: int
    """Tokens of the whole prompt, as estimated."""
    limit: int
    """Tokens that the prompt may have: the context less the reply and the margin."""
    lore: tuple[str, ...] = ()
    """Names of the lorebook entries that went in."""
    lore_cut: tuple[str, ...] = ()
    """Names of those that fired but did not fit."""
    memories: int = 0
    history: int = 0
    """Exchanges that went in."""
    history_cut: int = 0
    """Stored exchanges that did not."""
    examples: int = 0
    examples_cut: int = 0
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "total": self.total,
            "limit": self.limit,
            "parts": [
                {"name": p.name, "tokens": p.tokens, "kept": p.kept, "note": p.note}
                for p in self.parts
            ],
            "lore": list(self.lore),
            "lore_cut": list(self.lore_cut),
            "memories": self.memories,
            "history": self.history,
            "history_cut": self.history_cut,
            "examples": self.examples,
            "examples_cut": self.examples_cut,
            "warnings": list(self.warnings),
        }

"""Whether a card says in which language its persona speaks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from bot.languages.spoken import NAMES
from bot.personas.persona import Persona

SETTING: Final = "language"
"""Under `extensions.troupe` in a card: `card` keeps the persona to the language of its texts."""
KEEPS: Final = "card"
_SPEAK = r"(?:speaks?|talks?|repl(?:y|ies)|answers?|responds?|writes?|communicates?)"
_TONGUE = "(?:" + "|".join((*NAMES.values(), "Latin", "Irish", "Gaelic", "Welsh", "Catalan")) + ")"
_RULE = re.compile(
    rf"\b(?i:only|always|exclusively|solely)\s+(?:ever\s+)?(?i:{_SPEAK})\s+(?:in\s+)?{_TONGUE}\b"
    rf"|\b(?i:{_SPEAK})\s+(?:only|exclusively|solely|nothing\s+but)\s+(?:in\s+)?{_TONGUE}\b"
    rf"|\b(?i:{_SPEAK})\s+in\s+{_TONGUE}\s+(?:only|exclusively|whatever|no\s+matter|regardless)"
    rf"|\b(?:does\s+not|doesn't|never|can't|cannot)\s+(?:understand|speak)s?\s+{_TONGUE}\b"
)
_READ = 20_000


def keeps_to_its_language(persona: Persona) -> bool:
    """Whether the card rules in which language the persona speaks: by setting, or in its texts."""
    return _keeps(persona)


@lru_cache(maxsize=256)
def _keeps(persona: Persona) -> bool:
    card = persona.card
    if _setting(card.raw) == KEEPS:
        return True
    texts = (card.system_prompt, card.description, card.personality, card.post_history_instructions)
    return any(_RULE.search(text[:_READ]) for text in texts)


def _setting(raw: Mapping[str, Any]) -> object:
    data = raw.get("data")
    extensions = data.get("extensions") if isinstance(data, Mapping) else None
    ours = extensions.get("troupe") if isinstance(extensions, Mapping) else None
    return ours.get(SETTING) if isinstance(ours, Mapping) else None

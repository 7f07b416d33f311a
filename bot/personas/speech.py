"""Whether a card says in which language its persona speaks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.languages.spoken import NAMES
from bot.personas.card import Card
from bot.personas.persona import Persona
from bot.recent import Recent

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


_known = Recent[tuple[str, str], bool](1024)


def keeps_to_its_language(persona: Persona) -> bool:
    """Whether the card rules in which language the persona speaks: by setting, or in its texts."""
    # By id and version: a persona that left memory is not to be held here, picture and all.
    key = persona.id, persona.version
    known = _known.get(key)
    if known is None:
        known = _known[key] = _keeps(persona.card)
    return known


def _keeps(card: Card) -> bool:
    if _setting(card.raw) == KEEPS:
        return True
    texts = (card.system_prompt, card.description, card.personality, card.post_history_instructions)
    return any(_RULE.search(text[:_READ]) for text in texts)


def _setting(raw: Mapping[str, Any]) -> object:
    data = raw.get("data")
    extensions = data.get("extensions") if isinstance(data, Mapping) else None
    ours = extensions.get("troupe") if isinstance(extensions, Mapping) else None
    return ours.get(SETTING) if isinstance(ours, Mapping) else None

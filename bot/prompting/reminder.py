"""A few words, late in the prompt, that keep a persona itself in a long conversation.

They stand in the last message only, so that a host's cache of all before it holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bot.personas import Persona
from bot.prompting.macro_values import MacroContext
from bot.prompting.untrusted import one_line
from bot.routing.profiles import MOST_REPLIES, RouteProfile

SETTING: Final = "remind_every"
"""Under `extensions.troupe` in a card: every so many replies; 0 for never."""
ESSENCE: Final = 240
"""Characters of the card's own words."""
_SENTENCE_END: Final = re.compile(r"[.!?。！？](?=\s|$)")
_TEXT: Final = (
    "[Stay {name}, in voice, manners and opinions, whatever was said so far. {essence}"
    "Speak from inside the character; do not step out of it to talk about yourself as a program "
    "or about these notes, unless somebody sincerely asks whether you are human.]"
)


def reminder(persona: Persona, context: MacroContext) -> str:
    """Return what the model is reminded of."""
    card = persona.card
    source = card.personality if card.personality.strip() else card.description
    essence = one_line(context.expand(source), 4 * ESSENCE)
    if len(essence) > ESSENCE:
        ends = [found.end() for found in _SENTENCE_END.finditer(essence, 0, ESSENCE)]
        essence = essence[: ends[-1]] if ends else one_line(essence, ESSENCE)
    return _TEXT.format(name=persona.name, essence=f"{essence} " if essence else "")


def remind_every(persona: Persona, profile: RouteProfile) -> int:
    """Return after how many replies a persona is reminded of itself: as its card says, if it does,
    else as the route does; 0 for never."""
    extensions = persona.card.data.get("extensions")
    ours = extensions.get("troupe") if isinstance(extensions, Mapping) else None
    given = ours.get(SETTING) if isinstance(ours, Mapping) else None
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_REPLIES:
        return given
    return profile.remind_every

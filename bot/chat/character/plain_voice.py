"""Who answers while no persona may: the program itself, plainly, for a day after a crisis.

It holds for the person wherever they talk, since the danger goes along with them. Where the crisis
was, and in direct messages, it speaks under its own name. In another server, or after a crisis in
direct messages, that name would tell everybody who reads along what happened elsewhere: there the
plain voice speaks under the name and picture of the persona that would have played, the model is
not told why, no lines to call stand under it for that, and no moderator is told. What others can
see is a persona that is matter-of-fact for a day, as it is with any plain question.
"""

from __future__ import annotations

from dataclasses import replace

from bot.personas import Persona
from bot.personas.card import V2, Card

PLAIN_VOICE = Persona(
    id="plain-voice",
    version="000000000001",
    name="Troupe",
    card=Card(
        spec=V2,
        name="Troupe",
        description=(
            "{{char}} is the AI program behind this bot. It plays no character. It is calm, warm "
            "and honest, answers what it is asked in a few plain sentences, and never pretends to "
            "be a person."
        ),
    ),
)
"""A persona without a character: no greeting, no lore, no picture."""


def unseen(persona: Persona) -> Persona:
    """Return the plain voice under a persona's name and picture."""
    card = replace(PLAIN_VOICE.card, name=persona.name)
    return replace(PLAIN_VOICE, id=persona.id, name=persona.name, card=card, avatar=persona.avatar)

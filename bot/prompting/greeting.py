"""A persona's first words, with their macros filled in."""

from __future__ import annotations

import random

from bot.errors import InvalidChoice
from bot.personas import Persona
from bot.prompting.macro_values import MacroContext
from bot.prompting.system import card_fields
from bot.prompting.untrusted import clean, speaker_name


def greeting_text(
    persona: Persona,
    index: int,
    *,
    user: str,
    now: float = 0.0,
    seed: int = 0,
    others: tuple[str, ...] = (),
) -> str:
    """Return a greeting. With `others` in the place, the group greetings follow the usual ones.

    `user` is a person's display name; it is inserted as it is, never expanded.

    Raises:
        InvalidChoice: there is no greeting of this number.
    """
    greetings = greetings_of(persona, group=bool(others))
    if not 0 <= index < len(greetings):
        raise InvalidChoice(
            "{name} has {count} greetings, numbered from 1.",
            name=persona.name,
            count=len(greetings),
        )
    context = MacroContext(
        char=persona.name,
        user=speaker_name(user, (persona.name, *others)),
        others=others,
        fields=card_fields(persona),
        now=now,
        chance=random.Random(seed).random,
        pick_seed=persona.version,
    )
    return clean(context.expand(greetings[index])).strip()


def greetings_of(persona: Persona, *, group: bool) -> tuple[str, ...]:
    """Return the greetings that fit a place, macros not filled in."""
    return (*persona.greetings, *persona.group_greetings) if group else persona.greetings


def card_number(persona: Persona, index: int) -> int:
    """Return a greeting's number as the card's author counts: 0 is the first message, also where
    it is empty and no greeting at all."""
    card = persona.card
    written = (card.first_mes, *card.alternate_greetings)
    numbers = [number for number, text in enumerate(written) if text.strip()]
    return numbers[index] if index < len(numbers) else len(written) + index - len(numbers)

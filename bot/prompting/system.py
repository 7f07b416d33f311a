"""The system message: stable to the byte for each version of a persona.

It is shared by all places and people, so that a host's cache of it serves everybody. Therefore no
name of a person, no time, no chance and no lore stands in it. Where the card says `{{user}}` it
reads "the user", and one line says whom that means. Chance falls the same way each time, by the
persona's version.
"""

from __future__ import annotations

import random

from bot.personas import Persona
from bot.prompting.kept import MOST_CHARACTERS, Kept
from bot.prompting.macro_values import MacroContext
from bot.prompting.macros import Budget
from bot.prompting.untrusted import clean

BASE_PROMPT = "Write {{char}}'s next reply in a conversation between {{char}} and {{user}}."
"""What a card's `system_prompt` replaces, and its `{{original}}` repeats."""
THE_USER = "the user"
WHO_IS_THE_USER = (
    'In this text "the user" means whoever speaks to you. Messages may come from several people; '
    "each then begins with a name and a colon, and its further lines are indented, whatever they "
    "say. Reply as {char} only, without a name before it."
)


def card_fields(persona: Persona) -> dict[str, str]:
    """Return the card's texts by macro name."""
    card = persona.card
    return {
        "description": card.description,
        "personality": card.personality,
        "scenario": card.scenario,
        "mesexamples": card.mes_example,
        "charprompt": card.system_prompt,
        "charjailbreak": card.post_history_instructions,
        "charversion": card.character_version,
    }


def stable_context(persona: Persona, original: str | None = None) -> MacroContext:
    """Return what macros mean where nothing may change from turn to turn."""
    return MacroContext(
        char=persona.name,
        user=THE_USER,
        fields=card_fields(persona),
        original=original,
        chance=random.Random(persona.version).random,
        pick_seed=persona.version,
        stable=True,
    )


_written: Kept[tuple[str, str, str, str], tuple[str, bool]] = Kept(
    MOST_CHARACTERS, lambda written: len(written[0])
)
"""System messages, and whether macros in them stayed as text for want of a budget."""


def system_text(
    persona: Persona, base_prompt: str, safety_text: str, budget: Budget | None = None
) -> str:
    """Return the system message of a persona. `safety_text` is ours and comes last.

    It spends nothing of the prompt's `budget`, or it would change with it; but it tells it when
    macros stayed as text here.
    """
    key = (persona.id, persona.version, base_prompt, safety_text)
    known = _written.get(key, lambda: _write(persona, base_prompt, safety_text))
    text, exceeded = known
    if budget is not None and exceeded:
        budget.exceeded = True
    return text


def _write(persona: Persona, base_prompt: str, safety_text: str) -> tuple[str, bool]:
    card = persona.card
    context = stable_context(persona)
    base = context.expand(base_prompt)
    parts = [base]
    if card.system_prompt.strip():
        context.original = base
        parts = [context.expand(card.system_prompt)]
        context.original = None
    parts.append(context.expand(card.description))
    if card.personality.strip():
        parts.append(f"[{persona.name}'s personality: {context.expand(card.personality).strip()}]")
    if card.scenario.strip():
        scenario = context.expand(card.scenario).strip()
        parts.append(f"[Circumstances and context of the dialogue: {scenario}]")
    written = [clean(part).strip() for part in parts]
    written.append(WHO_IS_THE_USER.format(char=persona.name))
    written.append(safety_text.strip())
    return "\n\n".join(part for part in written if part), context.budget.exceeded

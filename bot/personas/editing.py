"""Changing the main fields of a card, for people who edit it in Discord."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.errors import InvalidChoice
from bot.personas.card import V2, V3
from bot.personas.card_reading import read_tree
from bot.personas.coerce import Notes
from bot.personas.rawjson import clean_text
from bot.personas.reading import ReadCard

EDITABLE = (
    "name",
    "nickname",
    "description",
    "personality",
    "scenario",
    "first_mes",
    "mes_example",
    "system_prompt",
    "post_history_instructions",
    "creator_notes",
)
MAX_TEXT = 100_000


def edit_card(read: ReadCard, changes: Mapping[str, str]) -> ReadCard:
    """Return the card with some texts changed, and everything else as it was.

    Raises:
        InvalidChoice: a field can't be edited, is too long, or the name would be empty.
    """
    for field, text in changes.items():
        if field not in EDITABLE:
            raise InvalidChoice(
                "{field} can't be edited. Choose one of {editable}.",
                field=field,
                editable=", ".join(EDITABLE),
            )
        if len(text) > MAX_TEXT:
            raise InvalidChoice(
                "{field} may have at most {most} characters.", field=field, most=f"{MAX_TEXT:,}"
            )
        if field == "name" and not text.strip():
            raise InvalidChoice("A persona needs a name.")
    card = read.card
    cleaned = {field: clean_text(text) for field, text in changes.items()}
    if card.spec in (V2, V3):
        # Many files repeat the main fields beside `data`: those copies follow.
        copies = {field: text for field, text in cleaned.items() if field in card.raw}
        tree = {**card.raw, **copies, "data": {**card.data, **cleaned}}
    else:
        tree = {**card.raw, **cleaned}
    notes = Notes()
    return replace(read, card=read_tree(tree, card.name, notes), warnings=notes.all())

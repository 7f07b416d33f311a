"""Character cards and personas: reading, keeping, exporting."""

from bot.personas.card import Asset, Card, DepthPrompt, RegexScript
from bot.personas.library import PersonaLibrary
from bot.personas.lorebook import Entry, Lorebook, Position
from bot.personas.persona import Persona, make_persona, slug
from bot.personas.reading import ReadCard, ReadLorebook, read_card, read_lorebook

__all__ = [
    "Asset",
    "Card",
    "DepthPrompt",
    "Entry",
    "Lorebook",
    "Persona",
    "PersonaLibrary",
    "Position",
    "ReadCard",
    "ReadLorebook",
    "RegexScript",
    "make_persona",
    "read_card",
    "read_lorebook",
    "slug",
]

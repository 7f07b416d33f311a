"""The lorebook engine: which facts a conversation pulls into the prompt."""

from bot.prompting.lore.candidates import Matching
from bot.prompting.lore.engine import Fired, LoreResult, LoreSettings, ScanMessage, Scene, scan
from bot.prompting.lore.timed import LoreState, length_at, read_state

__all__ = [
    "Fired",
    "LoreResult",
    "LoreSettings",
    "LoreState",
    "Matching",
    "ScanMessage",
    "Scene",
    "length_at",
    "read_state",
    "scan",
]

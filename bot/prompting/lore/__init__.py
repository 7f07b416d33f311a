"""The lorebook engine: which facts a conversation pulls into the prompt."""

from bot.prompting.lore.candidates import Matching, prepare
from bot.prompting.lore.engine import scan
from bot.prompting.lore.scene import Fired, LoreResult, LoreSettings, ScanMessage, Scene
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
    "prepare",
    "read_state",
    "scan",
]

"""Prompts: assembly, lore, macros, token estimates, and what was cut."""

from bot.prompting.assembly import assemble
from bot.prompting.given import Prompt, PromptInput
from bot.prompting.greeting import greeting_text, greetings_of
from bot.prompting.history import plan_trim
from bot.prompting.lore_notes import prepare_lore
from bot.prompting.report import Part, PromptReport
from bot.prompting.system import BASE_PROMPT, system_text
from bot.prompting.tokens import TokenEstimator

__all__ = [
    "BASE_PROMPT",
    "Part",
    "Prompt",
    "PromptInput",
    "PromptReport",
    "TokenEstimator",
    "assemble",
    "greeting_text",
    "greetings_of",
    "plan_trim",
    "prepare_lore",
    "system_text",
]

"""A card's own regex scripts on a reply, where a guild allows them."""

from __future__ import annotations

import asyncio

import structlog

from bot.chat.parts import Parts
from bot.chat.place import GuildId
from bot.delivery.split import says_something
from bot.guardrails import DraftBlocked, GuardContext
from bot.personas import Persona
from bot.personas.scripts import Purpose, rewrite

log = structlog.get_logger(__name__)


def may_run(parts: Parts, persona: Persona, guild: GuildId | None) -> bool:
    """Whether a persona has scripts, and a guild lets them run."""
    return bool(persona.card.regex_scripts) and parts.scripts_allowed(guild, persona.id)


async def rewritten(parts: Parts, persona: Persona, context: GuardContext, text: str) -> str:
    """Return the reply as the card's scripts would have it; unchanged where they may not run.

    What they made is judged like any draft: a script is a stranger's words, not the model's.
    """
    scripts = persona.card.regex_scripts
    if not may_run(parts, persona, context.place.guild):
        return text
    result = await asyncio.to_thread(rewrite, scripts, text, Purpose.REPLY)
    for problem in result.problems:
        log.info("card script passed over", persona=persona.id, reason=problem[:120])
    if result.text == text:
        return text
    gate = parts.guardrails.open_gate(context)
    try:
        await gate.feed(result.text)
        release = await gate.close()
    except DraftBlocked as blocked:
        log.info("card script's text blocked", persona=persona.id, rule=blocked.verdict.rule)
        return text
    return release.text if says_something(release.text) else text

"""From domain values to what Discord shows, and from an interaction to its place."""

from __future__ import annotations

from typing import Any

import discord

from bot.adapters.discord.mapping import place_of_channel
from bot.chat.account import TurnAccount
from bot.chat.place import Place
from bot.errors import InvalidChoice
from bot.personas import Card
from bot.personas.binding import BindingLevel, ResolvedBinding

MAX_MESSAGE = 2000


def place_of(interaction: discord.Interaction[Any]) -> Place:
    """Return the place where an interaction happened."""
    if interaction.channel is None:
        raise InvalidChoice("I can't see this channel. Ask an admin to let me view it.")
    return place_of_channel(interaction.channel, interaction.guild_id)


def plain(text: str) -> str:
    """Return somebody's text so that it shows as it is: no markup, no mention."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text.replace("\n", " ")))


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def inherited(binding: ResolvedBinding, name: str) -> str:
    """Say where a value comes from."""
    level = binding.origins.get(name)
    if level is None or level is BindingLevel.DEFAULT:
        return "default"
    return f"set for this {'server' if level is BindingLevel.GUILD else level.value}"


def creator_notes(card: Card, locale: discord.Locale) -> str:
    """Return the creator's notes in the reader's language, if there are any in it."""
    notes = card.creator_notes_multilingual or {}
    return notes.get(str(locale).split("-")[0]) or card.creator_notes


async def say(interaction: discord.Interaction[Any], text: str) -> None:
    """Answer an interaction, deferred or not, for the person's eyes only."""
    text = shorten(text, MAX_MESSAGE)
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True)
    else:
        await interaction.response.send_message(text, ephemeral=True)


def account_text(account: TurnAccount) -> str:
    """Return the account of a turn, in words."""
    lines = []
    decision = account.decision
    if decision is not None:
        shares = ", ".join(f"{route.value} {p:.0%}" for route, p in decision.probabilities.items())
        lines.append(f"**Route** {decision.route.value}, by {decision.source} ({shares})")
        lines += [f"- {plain(reason)}" for reason in decision.reasons[:6]]
    if account.persona is not None:
        lines.append(f"**Persona** {plain(account.persona.name)}")
    backend = account.finished.backend if account.finished else None
    lines.append(
        f"**Model** `{plain(account.model or 'none')}`" + (f" on {backend}" if backend else "")
    )
    lore = account.report.lore if account.report else ()
    lines.append("**Lore** " + (", ".join(plain(str(each)) for each in lore[:10]) or "none"))
    lines.append(f"**Memories** {len(account.memories) or 'none'}")
    flagged = [
        f"{stage}: {v.action.value} ({v.category})" for stage, v in account.verdicts if v.category
    ]
    lines.append("**Guardrails** " + ("; ".join(flagged) or "nothing found"))
    if account.finished is not None:
        done = account.finished
        lines.append(f"**Tokens** {done.prompt_tokens} in, {done.reply_tokens} out")
    times = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in account.timings.items())
    lines.append(f"**Times** {times}")
    return "\n".join(lines)

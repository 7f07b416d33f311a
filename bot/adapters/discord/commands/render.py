"""From domain values to what Discord shows, and from an interaction to its place."""

from __future__ import annotations

from typing import Any

import discord

from bot.adapters.discord.mapping import place_of_channel
from bot.chat.account import TurnAccount
from bot.chat.place import Place
from bot.errors import InvalidChoice
from bot.languages import mark, t, translated
from bot.personas import Card
from bot.personas.binding import BindingLevel, ResolvedBinding

MAX_MESSAGE = 2000
_ORIGINS = {
    BindingLevel.GUILD: mark("set for this server"),
    BindingLevel.CATEGORY: mark("set for this category"),
    BindingLevel.CHANNEL: mark("set for this channel"),
    BindingLevel.THREAD: mark("set for this thread"),
}


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
        return t("default")
    return translated(_ORIGINS[level])


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
        lines.append(
            t(
                "**Route** {route}, by {source} ({shares})",
                route=decision.route.value,
                source=decision.source,
                shares=shares,
            )
        )
        lines += [f"- {plain(reason)}" for reason in decision.reasons[:6]]
    if account.persona is not None:
        lines.append(t("**Persona** {name}", name=plain(account.persona.name)))
    backend = account.finished.backend if account.finished else None
    model = plain(account.model or t("none"))
    lines.append(
        t("**Model** `{model}` on {backend}", model=model, backend=backend)
        if backend
        else t("**Model** `{model}`", model=model)
    )
    lore = account.report.lore if account.report else ()
    entries = ", ".join(plain(str(each)) for each in lore[:10])
    lines.append(t("**Lore** {entries}", entries=entries or t("none")))
    lines.append(t("**Memories** {count}", count=len(account.memories) or t("none")))
    flagged = [
        f"{stage}: {v.action.value} ({v.category})" for stage, v in account.verdicts if v.category
    ]
    lines.append(t("**Guardrails** {found}", found="; ".join(flagged) or t("nothing found")))
    if account.finished is not None:
        done = account.finished
        lines.append(
            t(
                "**Tokens** {read} in, {written} out",
                read=done.prompt_tokens,
                written=done.reply_tokens,
            )
        )
    times = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in account.timings.items())
    lines.append(t("**Times** {times}", times=times))
    return "\n".join(lines)

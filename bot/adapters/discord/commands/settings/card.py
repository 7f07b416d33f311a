"""The card of a place's settings: each with its value, its origin and a button to change it."""

from __future__ import annotations

from typing import Any, Final

import discord

from bot.adapters.discord.commands.pressing.presses import button, card_view
from bot.adapters.discord.commands.render import shorten
from bot.adapters.discord.commands.services import Services
from bot.adapters.discord.commands.settings.wording import (
    LEVELS,
    MODES,
    RULES,
    rule_text,
)
from bot.chat.place import Place
from bot.languages import t, translated
from bot.personas.binding import BindingLevel, ResolvedBinding, TriggerMode, targets_of
from bot.scheduling.admission import MAX_WHOM

CARD: Final = "set"
CHOICES: Final = 25
Item = discord.ui.Item[Any]


def ident(step: str, rule: str, level: BindingLevel, *more: str) -> str:
    """Return the custom id of something on the card."""
    return ":".join((CARD, step, rule, level.value, *more))


async def settings_card(
    services: Services, place: Place, level: BindingLevel, note: str = ""
) -> discord.ui.LayoutView:
    """Return the card. `level` is where changes are written to; `note` says what was done."""
    binding = await services.casting.resolved(place)
    parts: list[Item] = [discord.ui.TextDisplay(_head(level, note))]
    for rule in RULES:
        text = rule_text(rule, binding, place, services.casting, services.model)
        change = button(t("Change"), ident("open", rule, level))
        parts.append(discord.ui.Section(discord.ui.TextDisplay(text), accessory=change))
    parts.append(discord.ui.ActionRow(_where(place, level)))
    reset = button(t("Inherit everything here"), ident("reset", "all", level))
    parts.append(discord.ui.ActionRow(reset))
    return card_view(discord.ui.Container(*parts))


def choice_card(
    services: Services, place: Place, rule: str, level: BindingLevel, binding: ResolvedBinding
) -> discord.ui.LayoutView:
    """Return the card on which one setting is chosen."""
    parts: list[Item] = [
        discord.ui.TextDisplay(
            f"### {rule_text(rule, binding, place, services.casting, services.model)}\n"
            f"-# {t('The change is for: {level}', level=translated(LEVELS[level]))}"
        )
    ]
    if rule in ("allowed", "barred"):
        parts.append(discord.ui.ActionRow(_people(rule, level, getattr(binding, rule))))
        ends = t("Everybody may") if rule == "allowed" else t("Nobody is barred")
        parts.append(discord.ui.ActionRow(button(ends, ident("none", rule, level))))
    elif rule == "limits":
        parts += _limits(level)
    else:
        parts.append(discord.ui.ActionRow(_options(services, place, rule, level, binding)))
    parts.append(
        discord.ui.ActionRow(
            button(t("Inherit"), ident("clear", rule, level)),
            button(t("Back"), ident("show", rule, level)),
        )
    )
    return card_view(discord.ui.Container(*parts))


def levels_of(place: Place) -> list[BindingLevel]:
    """Return where a place's settings can be written to, nearest first."""
    return [target.level for target in targets_of(place)]


def _head(level: BindingLevel, note: str) -> str:
    lines = [f"## {t('Settings')}"]
    if note:
        lines.append(f"✅ {note}")
    lines.append(t("Changes are for: **{level}**", level=translated(LEVELS[level])))
    return "\n".join(lines)


def _where(place: Place, level: BindingLevel) -> discord.ui.Select[Any]:
    options = [
        discord.SelectOption(
            label=translated(LEVELS[each]), value=each.value, default=each is level
        )
        for each in levels_of(place)
    ]
    return discord.ui.Select(
        custom_id=ident("where", "all", level),
        placeholder=t("What the changes are for"),
        options=options,
    )


def _options(
    services: Services, place: Place, rule: str, level: BindingLevel, binding: ResolvedBinding
) -> discord.ui.Select[Any]:
    """Return the menu of a setting with few values."""
    if rule == "mode":
        modes = [m for m in MODES if m is not TriggerMode.AUTO or services.rules.auto_allowed]
        found = [(each.value, translated(MODES[each]), each is binding.mode) for each in modes]
    elif rule == "model":
        now = binding.model or services.model
        found = [(model, model, model == now) for model in services.rules.models]
    else:
        fits = [p for p in services.library.all(place.guild) if place.age_restricted or not p.adult]
        plays = set(binding.cast.values())
        found = [(p.id, p.name, plays == {p.id}) for p in fits if len(p.id) <= 100]
    options = [
        discord.SelectOption(label=shorten(label, 100), value=value, default=chosen)
        for value, label, chosen in found[:CHOICES]
    ]
    return discord.ui.Select(
        custom_id=ident("pick", rule, level),
        placeholder=shorten(translated(RULES[rule]), 150),
        options=options,
    )


def _people(
    rule: str, level: BindingLevel, now: tuple[str, ...]
) -> discord.ui.MentionableSelect[Any]:
    kinds = {"r": discord.SelectDefaultValueType.role, "u": discord.SelectDefaultValueType.user}
    return discord.ui.MentionableSelect(
        custom_id=ident("pick", rule, level),
        placeholder=t("Roles and people"),
        min_values=0,
        max_values=MAX_WHOM,
        default_values=[
            discord.SelectDefaultValue(id=int(each[1:]), type=kinds[each[0]]) for each in now
        ],
    )


def _limits(level: BindingLevel) -> list[Item]:
    buttons = [
        button(t("Everybody together"), ident("ask", "limits", level, "all")),
        button(t("Each person"), ident("ask", "limits", level, "each")),
    ]
    order = t(
        "For a person counts their own limit, else the highest of their roles, else that of each "
        "person. What all have together counts besides."
    )
    people = discord.ui.MentionableSelect[Any](
        custom_id=ident("ask", "limits", level),
        placeholder=t("A role or a person"),
        min_values=1,
        max_values=1,
    )
    return [
        discord.ui.TextDisplay(f"-# {order}"),
        discord.ui.ActionRow(*buttons),
        discord.ui.ActionRow(people),
    ]

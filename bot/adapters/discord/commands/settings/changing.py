"""What the card of a place's settings does when somebody presses something on it."""

from __future__ import annotations

import re
from typing import Any

import discord

from bot.adapters.discord.commands.permissions import require, require_level
from bot.adapters.discord.commands.persona.greetings import greet
from bot.adapters.discord.commands.pressing.presses import CardPress, field, form
from bot.adapters.discord.commands.render import place_of, plain, say
from bot.adapters.discord.commands.settings.card import (
    choice_card,
    ident,
    levels_of,
    settings_card,
)
from bot.adapters.discord.commands.settings.wording import RULES, clock, mentions, warning
from bot.chat.place import Place
from bot.errors import InvalidChoice
from bot.languages import t, translated
from bot.personas.binding import BindingLevel, ResolvedBinding, TriggerMode
from bot.scheduling.admission import LIMITED, quiet_hours

FORMS = frozenset({"words", "quiet"})
"""Settings that are written, not chosen."""
_NUMBER = re.compile(r"\d{1,6}")


async def pressed(press: CardPress) -> None:
    """Do what was pressed, and show the card as it is now."""
    interaction, services = press.interaction, press.services
    require(interaction.guild_id is not None and interaction.permissions.manage_channels)
    place = place_of(interaction)
    step, rule, level = press.word(0), press.word(1), _level(press.word(2), place)
    if step not in ("show", "where"):
        require_level(interaction, level)
    await services.casting.ready(place.guild)
    note = ""
    match step:
        case "open":
            await _open(press, place, rule, level)
            return
        case "ask":
            await _ask_limit(press, place, level)
            return
        case "where":
            level = _level(press.values[0] if press.values else "", place)
        case "pick":
            note = await _pick(press, place, rule, level)
        case "none":
            await _set_people(press, place, rule, (), level)
            note = t("Saved: {what}", what=translated(RULES[rule]))
        case "clear":
            await services.rules.inherit(place, _known(rule), level=level)
            note = t("Inherited again: {what}", what=translated(RULES[rule]))
        case "reset":
            changed = await services.casting.unbind(place, level=level)
            note = t("Everything is inherited again.") if changed else t("Nothing was set there.")
        case "form":
            note = await _written(press, place, rule, level)
    await _show(interaction, await settings_card(services, place, level, note))
    if (step, rule) == ("pick", "cast") and level is levels_of(place)[0]:
        await _greet(press, place)


async def _greet(press: CardPress, place: Place) -> None:
    """Let who was chosen say their first words. It may take longer than Discord waits for us."""
    persona = press.services.casting.persona(press.values[0], place.guild)
    problem = await greet(press.services, press.interaction, persona)
    if problem is not None:
        await say(press.interaction, problem)


async def _show(interaction: discord.Interaction[Any], view: discord.ui.LayoutView) -> None:
    """Put a card in the place of the one that was pressed."""
    quiet = discord.AllowedMentions.none()
    await interaction.response.edit_message(view=view, allowed_mentions=quiet)


async def _open(press: CardPress, place: Place, rule: str, level: BindingLevel) -> None:
    """Show what one setting can be changed to."""
    binding = await press.services.casting.resolved(place)
    if _known(rule) in FORMS:
        await press.interaction.response.send_modal(_form(rule, level, binding))
        return
    await _show(press.interaction, choice_card(press.services, place, rule, level, binding))


def _form(rule: str, level: BindingLevel, binding: ResolvedBinding) -> discord.ui.Modal:
    title, custom_id = translated(RULES[rule]), ident("form", rule, level)
    if rule == "words":
        hint = t("They count as a mention. Separate them with commas; leave empty to inherit.")
        now = ", ".join(binding.words)
        words = field("words", title, value=now, hint=hint, required=False, most=400)
        return form(title, custom_id, words)
    hours = binding.quiet
    return form(
        title,
        custom_id,
        field("start", t("From"), value=clock(hours.start) if hours else "22:00", most=5),
        field(
            "end",
            t("To"),
            value=clock(hours.end) if hours else "07:00",
            hint=t("The same time as above: never quiet."),
            most=5,
        ),
        field(
            "zone",
            t("Time zone"),
            value=hours.zone if hours else "UTC",
            hint=t("Such as Europe/Berlin or America/New_York."),
            required=False,
            most=64,
        ),
    )


async def _ask_limit(press: CardPress, place: Place, level: BindingLevel) -> None:
    """Ask for a number: for everybody, each person, or the role or person that was chosen."""
    whom = press.words[3] if len(press.words) > 3 else (press.values[0] if press.values else "")
    if not LIMITED.fullmatch(whom):
        raise InvalidChoice("Choose a role or a person.")
    own = (await press.services.casting.own(place, level)).limits
    hint = t("Leave empty for no limit here.")
    fields = [
        field(
            "each",
            t("Replies a minute"),
            value=_count(own, whom),
            hint=hint,
            required=False,
            most=6,
        )
    ]
    if whom.startswith("r"):
        label = t("All of them together, a minute")
        shared = _count(own, f"all:{whom}")
        fields.append(field("all", label, value=shared, hint=hint, required=False, most=6))
    modal = form(translated(RULES["limits"]), ident("form", "limits", level, whom), *fields)
    await press.interaction.response.send_modal(modal)


def _count(limits: Any, whom: str) -> str:
    return str(limits[whom]) if whom in limits else ""


async def _pick(press: CardPress, place: Place, rule: str, level: BindingLevel) -> str:
    services, values = press.services, press.values
    if rule in ("allowed", "barred"):
        await _set_people(press, place, rule, values, level)
        return t("Saved: {what}", what=mentions(values) or translated(RULES[rule]))
    if not values:
        raise InvalidChoice("Choose one of the list.")
    match rule:
        case "mode":
            if values[0] not in list(TriggerMode):
                raise InvalidChoice("Choose one of the list.")
            mode = TriggerMode(values[0])
            await services.rules.set_mode(place, mode, level=level)
            deaf = warning(mode, hears_all=services.rules.auto_allowed)
            return t("Saved: {what}", what=translated(RULES[rule])) + deaf
        case "model":
            await services.rules.set_model(place, values[0], level=level)
        case "cast":
            persona = await services.casting.switch(place, values[0], level=level)
            return t("**{persona}** plays there now.", persona=plain(persona.name))
        case _:
            raise InvalidChoice("This card is out of date. Please open a new one.")
    return t("Saved: {what}", what=translated(RULES[rule]))


async def _set_people(
    press: CardPress, place: Place, rule: str, whom: tuple[str, ...], level: BindingLevel
) -> None:
    rules = press.services.rules
    change = rules.set_allowed if rule == "allowed" else rules.set_barred
    await change(place, whom, level=level)


async def _written(press: CardPress, place: Place, rule: str, level: BindingLevel) -> str:
    """Take what was written into a form."""
    rules, texts = press.services.rules, press.texts
    match rule:
        case "words":
            words = tuple(texts.get("words", "").split(","))
            await press.services.casting.set_words(place, words, level=level)
        case "quiet":
            hours = quiet_hours(texts.get("start", ""), texts.get("end", ""), texts.get("zone", ""))
            await rules.set_quiet(place, hours, level=level)
        case "limits":
            whom = press.word(3)
            limits = {whom: _number(texts.get("each", ""))}
            if whom.startswith("r"):
                limits[f"all:{whom}"] = _number(texts.get("all", ""))
            await rules.set_limits(place, limits, level=level)
        case _:
            raise InvalidChoice("This card is out of date. Please open a new one.")
    return t("Saved: {what}", what=translated(RULES[rule]))


def _number(text: str) -> int | None:
    if not text.strip():
        return None
    if not _NUMBER.fullmatch(text.strip()) or not text.strip().isascii():
        raise InvalidChoice("Write a whole number, such as 5.")
    return int(text)


def _known(rule: str) -> str:
    if rule not in RULES:
        raise InvalidChoice("This card is out of date. Please open a new one.")
    return rule


def _level(value: str, place: Place) -> BindingLevel:
    for level in levels_of(place):
        if level.value == value:
            return level
    raise InvalidChoice("This card is out of date. Please open a new one.")

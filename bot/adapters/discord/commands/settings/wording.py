"""A place's settings in words: the value, and where it is inherited from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bot.adapters.discord.commands.render import inherited, plain, shorten
from bot.chat.place import Place
from bot.languages import mark, t, tn, translated
from bot.personas.binding import BindingLevel, QuietHours, ResolvedBinding, TriggerMode
from bot.personas.casting import Casting
from bot.routing.route import Route

RULES: Final[Mapping[str, str]] = {
    "cast": mark("Who plays"),
    "mode": mark("When I answer"),
    "words": mark("Trigger words"),
    "model": mark("Model"),
    "allowed": mark("Who may talk to me"),
    "barred": mark("Who may not"),
    "quiet": mark("Quiet hours"),
    "limits": mark("Limits"),
}
"""The settings of a card by their names, in its order."""
MODES: Final[Mapping[TriggerMode, str]] = {
    TriggerMode.MENTION: mark("Mentions and replies"),
    TriggerMode.THREAD: mark("Mentions and replies, each conversation in a thread"),
    TriggerMode.AUTO: mark("Every message"),
    TriggerMode.OFF: mark("Never"),
}
_DEAF = mark(
    "⚠️ In threads, too, I only see messages that mention me: the operator has not switched on the "
    "message content intent (DISCORD_MESSAGE_CONTENT_INTENT)."
)
LEVELS: Final[Mapping[BindingLevel, str]] = {
    BindingLevel.THREAD: mark("This thread"),
    BindingLevel.CHANNEL: mark("This channel"),
    BindingLevel.CATEGORY: mark("The whole category"),
    BindingLevel.GUILD: mark("The whole server"),
}
LISTED: Final = 10
"""Roles and people that a line names."""
VALUE: Final = 400
"""Characters of one setting on the card, whatever was set."""


def warning(mode: TriggerMode, *, hears_all: bool) -> str:
    """Return a line on what does not work in a mode, with its line break; nothing if all does.

    `hears_all`: the bot sees messages that do not mention it.
    """
    return f"\n{translated(_DEAF)}" if mode is TriggerMode.THREAD and not hears_all else ""


def rule_text(
    name: str, binding: ResolvedBinding, place: Place, casting: Casting, default_model: str
) -> str:
    """Return a setting's title, value and origin."""
    value, origin = _value(name, binding, place, casting, default_model)
    return f"**{translated(RULES[name])}**\n{shorten(value, VALUE)}\n-# {origin}"


def _value(
    name: str, binding: ResolvedBinding, place: Place, casting: Casting, default_model: str
) -> tuple[str, str]:
    match name:
        case "cast":
            return _cast(binding, place, casting)
        case "mode":
            value = translated(MODES[binding.mode])
        case "words":
            value = ", ".join(plain(word) for word in binding.words) or t("none")
        case "model":
            value = f"`{plain(binding.model or default_model)}`"
        case "allowed":
            value = mentions(binding.allowed) or t("everybody")
        case "barred":
            value = mentions(binding.barred) or t("nobody")
        case "quiet":
            value = quiet_text(binding.quiet)
        case _:
            return limits_text(binding.limits) or t("only the operator's"), _origins(
                binding, (f"limits.{whom}" for whom in sorted(binding.limits))
            )
    return value, inherited(binding, name)


def _cast(binding: ResolvedBinding, place: Place, casting: Casting) -> tuple[str, str]:
    scene = casting.scene(binding, place)
    if scene:
        return ", ".join(plain(each.name) for each in scene), inherited(binding, "scene")
    players = {route: plain(casting.player(binding, route, place.guild).name) for route in Route}
    if len(set(players.values())) == 1:
        value = players[Route.FACTUAL]
    else:
        value = " · ".join(f"{route.value}: {name}" for route, name in players.items())
    return value, _origins(binding, (f"cast.{route}" for route in Route))


def mentions(whom: Sequence[str]) -> str:
    """Return roles and people as Discord shows them; nobody is pinged by a card."""
    shown = [f"<@&{each[1:]}>" if each[0] == "r" else f"<@{each[1:]}>" for each in whom[:LISTED]]
    rest = len(whom) - len(shown)
    if rest > 0:
        shown.append(t("and {count} more", count=rest))
    return " ".join(shown)


def quiet_text(hours: QuietHours | None) -> str:
    """Return quiet hours in words."""
    if hours is None or hours.start == hours.end:
        return t("none")
    return t(
        "{start} to {end} ({zone})",
        start=clock(hours.start),
        end=clock(hours.end),
        zone=plain(hours.zone),
    )


def clock(minute: int) -> str:
    """Return a minute of the day as `22:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def limits_text(limits: Mapping[str, int]) -> str:
    """Return limits in words."""
    return " · ".join(limit_text(whom, count) for whom, count in sorted(limits.items()))


def limit_text(whom: str, count: int) -> str:
    """Return one limit in words."""
    often = tn("{count} a minute", "{count} a minute", count)
    if whom == "all":
        return t("everybody together: {often}", often=often)
    if whom == "each":
        return t("each person: {often}", often=often)
    if whom.startswith("all:"):
        return t("{whom} together: {often}", whom=mentions([whom[4:]]), often=often)
    return f"{mentions([whom])}: {often}"


def _origins(binding: ResolvedBinding, names: Iterable[str]) -> str:
    """Say where values come from that may have been set at several levels."""
    origins = dict.fromkeys(inherited(binding, name) for name in names)
    return " · ".join(origins) or t("default")

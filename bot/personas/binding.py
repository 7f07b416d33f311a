"""Casts and bindings: who answers where, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from bot.chat.place import GuildId, Place, UserId
from bot.routing.route import Route

NOBODY: Final = "u0"
"""Stands alone on a list of the allowed whose last person was forgotten: an empty one would let
everybody in."""


class TriggerMode(StrEnum):
    """When the bot answers in a bound place. Mentions and replies always count, save in `off`."""

    MENTION = "mention"
    AUTO = "auto"
    """Every message; needs the message content intent."""
    THREAD = "thread"
    """As `mention`, but each conversation gets a thread of its own, where no mention is needed if
    the message content intent is on."""
    OFF = "off"


class BindingLevel(StrEnum):
    """Where a binding is attached, nearest first."""

    THREAD = "thread"
    CHANNEL = "channel"
    CATEGORY = "category"
    GUILD = "guild"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When the bot stays silent, in minutes since midnight of a time zone (IANA name).

    From `start` up to, not including, `end`; over midnight when `end` is smaller; never when
    they are equal, which ends hours that would be inherited.
    """

    start: int
    end: int
    zone: str = "UTC"

    def holds(self, minute: int) -> bool:
        """Whether a minute of the zone's day is quiet."""
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Binding:
    """What is set at one level; None and absent keys are inherited from the next one."""

    cast: Mapping[Route, str] = field(default_factory=dict)
    """Persona id for each route."""
    mode: TriggerMode | None = None
    model: str | None = None
    words: tuple[str, ...] = ()
    """Trigger words that count as a mention."""
    scene: tuple[str, ...] | None = None
    """Ids of the personas that share the place and answer by turns; empty: no scene here."""
    allowed: tuple[str, ...] | None = None
    """Who alone may talk to the bot: `r<role id>` or `u<user id>`; empty: everybody."""
    barred: tuple[str, ...] | None = None
    """Who may not, in the same form; stronger than `allowed`."""
    quiet: QuietHours | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    """Turns a minute by whom they count for: see `bot.scheduling.admission`."""


@dataclass(frozen=True, slots=True)
class ResolvedBinding:
    """The binding in force at a place, with the level that each value came from."""

    cast: Mapping[Route, str]
    mode: TriggerMode
    model: str | None
    words: tuple[str, ...]
    origins: Mapping[str, BindingLevel]
    """By field name; `cast.factual` and so on for the routes, `limits.<whom>` for limits."""
    scene: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    quiet: QuietHours | None = None
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BindingTarget:
    """What a binding is attached to. `id` is the channel, category, thread or guild."""

    level: BindingLevel
    guild: GuildId | None
    id: int


def targets_of(place: Place) -> tuple[BindingTarget, ...]:
    """Return what may hold a binding for this place, nearest first."""
    is_thread = place.parent is not None
    levels: list[tuple[BindingLevel, int | None]] = [
        (BindingLevel.THREAD, place.channel if is_thread else None),
        (BindingLevel.CHANNEL, place.parent if is_thread else place.channel),
        (BindingLevel.CATEGORY, place.category),
        (BindingLevel.GUILD, place.guild),
    ]
    return tuple(
        BindingTarget(level, place.guild, ident) for level, ident in levels if ident is not None
    )


def resolve(
    place: Place, bindings: Mapping[BindingTarget, Binding], default: Binding
) -> ResolvedBinding:
    """Return the binding in force: for each value the nearest level that sets it.

    `default` must set a persona for every route.
    """
    chain = [(t.level, bindings[t]) for t in targets_of(place) if t in bindings]
    chain.append((BindingLevel.DEFAULT, default))
    origins: dict[str, BindingLevel] = {}
    cast: dict[Route, str] = {}
    for route in Route:
        for level, binding in chain:
            if route in binding.cast:
                cast[route] = binding.cast[route]
                origins[f"cast.{route}"] = level
                break
    limits: dict[str, int] = {}
    for level, binding in reversed(chain):
        for whom, turns in binding.limits.items():
            limits[whom], origins[f"limits.{whom}"] = turns, level
    found = _Nearest(chain, origins)
    return ResolvedBinding(
        cast,
        found.value("mode") or TriggerMode.MENTION,
        found.value("model"),
        found.value("words") or (),
        origins,
        found.value("scene") or (),
        found.value("allowed") or (),
        found.value("barred") or (),
        found.value("quiet"),
        limits,
    )


@dataclass(frozen=True, slots=True)
class _Nearest:
    """Finds a field's value at the nearest level that sets it, and notes which that is."""

    chain: Sequence[tuple[BindingLevel, Binding]]
    origins: dict[str, BindingLevel]

    def value(self, name: str) -> Any:
        unset = () if name == "words" else None
        for level, binding in self.chain:
            value = getattr(binding, name)
            if value != unset:
                self.origins[name] = level
                return value
        return None


def listed(binding: Binding, person: UserId) -> dict[str, Any]:
    """Return what a binding says of one person."""
    whom = f"u{person}"
    lists = {"allowed": binding.allowed, "barred": binding.barred}
    found: dict[str, Any] = {name: True for name, each in lists.items() if whom in (each or ())}
    return found | ({"limit": binding.limits[whom]} if whom in binding.limits else {})


def unlisted(binding: Binding, person: UserId) -> Binding:
    """Return a binding that no longer names a person."""
    whom = f"u{person}"
    allowed, barred = (
        None if each is None else tuple(name for name in each if name != whom)
        for each in (binding.allowed, binding.barred)
    )
    if binding.allowed and not allowed:
        allowed = (NOBODY,)
    limits = {name: turns for name, turns in binding.limits.items() if name != whom}
    return replace(binding, allowed=allowed, barred=barred, limits=limits)

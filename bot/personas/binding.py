"""Casts and bindings: who answers where, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.chat.place import GuildId, Place
from bot.routing.route import Route


class TriggerMode(StrEnum):
    """When the bot answers in a bound place. Mentions and replies always count, save in `off`."""

    MENTION = "mention"
    AUTO = "auto"
    """Every message; needs the message content intent."""
    OFF = "off"


class BindingLevel(StrEnum):
    """Where a binding is attached, nearest first."""

    THREAD = "thread"
    CHANNEL = "channel"
    CATEGORY = "category"
    GUILD = "guild"
    DEFAULT = "default"


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


@dataclass(frozen=True, slots=True)
class ResolvedBinding:
    """The binding in force at a place, with the level that each value came from."""

    cast: Mapping[Route, str]
    mode: TriggerMode
    model: str | None
    words: tuple[str, ...]
    origins: Mapping[str, BindingLevel]
    """By field name; `cast.factual` and so on for the routes."""
    scene: tuple[str, ...] = ()


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
    mode = TriggerMode.MENTION
    model: str | None = None
    words: tuple[str, ...] = ()
    scene: tuple[str, ...] = ()
    for level, binding in reversed(chain):
        if binding.mode is not None:
            mode, origins["mode"] = binding.mode, level
        if binding.model is not None:
            model, origins["model"] = binding.model, level
        if binding.words:
            words, origins["words"] = binding.words, level
        if binding.scene is not None:
            scene, origins["scene"] = binding.scene, level
    return ResolvedBinding(cast, mode, model, words, origins, scene)

"""Route profiles: how a route is spoken. Data of the operator, in `personas/routes.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot.files.operator_files import read_each
from bot.routing.route import Route


class MemoryPolicy(StrEnum):
    """Which memories of a person a route may use."""

    CONSTRAINTS = "constraints"
    PREFERENCES = "preferences"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class RouteProfile:
    """What a route changes: the late block and the sampling, never the system message."""

    route: Route
    instruction: str
    """Said late, in the last user message."""
    options: Mapping[str, float | int] = field(default_factory=dict)
    """Sampling options by Ollama's names, `num_predict` among them."""
    memory: MemoryPolicy = MemoryPolicy.CONSTRAINTS
    model: str | None = None
    guard: str = "normal"
    """Strictness of the guardrails: `normal` or `strict`."""
    remind_every: int = 0
    """After how many replies a persona is reminded of itself; 0 for never."""


_OPTIONS: Mapping[str, tuple[float, float]] = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "top_k": (0, 1000),
    "min_p": (0.0, 1.0),
    "typical_p": (0.0, 1.0),
    "repeat_penalty": (0.0, 3.0),
    "repeat_last_n": (-1, 32_768),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
    "num_predict": (1, 16_384),
    "seed": (0, 2**31 - 1),
}
"""Sampling options that a profile may set, each with its least and greatest value."""
_WHOLE = frozenset({"top_k", "repeat_last_n", "num_predict", "seed"})
MOST_REPLIES = 100
_GUARDS = ("normal", "strict")
_LONGEST_INSTRUCTION = 2_000
OTHER_TABLES = ("accurate_stage", "model_stage", "character_judge")
"""Read by the modules of these names."""
_KEYS = frozenset({"instruction", "options", "memory", "model", "guard", "remind_every"})


def load_profiles(path: Path) -> Mapping[Route, RouteProfile]:
    """Return the profile of every route from a TOML file with one table for each.

    Raises:
        SettingsRejected: the file can't be read, or is wrong; one line for each problem.
    """
    return read_each(
        path, Route, "route", problems_of=_problems, made=_profile, beside=OTHER_TABLES
    )


def _profile(route: Route, table: Mapping[str, Any]) -> RouteProfile:
    return RouteProfile(
        route=route,
        instruction=table["instruction"].strip(),
        options=dict(table.get("options", {})),
        memory=MemoryPolicy(table.get("memory", MemoryPolicy.CONSTRAINTS)),
        model=table.get("model"),
        guard=table.get("guard", "normal"),
        remind_every=table.get("remind_every", 0),
    )


def _problems(table: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one route's table, a line each."""
    problems = [f"`{key}` is not a setting of a route" for key in table if key not in _KEYS]
    instruction = table.get("instruction")
    if not isinstance(instruction, str) or not instruction.strip():
        problems.append("`instruction` must be a text")
    elif len(instruction) > _LONGEST_INSTRUCTION:
        problems.append(f"`instruction` is longer than {_LONGEST_INSTRUCTION} characters")
    if table.get("memory", "all") not in list(MemoryPolicy):
        problems.append(f"`memory` must be one of {', '.join(MemoryPolicy)}")
    if table.get("guard", "normal") not in _GUARDS:
        problems.append(f"`guard` must be one of {', '.join(_GUARDS)}")
    every = table.get("remind_every", 0)
    if isinstance(every, bool) or not isinstance(every, int) or not 0 <= every <= MOST_REPLIES:
        problems.append(f"`remind_every` must be a whole number from 0 to {MOST_REPLIES}")
    model = table.get("model")
    if model is not None and not (isinstance(model, str) and 0 < len(model) <= 200):
        problems.append("`model` must be a model's name")
    options = table.get("options", {})
    if not isinstance(options, dict):
        return [*problems, "`options` must be a table"]
    for name, value in options.items():
        problems += option_problems(name, value)
    return problems


def option_problems(name: str, value: object) -> list[str]:
    """Return what is wrong with one sampling option, a line each."""
    bounds = _OPTIONS.get(name)
    if bounds is None:
        return [f"option `{name}` is unknown; known are {', '.join(sorted(_OPTIONS))}"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [f"option `{name}` must be a number"]
    if name in _WHOLE and not isinstance(value, int):
        return [f"option `{name}` must be a whole number"]
    if not bounds[0] <= value <= bounds[1]:
        return [f"option `{name}` must be from {bounds[0]} to {bounds[1]}"]
    return []

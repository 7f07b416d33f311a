"""Reads the settings, and says in one line each what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dotenv.parser import Original, parse_stream
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from bot.errors import SettingsRejected
from bot.settings.names import unknown_names
from bot.settings.sections import (
    CoreSettings,
    DiscordSettings,
    LimitSettings,
    OllamaSettings,
    OpsSettings,
    PlaySettings,
    RedisSettings,
)

PLAIN = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
}
"""What pydantic says in its own terms, for those who write settings, by its error type."""


class Settings:
    """All sections together."""

    __slots__ = ("core", "discord", "limits", "ollama", "ops", "play", "redis")

    def __init__(
        self,
        *,
        discord: DiscordSettings,
        ollama: OllamaSettings,
        redis: RedisSettings,
        ops: OpsSettings,
        play: PlaySettings,
        core: CoreSettings,
        limits: LimitSettings | None = None,
    ) -> None:
        self.discord = discord
        self.ollama = ollama
        self.redis = redis
        self.ops = ops
        self.play = play
        self.core = core
        self.limits = limits or LimitSettings()


SECTIONS: dict[str, type[BaseSettings]] = {
    "discord": DiscordSettings,
    "ollama": OllamaSettings,
    "redis": RedisSettings,
    "ops": OpsSettings,
    "play": PlaySettings,
    "limits": LimitSettings,
    "core": CoreSettings,
}

ENV_FILE = Path(".env")


def load_settings(env_file: Path | None = ENV_FILE) -> Settings:
    """Read settings from the environment, then from `env_file`.

    Raises:
        SettingsRejected: with one line for each wrong or unknown setting.
    """
    known = {name for section in SECTIONS.values() for name in names_of(section)}
    problems = unknown_names(set(os.environ) | _names_in(env_file), known)
    file = env_file if env_file and env_file.is_file() else None
    made: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        try:
            made[name] = section(_env_file=file)
        except ValidationError as error:
            problems += _lines(section, error)
    if problems:
        raise SettingsRejected(problems)
    return Settings(**made)


def _names_in(env_file: Path | None) -> set[str]:
    """Return the names that a settings file gives; only the usual one may be missing.

    Raises:
        SettingsRejected: the file can't be read, or a line of it says nothing.
    """
    if env_file is None or (env_file == ENV_FILE and not env_file.exists()):
        return set()
    try:
        with env_file.open(encoding="utf-8") as stream:
            found = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsRejected([f"{env_file}: can't be read: {reason}"]) from error
    wrong = [_line_of(each.original) for each in found if each.error]
    if wrong:
        raise SettingsRejected([f"{env_file}, line {line}: is no NAME=value" for line in wrong])
    return {each.key for each in found if each.key is not None}


def _line_of(text: Original) -> int:
    """Return the line of what is wrong: what the parser found begins with the empty ones above."""
    return text.line + text.string[: -len(text.string.lstrip())].count("\n")


def names_of(section: type[BaseSettings]) -> list[str]:
    """Return the environment names of a section's settings."""
    prefix = section.model_config.get("env_prefix", "")
    return [f"{prefix}{field}".upper() for field in section.model_fields]


def _lines(section: type[BaseSettings], error: ValidationError) -> list[str]:
    """Say what is wrong, one line a problem, without the value: it may be a secret."""
    prefix = section.model_config.get("env_prefix", "")
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = f"{prefix}{problem['loc'][0]}".upper() if problem["loc"] else ""
        message = problem["msg"].removeprefix("Value error, ")
        message = PLAIN.get(problem["type"], message.replace("Input should", "must"))
        lines.append(f"{name}: {message}" if name else message)
    return lines

"""Settings: one class a section, made once at start and passed down, never at import."""

from bot.settings.loading import ENV_FILE, SECTIONS, Settings, load_settings, names_of
from bot.settings.sections import (
    DEFAULT_OLLAMA,
    CoreSettings,
    DiscordSettings,
    LimitSettings,
    OllamaSettings,
    OpsSettings,
    PlaySettings,
    RedisSettings,
)

__all__ = [
    "DEFAULT_OLLAMA",
    "ENV_FILE",
    "SECTIONS",
    "CoreSettings",
    "DiscordSettings",
    "LimitSettings",
    "OllamaSettings",
    "OpsSettings",
    "PlaySettings",
    "RedisSettings",
    "Settings",
    "load_settings",
    "names_of",
]

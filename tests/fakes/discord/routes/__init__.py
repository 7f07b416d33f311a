"""What each REST route does, one module a room of the API."""

from __future__ import annotations

from importlib import import_module


def load() -> None:
    """Register every route; safe to call more than once."""
    for name in ("account", "channels", "messages", "webhooks", "responses", "commands", "emojis"):
        import_module(f"{__name__}.{name}")

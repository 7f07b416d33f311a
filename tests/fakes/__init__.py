"""Servers that stand in for Discord and Ollama."""

from typing import Final

PATIENCE: Final = 90.0
"""Seconds that a test waits for what must come. It guards against hanging and costs nothing when
all is well, so it allows for a machine that is many times slower than usual."""

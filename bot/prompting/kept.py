"""What is written once for each version of a persona, and used by every turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from bot.recent import Recent

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 256
"""Of more, the oldest goes."""


class Kept(Generic[K, V]):
    """Values by key, made when first asked for. Safe to use from any thread."""

    def __init__(self) -> None:
        self._values = Recent[K, V](MOST)
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key; make it if there is none."""
        with self._lock:
            if key in self._values:
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
        return value

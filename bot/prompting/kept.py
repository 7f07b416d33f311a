"""What is made once for each version of a persona, and used by every turn."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST_CHARACTERS: Final = 16 * 2**20
"""Room for the texts of a thousand ordinary personas, or a few of the largest."""


class Kept(Generic[K, V]):
    """Values by key, made when first asked for. Safe to use from any thread.

    When they are larger than `most` all together, those go that were not asked for longest: cards
    come and go, and a stranger's may be large.
    """

    def __init__(self, most: int, size: Callable[[V], int]) -> None:
        self._most = most
        self._size = size
        self._total = 0
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key; make it if there is none."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key in self._values:  # another thread was quicker
                return self._values[key]
            self._values[key] = value
            self._total += self._size(value)
            while self._total > self._most and len(self._values) > 1:
                self._total -= self._size(self._values.popitem(last=False)[1])
        return value

"""Messages that were heard and found not to be for us."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

KEPT: Final = 5000


class PassedOver:
    """Their ids, the latest of them.

    A gap is read from a little before it began. What was passed over there is not looked at
    again: since then a channel may have been set to answer everything.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[int, None] = OrderedDict()

    def add(self, message: int) -> None:
        """Remember a message, and forget the oldest."""
        self._ids[message] = None
        if len(self._ids) > KEPT:
            self._ids.popitem(last=False)

    def __contains__(self, message: int) -> bool:
        return message in self._ids

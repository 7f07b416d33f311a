"""Bounded label values: a stranger's text can neither name a time series nor multiply them."""

from __future__ import annotations

import re

OTHER = "other"
"""Stands for every value beyond the bound, or of a wrong form."""

NONE = "none"
"""Stands for a value that is absent, such as the route of a turn that was refused before."""

_FORM = re.compile(r"[A-Za-z0-9_./:@{}+ -]{1,96}")


class Vocabulary:
    """The values that one label may take: the known ones, then the first few newcomers."""

    def __init__(self, *known: str, limit: int = 64) -> None:
        self._words = {NONE, OTHER, *known}
        self._limit = len(self._words) + limit

    def word(self, value: str | None) -> str:
        """Return the value itself while there is room for it, else `other`; None is `none`."""
        if value is None or value == "":
            return NONE
        if value in self._words:
            return str(value)
        if len(self._words) >= self._limit or not _FORM.fullmatch(value):
            return OTHER
        self._words.add(str(value))
        return str(value)

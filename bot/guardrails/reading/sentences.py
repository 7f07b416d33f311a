"""The sentences of a normalised text."""

from __future__ import annotations

import re

SENTENCE_ENDS = re.compile(r"(?<=[!?…]) |(?<=[^\d]\.) |(?<=[。！？])")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; one without marks is a single one."""
    return [part for part in SENTENCE_ENDS.split(text) if part]

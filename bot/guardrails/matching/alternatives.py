"""The alternatives of a rule's pattern."""

from __future__ import annotations

import re

MARKS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*|[()|]", re.DOTALL)
"""What is escaped, a class, and what parts a pattern."""


def alternatives(pattern: str) -> list[str]:
    """Split a pattern at its outermost `|`: `a(b|c)|d` is `a(b|c)` or `d`."""
    parts, depth, start = [], 0, 0
    for mark in MARKS.finditer(pattern):
        if mark[0] in ("(", ")"):
            depth += 1 if mark[0] == "(" else -1
        elif mark[0] == "|" and depth == 0:
            parts.append(pattern[start : mark.start()])
            start = mark.end()
    return [*parts, pattern[start:]]

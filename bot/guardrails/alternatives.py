"""The alternatives of a rule's pattern."""

from __future__ import annotations


def alternatives(pattern: str) -> list[str]:
    """Split a pattern at its outermost `|`: `a(b|c)|d` is `a(b|c)` or `d`."""
    parts, depth, start, at, in_class = [], 0, 0, 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
        at += 1
    return [*parts, pattern[start:]]

"""Where a text is code on Discord, beyond doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator

TICKS = re.compile("`+")
FENCE = 3


def code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of code, with their backticks, in linear time.

    Clients disagree on odd backticks (escaped ones, code over several lines, runs of four); from
    the first of them on nothing counts as code, since what is taken for code keeps its links.
    """
    runs = [match.span() for match in TICKS.finditer(text)]
    closing = _closing([end - start for start, end in runs])
    at = 0
    while at < len(runs):
        start, end = runs[at]
        size, last = end - start, closing[at]
        if size == 1 and (last is None or _escaped(text, start)):
            at += 1  # an ordinary character
            continue
        if last is None or size > FENCE or _escaped(text, start):
            return
        ends, after = runs[last]
        inner = text[end:ends]
        if after - ends != size or not inner.strip() or (size < FENCE and "\n" in inner):
            return
        yield start, after
        at = last + 1


def _closing(sizes: list[int]) -> list[int | None]:
    """Return for each run of backticks the one that would close it; a fence takes a longer one."""
    closing: list[int | None] = [None] * len(sizes)
    later: dict[int, int] = {}
    for at in range(len(sizes) - 1, -1, -1):
        size = min(sizes[at], FENCE)
        closing[at] = later.get(size)
        later[size] = at
    return closing


def _escaped(text: str, at: int) -> bool:
    before = text[max(0, at - 50) : at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1

"""Where a text that goes on meets the text before it."""

from __future__ import annotations

from bot.delivery.small import small

LEAST_OVERLAP = 12
"""Characters that must be alike before they count as repeated."""
MOST_OVERLAP = 600
_OPEN_ENDS = ("-", "–", "—", "(", "[", "“", "„", "«", "/")
_JOINS = (",", ".", ";", ":", "!", "?", ")", "]", "…", "”", "»")


def joined(before: str, after: str) -> str:
    """Return a text and what goes on from it, without what the second repeats of the first."""
    before, after = before.rstrip(), _unrepeated(before.rstrip(), after.strip())
    if not after:
        return before
    if sum(line.lstrip().startswith("```") for line in before.split("\n")) % 2:
        return f"{before}\n{after}"
    if before.endswith(_OPEN_ENDS) or after.startswith(_JOINS):
        return before + after
    return f"{before} {after}"


def _unrepeated(before: str, after: str) -> str:
    """Return a continuation without the end of the old text that it begins with."""
    tail, said = small(before[-MOST_OVERLAP:]), small(after)
    for size in range(min(len(tail), len(said)), LEAST_OVERLAP - 1, -1):
        if said.startswith(tail[-size:]):
            return after[size:].lstrip()
    return after


def undecided(before: str, after: str) -> bool:
    """Whether a continuation, so far, may be nothing but a repetition of the old text's end."""
    tail, so_far = small(before.rstrip()[-MOST_OVERLAP:]), small(after.strip())
    return not so_far or (len(so_far) < len(tail) and so_far in tail)

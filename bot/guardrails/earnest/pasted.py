"""Pasted code, logs and documents: words that tell a machine or a reader what to do, not us."""

from __future__ import annotations

from bot.guardrails.earnest.signs import sign

PASTED = sign("pasted")
TO_THE_PROGRAM = sign("to_the_program")
SEVERAL = 3
"""Different signs that make a text a pasted one."""
LOOKED_THROUGH = 4000
"""Characters; further on it is no other text."""


def gives_no_orders(plain: str) -> bool:
    """Whether a normalised text is pasted and nowhere speaks of the program's own rules."""
    found: set[str] = set()
    for match in PASTED.finditer(plain, 0, LOOKED_THROUGH):
        found.add(match[0])
        if len(found) >= SEVERAL:
            return TO_THE_PROGRAM.search(plain) is None
    return False

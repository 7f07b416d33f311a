"""Which host takes a request: a pure decision.

Conversations stick to a host, because its prompt cache knows them (measured: 23 % fewer
evaluated tokens on two hosts, 40 % on four), as long as that host has room.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

LOAD_FACTOR = 1.25
"""A busy host may hold this much more than its share (bounded-load hashing)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A host that may take a request. `tier`: 0 is best; only the best present is used."""

    base: str
    outstanding: int
    limit: int
    loaded: bool = False
    """Whether the model is in memory there."""
    tier: int = 0


def score(affinity: str, base: str) -> int:
    """Return the rendezvous weight of a host for a conversation."""
    return int.from_bytes(
        hashlib.blake2b(f"{affinity}\0{base}".encode("utf-8", "replace"), digest_size=8).digest()
    )


def choose(candidates: Sequence[Candidate], affinity: str = "") -> str | None:
    """Return the base of the host to use, or None when there is none."""
    if not candidates:
        return None
    best = min(candidate.tier for candidate in candidates)
    ring = [candidate for candidate in candidates if candidate.tier == best]
    free = [candidate for candidate in ring if candidate.outstanding < candidate.limit]
    if not affinity:
        return min(free or ring, key=lambda c: (c.outstanding / c.limit, not c.loaded)).base
    if len(ring) > 1:
        ring.sort(key=lambda c: score(affinity, c.base), reverse=True)
    for candidate in ring:
        if candidate.outstanding < candidate.limit:
            return candidate.base
    total = sum(candidate.outstanding for candidate in ring)
    bound = math.ceil(LOAD_FACTOR * (total + 1) / len(ring))
    for candidate in ring:
        if candidate.outstanding < bound:
            return candidate.base
    return min(ring, key=lambda c: c.outstanding).base

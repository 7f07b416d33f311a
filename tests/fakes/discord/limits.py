"""Rate limits: one bucket per route and channel or webhook, and 50 calls a second over all.

The windows are fixed ones, as Discord's are: the first call opens a window, and when it has
passed the count starts anew.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from hashlib import blake2s

GLOBAL_LIMIT = 50
"""Calls a second of one bot, or of one address for calls without a token."""

BUCKETS: dict[str, tuple[int, float]] = {
    "send": (5, 5.0),
    "edit": (5, 5.0),
    "delete": (5, 1.0),
    "bulk-delete": (1, 3.0),
    "typing": (5, 5.0),
    "reaction": (1, 0.25),
    "history": (5, 1.0),
    "webhook-send": (5, 2.0),
    "webhook-edit": (5, 2.0),
    "webhooks": (5, 5.0),
    "thread": (50, 300.0),
    "commands": (20, 20.0),
}
"""Bucket → calls, seconds. A route without a bucket has only the global limit."""


@dataclass(slots=True)
class _Window:
    resets_at: float
    used: int = 0


@dataclass(slots=True, frozen=True)
class Refused:
    """A 429: when to come back, and which limit it was."""

    retry_after: float
    scope: str
    is_global: bool


class RateLimits:
    """Counts calls against Discord's limits."""

    def __init__(self, *, enabled: bool, global_limit: int = GLOBAL_LIMIT) -> None:
        self.enabled = enabled
        self.global_limit = global_limit
        self.global_seconds = 1.0
        self.buckets = dict(BUCKETS)
        self._windows: dict[tuple[str, str], _Window] = {}
        self._recent: dict[str, deque[float]] = {"bot": deque(), "address": deque()}

    def take(
        self, bucket: str | None, major: str, *, with_token: bool, exempt: bool
    ) -> tuple[Refused | None, dict[str, str]]:
        """Count one call; return the refusal, if any, and the answer's headers."""
        if not self.enabled:
            return None, {}
        now = time.monotonic()
        if not exempt and (refused := self._take_global(now, "bot" if with_token else "address")):
            return refused, {}
        if bucket is None or bucket not in self.buckets:
            return None, {}
        limit, seconds = self.buckets[bucket]
        window = self._windows.get((bucket, major))
        if window is None or window.resets_at <= now:
            window = self._windows[bucket, major] = _Window(now + seconds)
            if len(self._windows) > 10_000:
                self._windows = {k: w for k, w in self._windows.items() if w.resets_at > now}
        refused = None
        if window.used >= limit:
            refused = Refused(round(window.resets_at - now + 0.001, 3), "user", False)
        else:
            window.used += 1
        return refused, self._headers(bucket, limit, window, now)

    def _take_global(self, now: float, who: str) -> Refused | None:
        recent = self._recent[who]
        while recent and recent[0] <= now - self.global_seconds:
            recent.popleft()
        if len(recent) >= self.global_limit:
            return Refused(round(recent[0] + self.global_seconds - now + 0.001, 3), "global", True)
        recent.append(now)
        return None

    @staticmethod
    def _headers(bucket: str, limit: int, window: _Window, now: float) -> dict[str, str]:
        left = max(0.0, window.resets_at - now)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(limit - window.used),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": blake2s(bucket.encode(), digest_size=12).hexdigest(),
        }

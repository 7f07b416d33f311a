"""What the memory tells whoever counts."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Fulfilled by `bot.observability.memory.MemoryMetrics`. No method raises or waits."""

    def recalled(self, seconds: float, *, outcome: str) -> None:
        """A retrieval ended: `found`, `nothing`, `off`, `late` or `failed`."""
        ...

    def stored(self, kind: str, count: int = 1) -> None: ...

    def evicted(self, kind: str, count: int = 1) -> None: ...

    def extracted(self, outcome: str) -> None:
        """An extraction ended: `learned`, `nothing`, `malformed`, `failed` or `dropped`."""
        ...

    def refused(self, reason: str) -> None: ...

    def denied(self, count: int) -> None:
        """So many items could not be used because of their scope."""
        ...

    def embedding_fallback(self, reason: str) -> None: ...

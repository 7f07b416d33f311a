"""Who hears what the hosts do."""

from __future__ import annotations

from typing import Protocol

from bot.adapters.ollama.breaker import BreakerState
from bot.ports import Finished


class PoolObserver(Protocol):
    """Hears what happens in the pool. `backend` is a base URL, `kind` an error's class name."""

    def first_token(self, backend: str, seconds: float) -> None: ...

    def finished(self, finished: Finished, estimated_reuse: float | None) -> None: ...

    def failed(self, backend: str, kind: str) -> None: ...

    def breaker(self, backend: str, state: BreakerState) -> None: ...

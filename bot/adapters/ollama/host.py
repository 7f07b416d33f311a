"""What the pool knows of one host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp

from bot.adapters.ollama.breaker import Breaker, BreakerState
from bot.adapters.ollama.placement import Candidate
from bot.adapters.ollama.slots import Slots
from bot.errors import BackendUnreachable

MAX_MODELS = 64
"""Models with slots of their own; idle ones are forgotten beyond this."""


def tagged(model: str) -> str:
    """Return the model's name with its tag: Ollama's default is `latest`."""
    return model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """One host as the readiness check, the doctor and the page show it."""

    url: str
    healthy: bool
    breaker: BreakerState
    loaded: tuple[str, ...]
    """Models in memory."""
    models: tuple[str, ...]
    """Models it could load."""
    outstanding: int
    """Requests there, or waiting in our queue for it."""
    version: str | None
    reason: str | None
    """Why it is not healthy."""


class Host:
    """One backend: its health as last seen, its breaker, and its slots for each model.

    A model has slots of its own, as in Ollama: a guard model never waits for chat streams that
    wait for its verdict.
    """

    def __init__(
        self,
        base: str,
        *,
        num_parallel: int,
        queue_limit: int,
        on_breaker: Callable[[str, BreakerState], None],
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.base = base
        self.breaker = Breaker(lambda state: on_breaker(base, state))
        self.healthy = False
        self.reason: str | None = "not asked yet"
        self.version: str | None = None
        self.models: frozenset[str] = frozenset()
        self.loaded: frozenset[str] = frozenset()
        self.warming: set[str] = set()
        self.capabilities: dict[str, frozenset[str]] = {}
        """By model, as far as the host was asked."""
        self.missed_polls = 0
        self.closed = False
        self._ends: set[Callable[[], None]] = set()
        self._on_lost = on_lost
        self._num_parallel = num_parallel
        self._queue_limit = queue_limit
        self._slots: dict[str, Slots] = {}

    def slots(self, model: str) -> Slots:
        """Return the slots of a model."""
        found = self._slots.get(model)
        if found is None:
            if len(self._slots) >= MAX_MODELS:
                self._slots = {m: s for m, s in self._slots.items() if s.outstanding}
            found = Slots(self._num_parallel, self._queue_limit, backend=self.base)
            self._slots[model] = found
        return found

    def learn(self, model: str, capabilities: frozenset[str]) -> None:
        """Remember what a model can do."""
        if len(self.capabilities) >= MAX_MODELS:
            self.capabilities.clear()
        self.capabilities[tagged(model)] = capabilities

    @property
    def outstanding(self) -> int:
        return sum(slots.outstanding for slots in self._slots.values())

    @property
    def waiting(self) -> int:
        return sum(slots.waiting for slots in self._slots.values())

    @property
    def usable(self) -> bool:
        """Whether requests go here. A half-open breaker counts: somebody must be the probe."""
        return self.healthy and self.breaker.state != "open"

    def candidate(self, model: str) -> Candidate:
        """Return what placement needs to know of this host.

        Tiers: ready; healthy but still loading the model; without the model by its last list
        (it may have been pulled since); not healthy by its last check.
        """
        name = tagged(model)
        if not self.healthy:
            tier = 3
        elif name not in self.models:
            tier = 2
        else:
            tier = 1 if name in self.warming else 0
        return Candidate(
            self.base,
            self.slots(model).outstanding,
            self._num_parallel,
            loaded=name in self.loaded,
            tier=tier,
        )

    def away(self, reason: str) -> None:
        """Note that the host failed its health check."""
        self.healthy, self.reason = False, reason

    def lost(self, error: BackendUnreachable) -> None:
        """Note that a request got no answer: the next health check comes at once.

        A refused connection is a failed check in itself, for a restart may be over before the
        next one; a reset is not, for a host may reset its chats and answer its checks.
        """
        self.breaker.failed()
        self.missed_polls += isinstance(error.__cause__, aiohttp.ClientConnectorError)
        self.away(str(error))
        self._on_lost()

    @contextmanager
    def ended_by(self, end: Callable[[], None]) -> Iterator[None]:
        """While this lasts, closing the pool calls `end`, which breaks off what is waited for."""
        self._ends.add(end)
        try:
            yield
        finally:
            self._ends.discard(end)

    def hang_up(self) -> None:
        """Break off everything that runs here. aiohttp would let its readers wait on."""
        self.closed = True
        for end in list(self._ends):
            end()

    def status(self) -> BackendStatus:
        return BackendStatus(
            url=self.base,
            healthy=self.healthy,
            breaker=self.breaker.state,
            loaded=tuple(sorted(self.loaded)),
            models=tuple(sorted(self.models)),
            outstanding=self.outstanding,
            version=self.version,
            reason=self.reason,
        )

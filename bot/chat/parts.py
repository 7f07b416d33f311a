"""What every turn needs, made once by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.chat.character.judge import CharacterJudge
from bot.chat.place import GuildId, Place
from bot.chat.preparing.surroundings import Surroundings
from bot.chat.replying.summary import Summariser
from bot.chat.turn import Turn
from bot.creative.order import Tool
from bot.creative.profiles import ToolProfile
from bot.files.operator_files import Tables
from bot.guardrails import Guardrails
from bot.memory import Memory
from bot.observability import Metrics
from bot.personas.casting import Casting
from bot.personas.scenes import SceneLimits
from bot.ports import ChatModel, Clock, ConversationStore, ModelFacts, RateLimiter
from bot.prompting import TokenEstimator
from bot.routing.dispatch import Dispatcher
from bot.routing.profiles import RouteProfile
from bot.routing.route import Route
from bot.scheduling import FairQueue


async def lenient(place: Place) -> bool:
    """Judge no place more strictly than its routes ask for."""
    return False


def never(guild: GuildId | None, persona: str) -> bool:
    """Allow no persona's scripts."""
    return False


@dataclass(frozen=True, slots=True)
class Parts:
    """What a turn needs; made once by the composition root."""

    casting: Casting
    conversations: ConversationStore
    dispatcher: Dispatcher
    profiles: Tables[Route, RouteProfile]
    tools: Tables[Tool, ToolProfile]
    guardrails: Guardrails
    model: ChatModel
    queue: FairQueue
    limiter: RateLimiter
    estimator: TokenEstimator
    metrics: Metrics
    clock: Clock
    default_model: str
    num_ctx: int
    queue_timeout: float = 60.0
    """Seconds that a turn may wait for a slot before the person is told to come back."""
    scripts_allowed: Callable[[GuildId | None, str], bool] = never
    """Whether a guild lets a persona's regex scripts rewrite its replies, and what the model sees
    of them."""
    strict: Callable[[Place], Awaitable[bool]] = lenient
    """Whether replies in a place are judged as strictly as possible."""
    scene_limits: SceneLimits = field(default_factory=SceneLimits)
    memory: Memory | None = None
    ahead: tuple[Callable[[Turn], Awaitable[None]], ...] = ()
    """What a turn will need later, begun together with the reading of its conversation."""
    meanwhile: tuple[Callable[[Turn], None], ...] = ()
    """What can be done for a turn by its message alone, while the database answers."""
    let_go: tuple[Callable[[Turn], None], ...] = ()
    """Lets go of that, for a turn that does not begin."""
    summaries: Summariser | None = None
    judge: CharacterJudge | None = None
    facts: ModelFacts | None = None
    around: Surroundings | None = None
    """Reads what people refer to; None where there is nothing to read."""
    channel_models: frozenset[str] = frozenset()
    """What a binding may choose, beside `default_model`."""


class Timer:
    """Seconds by stage."""

    def __init__(self, clock: Clock, timings: dict[str, float]) -> None:
        self._clock = clock
        self._timings = timings

    def stage(self, name: str) -> _Timed:
        """Time what is done inside."""
        return _Timed(self._clock, self._timings, name)


class _Timed:
    """A block that is timed."""

    __slots__ = ("_began", "_clock", "_name", "_timings")

    def __init__(self, clock: Clock, timings: dict[str, float], name: str) -> None:
        self._clock, self._timings, self._name = clock, timings, name

    def __enter__(self) -> None:
        self._began = self._clock.monotonic()

    def __exit__(self, *_: object) -> None:
        self._timings[self._name] = self._clock.monotonic() - self._began

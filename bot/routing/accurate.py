"""The accurate stage: the encoder's opinion where the table alone is not sure.

It costs some ten milliseconds of a core and 80 MiB of memory, so it is off unless
`personas/routes.toml` says `[accurate_stage] enabled = true`. It runs in a thread of its own, one
message at a time; whatever goes wrong, the table decides.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from bot.errors import SettingsRejected
from bot.files.operator_files import read_tables
from bot.routing.table import Scores

if TYPE_CHECKING:
    from bot.routing.encoder import Encoder

logger = structlog.get_logger(__name__)

SHIPPED_ENCODER: Final = Path(__file__).parent / "data" / "route.encoder"
SURE_ENOUGH: Final = 0.9
"""A decision this sure is not looked at again."""
DEADLINE_S: Final = 0.25
"""Seconds for an opinion, waiting for the thread included."""
_MOST_WAITING: Final = 4


class EncoderObserver(Protocol):
    """What is told about the stage."""

    def asked_encoder(self, seconds: float, outcome: str) -> None:
        """Note what came of a question: `answered`, `foreign`, `busy`, `deadline` or `failed`."""
        ...


class AccurateStage:
    """Asks the encoder off the event loop. Never raises, and never makes a message wait long."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        deadline_s: float = DEADLINE_S,
        observer: EncoderObserver | None = None,
    ) -> None:
        self._encoder = encoder
        self._deadline = deadline_s
        self._observer = observer
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="route-encoder")
        self._waiting = 0
        self._closed = False

    async def opinion(self, message: str) -> Scores | None:
        """Return the encoder's scores; None when it can't read the message or is too busy."""
        began = perf_counter()
        scores, outcome = await self._asked(message)
        if self._observer is not None:
            self._observer.asked_encoder(perf_counter() - began, outcome)
        return scores

    async def _asked(self, message: str) -> tuple[Scores | None, str]:
        if self._closed:
            return None, "failed"
        if self._waiting >= _MOST_WAITING:
            return None, "busy"
        self._waiting += 1
        asked = asyncio.get_running_loop().run_in_executor(
            self._thread, self._encoder.scores, message
        )
        asked.add_done_callback(self._answered)
        await asyncio.wait({asked}, timeout=self._deadline)
        if not asked.done():
            return None, "deadline"
        if asked.cancelled() or asked.exception() is not None:
            return None, "failed"
        scores = asked.result()
        return scores, "foreign" if scores is None else "answered"

    def close(self) -> None:
        """Give the thread back; from now on the table decides alone."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _answered(self, asked: asyncio.Future[Scores | None]) -> None:
        self._waiting -= 1
        if not asked.cancelled() and (error := asked.exception()) is not None:
            logger.error("the encoder failed", error=type(error).__name__)


def wants_accurate_stage(path: Path) -> bool:
    """Return whether the route profiles' file switches the stage on.

    Raises:
        SettingsRejected: `[accurate_stage]` is wrong.
    """
    table = read_tables(path).get("accurate_stage", {})
    if not isinstance(table, dict):
        raise SettingsRejected([f"{path.name}: [accurate_stage] must be a table"])
    problems = [f"`{key}` is not a setting of it" for key in table if key != "enabled"]
    enabled = table.get("enabled", False)
    if not isinstance(enabled, bool):
        problems.append("`enabled` must be true or false")
    if problems:
        raise SettingsRejected([f"{path.name}: [accurate_stage] {each}" for each in problems])
    return bool(enabled)


def open_accurate_stage(
    observer: EncoderObserver | None = None, weights: Path = SHIPPED_ENCODER
) -> AccurateStage | None:
    """Return the stage. Weights that are missing or damaged are logged: the table decides alone."""
    try:
        return AccurateStage(ready_encoder(weights), observer=observer)
    except SettingsRejected as error:
        logger.warning("accurate stage off", reason=error.problems[0])
        return None


def ready_encoder(weights: Path = SHIPPED_ENCODER) -> Encoder:
    """Return the encoder, warm, held to one core so that the event loop keeps the others.

    Raises:
        SettingsRejected: the extra `accurate` is not installed, or the weights are missing or
            damaged.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        problem = "the accurate stage needs the extra: pip install 'troupe-bot[accurate]'"
        raise SettingsRejected([problem]) from error
    from bot.routing.encoder import read_encoder  # brings numpy: only where it is wanted

    threadpool_limits(limits=1, user_api="blas")
    try:
        encoder = read_encoder(weights)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsRejected([f"accurate stage: {weights.name}: {reason}"]) from error
    encoder.scores("good morning")
    return encoder

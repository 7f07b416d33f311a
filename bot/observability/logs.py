"""Structured logs: JSON or console, a turn id on every line, no content, no secrets.

Lines are rendered where they are logged (the turn id lives in a context variable) and written by
a thread: a slow reader of stderr must not hold the event loop. When it is too slow, lines are
dropped and counted.
"""

from __future__ import annotations

import logging
import logging.handlers
import queue
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Literal, Self, TextIO, cast

import structlog

from bot.observability.redaction import redact, safe_traceback

QUEUE_LINES = 10_000

CAPPED = {
    # At DEBUG these log payloads, which hold people's texts.
    "discord": logging.INFO,
    "aiohttp": logging.INFO,
    "redis": logging.INFO,
    "ollama": logging.INFO,
    "asyncio": logging.WARNING,
    # At INFO these log the URL of every request.
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "aiohttp.access": logging.WARNING,
}
"""The least level of foreign loggers, whatever LOG_LEVEL says."""


def log_to_stderr() -> None:
    """Log plainly, by default: standard output is a command's answer."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


class LogOutput:
    """Owns the process's logging from `open` to `close`; also a context manager."""

    def __init__(
        self,
        level: str = "INFO",
        format: Literal["console", "json"] = "console",  # noqa: A002 - the setting's name
        stream: TextIO | None = None,
    ) -> None:
        self._level: int = logging.getLevelNamesMapping()[level]
        self._stream = stream or sys.stderr
        self._before: tuple[int, list[logging.Handler]] = (logging.WARNING, [])
        writer = logging.StreamHandler(self._stream)
        writer.setFormatter(logging.Formatter("%(message)s"))
        self._handler = _RenderThenQueue(_formatter(format, self._stream))
        self._listener = _Writer(self._handler.queue, writer)

    def open(self) -> None:
        """Route structlog and the standard library's loggers into this output."""
        root = logging.getLogger()
        self._before = root.level, list(root.handlers)
        root.handlers[:] = [self._handler]
        root.setLevel(self._level)
        for name, least in CAPPED.items():
            logging.getLogger(name).setLevel(max(least, self._level))
        logging.captureWarnings(True)
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                *_shared(),
                structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
            ],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=False,
        )
        self._listener.start()

    def close(self) -> None:
        """Write what is queued, then leave logging as it was."""
        root = logging.getLogger()
        level, root.handlers[:] = self._before
        root.setLevel(level)
        for name in CAPPED:
            logging.getLogger(name).setLevel(logging.NOTSET)
        logging.captureWarnings(False)
        self._listener.stop()
        structlog.reset_defaults()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def turn_logs(turn: str, **labels: str | int) -> AbstractContextManager[object]:
    """Put the turn's id, and small labels such as the route, on every line logged within."""
    return structlog.contextvars.bound_contextvars(turn=turn, **labels)


def tell_losses(lost: Callable[[int], None]) -> None:
    """Tell how many lines the process's log drops: those so far, and each from now on."""
    for each in logging.getLogger().handlers:
        if isinstance(each, _RenderThenQueue):
            each.tell(lost)


class _RenderThenQueue(logging.handlers.QueueHandler):
    """Renders in the caller's context; a full queue drops the line and counts it."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__(queue.Queue(QUEUE_LINES))
        self.setFormatter(formatter)
        self._lost: Callable[[int], None] | None = None
        self._untold = 0

    def tell(self, lost: Callable[[int], None]) -> None:
        self._lost = lost
        lost(self._untold)

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        line = self.format(record)
        return logging.LogRecord(record.name, record.levelno, "", 0, line, None, None)

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            if self._lost is None:
                self._untold += 1
            else:
                self._lost(1)


class _Writer(logging.handlers.QueueListener):
    """Writes the queue's lines from a thread; its end waits for room in a full queue."""

    def enqueue_sentinel(self) -> None:
        cast("queue.Queue[None]", self.queue).put(None)


def _shared() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(form: str, stream: TextIO) -> logging.Formatter:
    render: structlog.typing.Processor
    if form == "json":
        render = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        render = structlog.dev.ConsoleRenderer(colors=stream.isatty())
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(safe_traceback),
            redact,
            render,
        ],
    )

"""The playground's conversations: few, short-lived, one turn at a time each."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.errors import Busy, NotFound

MAX_SESSIONS = 200
MAX_TURNS = 16
"""Turns under way at once, over all sessions."""
IDLE_SECONDS = 2 * 3600.0


@dataclass(slots=True)
class _Session:
    used_at: float
    busy: bool = False


class Sessions:
    """Open conversations by their unguessable id."""

    def __init__(
        self, *, limit: int = MAX_SESSIONS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._open: dict[str, _Session] = {}
        self._turns = 0

    def open(self) -> tuple[str, list[str]]:
        """Return a new session's id, and the ids of those that had to go.

        Raises:
            Busy: every session is in the middle of a turn.
        """
        ident = secrets.token_urlsafe(16)
        return ident, self.adopt(ident)

    def adopt(self, ident: str) -> list[str]:
        """Open a session of this id, as of before a restart; return the ids of those that had to
        go.

        Raises:
            Busy: every session is in the middle of a turn.
        """
        gone = self._make_room()
        if len(self._open) >= self._limit:
            raise Busy("Too many conversations at once. Please try again in a minute.")
        self._open[ident] = _Session(self._monotonic())
        return gone

    def knows(self, ident: str) -> bool:
        """Whether a session is open."""
        return ident in self._open

    def use(self, ident: str) -> None:
        """Make sure that a session is open, and keep it so.

        Raises:
            NotFound: there is no such session, or it was idle for too long.
        """
        self._find(ident).used_at = self._monotonic()

    def _find(self, ident: str) -> _Session:
        session = self._open.get(ident)
        if session is None:
            raise NotFound("This conversation is over. Please start a new one.")
        return session

    @contextmanager
    def turn(self, ident: str) -> Iterator[None]:
        """Hold the session for one turn.

        Raises:
            NotFound: there is no such session, or it was idle for too long.
            Busy: a turn is under way in it, or too many are in others.
        """
        session = self._find(ident)
        if session.busy:
            raise Busy("One message at a time: please wait for the reply, or stop it.")
        if self._turns >= MAX_TURNS:
            raise Busy("Too many replies at once. Please try again in a moment.")
        session.busy = True
        self._turns += 1
        try:
            yield
        finally:
            session.busy = False
            session.used_at = self._monotonic()
            self._turns -= 1

    def _make_room(self) -> list[str]:
        """Close what was idle too long, and the longest idle one when all places are taken."""
        now = self._monotonic()
        idle = [i for i, s in self._open.items() if not s.busy]
        idle.sort(key=lambda ident: self._open[ident].used_at)
        gone = [i for i in idle if now - self._open[i].used_at > IDLE_SECONDS]
        if not gone and idle and len(self._open) >= self._limit:
            gone = idle[:1]
        for ident in gone:
            del self._open[ident]
        return gone

"""Every REST call of the bot goes through here, one budget for all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from math import inf

from discord.http import Route

from bot.delivery.pacing import GLOBAL_LIMIT, BucketKey, Learnt, Pacer, Priority, Rule, Ticket

_RULES = {
    "POST /channels/{channel_id}/messages": Rule(5, 5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": Rule(5, 5.0),
    "POST /channels/{channel_id}/typing": Rule(5, 5.0),
    "POST /webhooks/{webhook_id}/{webhook_token}": Rule(5, 2.0),
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": Rule(5, 5.0),
    "POST /interactions/{webhook_id}/{webhook_token}/callback": Rule(5, 0.0),
}
"""What is known of Discord's limits before the first answer tells."""
_UNKNOWN = Rule(1, 0.0)
"""One call at a time until an answer tells the limit, as discord.py does it."""

_priority: ContextVar[Priority | None] = ContextVar("troupe_call_priority", default=None)


@contextlib.contextmanager
def priority_of(priority: Priority) -> Iterator[None]:
    """Give every call that discord.py makes in this block a priority."""
    token = _priority.set(priority)
    try:
        yield
    finally:
        _priority.reset(token)


def bucket_of(route: Route) -> BucketKey:
    """Return what a route's limit is counted by."""
    return BucketKey(route.key, route.major_parameters)


def usual_priority(route: Route) -> Priority:
    """Return the priority of a call that nobody gave one."""
    given = _priority.get()
    if given is not None:
        return given
    if route.path.startswith("/interactions/"):
        return Priority.INTERACTION
    if route.path.endswith("/typing"):
        return Priority.TYPING
    if route.method == "GET":
        return Priority.LOOKUP
    return Priority.FINAL


class Throttle:
    """Grants calls in the order and at the times that the `Pacer` decides."""

    def __init__(self, places: int = GLOBAL_LIMIT) -> None:
        """`places`: this process's share of the bot's calls per second."""
        self._pacer = Pacer(places)
        self._futures: dict[Ticket, asyncio.Future[bool]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = False
        self.refusals = 0
        """429s met so far."""
        self.calls = 0
        """Calls granted so far."""
        self.on_refusal: Callable[[str], None] | None = None
        """Told the route of each 429."""
        self.on_call: Callable[[str, int, float], None] | None = None
        """Told the route, status (0 for no answer) and seconds of each call."""

    def ask(self, route: Route, priority: Priority) -> Ticket:
        """Queue a call; `granted` waits for it. Every ticket must be answered or given up."""
        rule = _RULES.get(route.key, _UNKNOWN)
        ticket = self._pacer.ask(self._now(), bucket_of(route), rule, priority)
        self._futures[ticket] = asyncio.get_running_loop().create_future()
        self._soon()
        return ticket

    async def granted(self, ticket: Ticket) -> bool:
        """Wait until the call may start. False when the ticket was given up meanwhile.

        Gives the ticket up itself when cancelled.
        """
        future = self._futures[ticket]
        try:
            return await future
        except asyncio.CancelledError:
            self.give_up(ticket)
            raise

    def promote(self, ticket: Ticket, priority: Priority) -> None:
        """Move a waiting call forward."""
        self._pacer.promote(ticket, priority)
        self._soon()

    def give_up(self, ticket: Ticket) -> None:
        """The call will not be made."""
        future = self._futures.pop(ticket, None)
        if future is not None and not future.done():
            future.set_result(False)
        self._pacer.give_up(self._now(), ticket)
        self._soon()

    def answered(self, ticket: Ticket, learnt: Learnt | None) -> None:
        """The call is over."""
        self._futures.pop(ticket, None)
        self._pacer.answered(self._now(), ticket, learnt)
        self._soon()

    def refused(
        self, ticket: Ticket, retry_after: float, *, everywhere: bool, learnt: Learnt | None
    ) -> None:
        """Discord answered 429."""
        self.refusals += 1
        if self.on_refusal is not None:
            self.on_refusal(ticket.key.route)
        self._futures.pop(ticket, None)
        self._pacer.refused(self._now(), ticket, retry_after, everywhere=everywhere, learnt=learnt)
        self._soon()

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return self._pacer.waiting

    def wait(self, ticket: Ticket) -> float:
        """Return the seconds until a call may start, at the least."""
        now = self._now()
        return self._pacer.due(now, ticket) - now

    def pressure(self) -> float:
        """Return how full the budget is, from 0 to 1."""
        return self._pacer.pressure(self._now())

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _soon(self) -> None:
        """Grant once per turn of the event loop, however many things happened in it."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._grant)

    def _grant(self) -> None:
        self._due = False
        granted, wake = self._pacer.grant(self._now())
        for ticket in granted:
            self.calls += 1
            future = self._futures.get(ticket)
            if future is not None and not future.done():
                future.set_result(True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wake < inf:
            self._timer = asyncio.get_running_loop().call_at(wake, self._grant)

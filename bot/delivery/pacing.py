"""When may the next call go out? Pure scheduling: time comes in, decisions come out.

Discord counts calls as they arrive, and we only know that a call arrived somewhere between its
start and its answer. So a call holds its place from its start until one period after its answer:
however the network bunches calls, no window of that period ever sees more than the limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import ceil, inf

GLOBAL_LIMIT = 49
"""Calls per second for the whole bot: one less than Discord's 50 ("Rate Limits")."""
EDIT_SPACING = 1.25
"""Seconds between two edits of a reply, at the least: one that is alone leaves a place of its
bucket for its end."""
IDLE_BUCKETS = 512
"""Buckets kept before those without a call in their period are forgotten."""


class Priority(IntEnum):
    """What goes first when calls compete."""

    INTERACTION = 0
    """Three seconds, or the person sees "Interaction failed"."""
    FINAL = 1
    """The end of a reply, and notices."""
    FIRST = 2
    """The first visible text of a reply."""
    LOOKUP = 3
    """What other calls wait for, such as a channel's webhooks."""
    EDIT = 4
    """Text in between: worth nothing once there is a newer one."""
    TYPING = 5
    TIDY = 6
    """Taking buttons off earlier replies: nobody waits for it."""


_SHARES = {
    Priority.INTERACTION: 1.0,
    Priority.FINAL: 1.0,
    Priority.FIRST: 1.0,
    Priority.LOOKUP: 0.9,
    Priority.EDIT: 0.6,
    Priority.TYPING: 0.35,
    Priority.TIDY: 0.25,
}
"""How much of the window a priority may fill: the rest is kept for those before it."""

_SPARE = {Priority.TYPING: 1, Priority.TIDY: 3}
"""Places of a bucket that are kept for ends of replies: two may end there within a moment."""


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` calls in any `period` seconds; period 0 limits calls in flight only."""

    limit: int
    period: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """What an answer said about its bucket. `reset_after` is in seconds."""

    limit: int
    remaining: int
    reset_after: float
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class BucketKey:
    """A route's template, and the channel, guild or webhook that its limit is counted for."""

    route: str
    major: str


class Window:
    """Places that are held from a call's start until one period after its answer."""

    __slots__ = ("_ends", "in_flight", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.in_flight = 0
        self._ends: deque[float] = deque()

    def held(self, now: float) -> int:
        """Return how many places are taken."""
        while self._ends and self._ends[0] <= now:
            self._ends.popleft()
        return self.in_flight + len(self._ends)

    def free_at(self, now: float, places: int) -> float:
        """Return when fewer than `places` are taken; `inf` if only an answer can tell."""
        excess = self.held(now) - places
        if excess < 0:
            return now
        return self._ends[excess] if excess < len(self._ends) else inf

    def start(self) -> None:
        self.in_flight += 1

    def answered(self, now: float) -> None:
        self.in_flight -= 1
        if self.rule.period > 0:
            self._ends.append(now + self.rule.period)


class Line:
    """How many wait before whom. Who leaves out of turn lets those before it seem nearer."""

    __slots__ = ("_entered", "_left")

    def __init__(self) -> None:
        self._entered = self._left = 0

    def enter(self) -> int:
        """Return the place of somebody new."""
        self._entered += 1
        return self._entered - 1

    def leave(self) -> None:
        self._left += 1

    def ahead(self, place: int) -> int:
        return max(0, place - self._left)


class Bucket:
    """One of Discord's rate limits: our own count, corrected by what the answers say."""

    __slots__ = ("_closed_until", "_edited_at", "_remaining", "_reset_at", "_window", "edits")

    def __init__(self, rule: Rule) -> None:
        self._window = Window(rule)
        self.edits = Line()
        """The edits that wait for it."""
        self._edited_at = -inf
        self._remaining: int | None = None
        self._reset_at = 0.0
        self._closed_until = 0.0

    def free_at(self, now: float, *, spare: int = 0) -> float:
        """Return when a call may start, leaving `spare` places for more important ones."""
        if now < self._closed_until:
            return self._closed_until
        window = self._window
        told = self._remaining is not None and now < self._reset_at
        if told and window.in_flight >= (self._remaining or 0) - spare:
            return inf if window.in_flight else self._reset_at
        return window.free_at(now, max(1, window.rule.limit - spare))

    @property
    def pace(self) -> float:
        """Return the seconds between two edits that come evenly: those of several replies that
        came in a heap would have to wait for the next window together."""
        return self._window.rule.period / self._window.rule.limit

    def edit_at(self, now: float) -> float:
        """Return when an edit in between may start."""
        return max(self.free_at(now), self._edited_at + self.pace)

    def start(self, now: float, priority: Priority) -> None:
        self._window.start()
        if priority is Priority.EDIT:
            self._edited_at = now

    def answered(self, now: float, learnt: Learnt | None) -> None:
        if learnt is not None and learnt.limit > 0:
            self._window.rule = Rule(learnt.limit, self._period(learnt))
        self._window.answered(now)
        if learnt is None:
            return
        self._remaining = learnt.remaining
        self._reset_at = now + learnt.reset_after

    def _period(self, learnt: Learnt) -> float:
        """Return how long a call counts: the first one of a window is told the whole of it."""
        known = self._window.rule.period
        first = learnt.remaining == learnt.limit - 1 and learnt.reset_after > 0
        return learnt.reset_after if first and known > 0 else known

    def close(self, until: float) -> None:
        """Let nothing through before `until`: Discord said so."""
        self._closed_until = max(self._closed_until, until)

    def idle(self, now: float) -> bool:
        return self._window.held(now) == 0 and now >= max(self._closed_until, self._reset_at)


@dataclass(slots=True, eq=False)
class Ticket:
    """A wish to make one call."""

    key: BucketKey
    priority: Priority
    bucket: Bucket = field(repr=False)
    place: int = 0
    """An edit's place among all edits that wait."""
    place_in_bucket: int = 0
    state: str = "waiting"
    """`waiting`, `granted`, or `over`."""


class Pacer:
    """The one budget of all calls. Feed it events, then ask `grant` what may start."""

    def __init__(self, places: int = GLOBAL_LIMIT) -> None:
        """`places` is this process's share of the bot's calls per second."""
        self._window = Window(Rule(max(1, places), 1.0))
        self._places = {p: max(1, ceil(share * places)) for p, share in _SHARES.items()}
        self._queues: dict[Priority, deque[Ticket]] = {p: deque() for p in Priority}
        self._buckets: dict[BucketKey, Bucket] = {}
        self._edits = Line()
        self._hashes: dict[str, str] = {}
        self._paused_until = 0.0

    def ask(self, now: float, key: BucketKey, rule: Rule, priority: Priority) -> Ticket:
        """Queue a call. `rule` is what its bucket is taken for until answers tell more."""
        ticket = Ticket(key, priority, self._bucket(now, key, rule))
        if priority is Priority.EDIT:
            ticket.place = self._edits.enter()
            ticket.place_in_bucket = ticket.bucket.edits.enter()
        self._queues[priority].append(ticket)
        return ticket

    def promote(self, ticket: Ticket, priority: Priority) -> None:
        """Move a waiting ticket forward: its text became more important."""
        if ticket.state == "waiting" and priority < ticket.priority:
            self._leaves(ticket)
            ticket.priority = priority
            self._queues[priority].append(ticket)

    def give_up(self, now: float, ticket: Ticket) -> None:
        """The call will not be made."""
        if ticket.state == "granted":
            self.answered(now, ticket, None)
        elif ticket.state == "waiting":
            self._leaves(ticket)
        ticket.state = "over"

    def answered(self, now: float, ticket: Ticket, learnt: Learnt | None) -> None:
        """The call is over; `learnt` is what its answer said, if there was one."""
        if ticket.state != "granted":
            return
        ticket.state = "over"
        self._window.answered(now)
        ticket.bucket.answered(now, learnt)
        if learnt is not None and learnt.bucket:
            self._hashes[ticket.key.route] = learnt.bucket
            shared = BucketKey(learnt.bucket, ticket.key.major)
            self._buckets.setdefault(shared, ticket.bucket)

    def refused(
        self,
        now: float,
        ticket: Ticket,
        retry_after: float,
        *,
        everywhere: bool,
        learnt: Learnt | None = None,
    ) -> None:
        """Discord answered 429: nothing in the bucket, or nothing at all, before then."""
        self.answered(now, ticket, learnt)
        if everywhere:
            self._paused_until = max(self._paused_until, now + retry_after)
        else:
            ticket.bucket.close(now + retry_after)

    def grant(self, now: float) -> tuple[Sequence[Ticket], float]:
        """Return the tickets whose calls start now, and when to ask again at the latest.

        The time is `inf` when only a new ticket or an answer can change anything.
        """
        if now < self._paused_until:
            return (), self._paused_until
        granted: list[Ticket] = []
        wake = inf
        for priority, queue in self._queues.items():
            if queue:
                wake = min(wake, self._grant_from(now, priority, queue, granted))
        return granted, wake

    def due(self, now: float, ticket: Ticket) -> float:
        """Return when a waiting edit may start at the earliest, after those that came before."""
        bucket_at = ticket.bucket.edit_at(now)
        if bucket_at == inf:
            return now  # any answer may let it through
        places = self._places[Priority.EDIT]
        surplus = self._edits.ahead(ticket.place) + 1 - places + self._window.held(now)
        room_at = now + max(0, surplus) * self._window.rule.period / places
        before = ticket.bucket.edits.ahead(ticket.place_in_bucket)
        return max(bucket_at + before * ticket.bucket.pace, room_at)

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return sum(
            ticket.state == "waiting" and ticket.priority is priority
            for priority, queue in self._queues.items()
            for ticket in queue
        )

    def pressure(self, now: float) -> float:
        """Return how full the global window is, from 0 to 1."""
        return self._window.held(now) / self._window.rule.limit

    def _grant_from(
        self, now: float, priority: Priority, queue: deque[Ticket], granted: list[Ticket]
    ) -> float:
        """Grant what one queue may have now; return when it may have more."""
        places = self._places[priority]
        spare = _SPARE.get(priority, 0)
        wake = inf
        later: list[Ticket] = []
        while queue:
            room_at = self._window.free_at(now, places)
            if room_at > now:
                wake = min(wake, room_at)
                break
            ticket = queue.popleft()
            if ticket.state != "waiting" or ticket.priority is not priority:
                continue
            bucket = ticket.bucket
            even = priority is Priority.EDIT
            free_at = bucket.edit_at(now) if even else bucket.free_at(now, spare=spare)
            if free_at > now:
                wake = min(wake, free_at)
                later.append(ticket)
                continue
            ticket.state = "granted"
            self._leaves(ticket)
            self._window.start()
            bucket.start(now, priority)
            granted.append(ticket)
        queue.extendleft(reversed(later))
        return wake

    def _leaves(self, ticket: Ticket) -> None:
        if ticket.priority is Priority.EDIT:
            self._edits.leave()
            ticket.bucket.edits.leave()

    def _bucket(self, now: float, key: BucketKey, rule: Rule) -> Bucket:
        known = BucketKey(self._hashes.get(key.route, key.route), key.major)
        bucket = self._buckets.get(known)
        if bucket is None:
            if len(self._buckets) >= IDLE_BUCKETS:
                self._forget_idle(now)
            bucket = self._buckets[known] = Bucket(rule)
        return bucket

    def _forget_idle(self, now: float) -> None:
        wanted = {id(t.bucket) for queue in self._queues.values() for t in queue}
        self._buckets = {
            key: bucket
            for key, bucket in self._buckets.items()
            if id(bucket) in wanted or not bucket.idle(now)
        }

"""Who is served next: the order of a line, without clock, loop or slots.

Guilds share by start-time fair queueing (Goyal, Vin, Cheng 1996): each has a *tag*, the service it
has had divided by its weight, and the lowest tag goes first. A guild that was idle starts at the
present, so idleness earns no credit; one that was served keeps its tag, so coming and going earns
none either. Within a guild people go round, those who asked directly before all others.

A full line makes room at the expense of whoever takes most of it (longest queue drop, Suter et al.
1998), and of a direct question never for one that is not.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from math import ceil
from typing import Final

_TAGS: Final = 10_000
"""Tags of guilds with nobody waiting that are kept at most."""


class Urgency(IntEnum):
    """What a turn may displace; a lower one goes first."""

    DIRECT = 0
    """Somebody asked the bot: a mention, a reply, a direct message, a command."""
    AMBIENT = 1
    """Nobody did: a burst in an auto channel, a trigger word, a persona's cue."""


@dataclass(slots=True, eq=False)
class Waiter:
    """A turn in the line. `guild` is what shares: a guild's id, or a direct message's channel."""

    guild: Hashable
    person: Hashable
    urgency: Urgency = Urgency.DIRECT


@dataclass(slots=True)
class _Flow:
    """A guild's waiting turns by urgency and person, and its tag."""

    weight: float
    tag: float
    rounds: dict[Urgency, OrderedDict[Hashable, deque[Waiter]]] = field(
        default_factory=lambda: {urgency: OrderedDict() for urgency in Urgency}
    )
    size: int = 0

    def order(self) -> Iterator[Waiter]:
        """Yield the waiters as they would be served."""
        for people in self.rounds.values():
            lines = [list(line) for line in people.values()]
            for turn in range(max(map(len, lines), default=0)):
                yield from (line[turn] for line in lines if turn < len(line))

    def pop(self) -> Waiter:
        """Take out the next one; their person goes to the end of the round."""
        people = next(people for people in self.rounds.values() if people)
        person, line = next(iter(people.items()))
        waiter = line.popleft()
        if line:
            people.move_to_end(person)
        else:
            del people[person]
        self.size -= 1
        return waiter

    def newest(self, worst: Urgency) -> Waiter | None:
        """Return the last turn, of this urgency, of the person who has most of them waiting."""
        people = self.rounds[worst]
        if not people:
            return None
        return max(people.values(), key=len)[-1]


class FairLine:
    """The line. Costs grow with the guilds that wait, not with their turns; `place` is dearer."""

    def __init__(self, weight: Callable[[Hashable], float] = lambda _: 1.0) -> None:
        """`weight` tells a guild's share; twice the weight is served twice as often."""
        self._weight = weight
        self._flows: dict[Hashable, _Flow] = {}
        self._size = 0
        self._now = 0.0
        """The tag at which service has arrived (virtual time)."""
        self._past: OrderedDict[Hashable, float] = OrderedDict()
        """Tags of guilds with nobody waiting, as long as they lie ahead of the present."""

    def __len__(self) -> int:
        return self._size

    def add(self, waiter: Waiter) -> None:
        """Let a turn wait."""
        flow = self._flows.get(waiter.guild)
        if flow is None:
            tag = max(self._now, self._past.pop(waiter.guild, 0.0))
            flow = self._flows[waiter.guild] = _Flow(self._weight_of(waiter.guild), tag)
        flow.rounds[waiter.urgency].setdefault(waiter.person, deque()).append(waiter)
        flow.size += 1
        self._size += 1

    def remove(self, waiter: Waiter) -> bool:
        """Take a turn out, wherever it stands. False when it is not in the line."""
        line = self._find(waiter)
        if line is None:
            return False
        flow = self._flows[waiter.guild]
        line.remove(waiter)
        if not line:
            del flow.rounds[waiter.urgency][waiter.person]
        flow.size -= 1
        self._size -= 1
        self._tidy(waiter.guild, flow)
        return True

    def pop(self, passed_over: Callable[[Hashable], bool] = lambda _: False) -> Waiter | None:
        """Take out who is served next, and charge their guild; None when nobody can be.

        Guilds that are `passed_over` wait for now, and lose nothing by it.
        """
        ready = (each for each in self._flows.items() if not passed_over(each[0]))
        guild, flow = min(ready, key=lambda each: each[1].tag, default=(None, None))
        if flow is None:
            return None
        self._now = max(self._now, flow.tag)
        waiter = flow.pop()
        self._size -= 1
        flow.tag += 1.0 / flow.weight
        self._tidy(guild, flow)
        return waiter

    def charge(self, guild: Hashable, service: float) -> None:
        """Add to what a guild has had: 1.0 is an average turn. Negative takes some back."""
        flow = self._flows.get(guild)
        if flow is not None:
            flow.tag = max(self._now, flow.tag + service / flow.weight)
            return
        tag = max(self._now, self._past.pop(guild, 0.0)) + service / self._weight_of(guild)
        self._remember(guild, tag)

    def place(self, waiter: Waiter) -> int:
        """Return where in the line a turn stands, from 1, if nobody else came."""
        mine = self._flows[waiter.guild]
        ahead = next(n for n, each in enumerate(mine.order()) if each is waiter)
        tag = mine.tag + ahead / mine.weight
        others = (flow for flow in self._flows.values() if flow is not mine)
        before = sum(
            min(flow.size, max(0, ceil((tag - flow.tag) * flow.weight))) for flow in others
        )
        return ahead + before + 1

    def victim(self, newcomer: Waiter) -> Waiter | None:
        """Return who gives way to a newcomer in a full line; None when it is the newcomer.

        It is the last ambient turn of the guild with the largest share of the line; a direct one
        only when there is none, the newcomer is direct, and its guild takes less of the line.
        """
        shares = {guild: flow.size / flow.weight for guild, flow in self._flows.items()}
        own = shares.get(newcomer.guild, 0.0) + 1.0 / self._weight_of(newcomer.guild)
        shares[newcomer.guild] = own
        for guild in sorted(shares, key=lambda each: shares[each], reverse=True):
            flow = self._flows.get(guild)
            found = flow.newest(Urgency.AMBIENT) if flow else None
            mine = guild == newcomer.guild
            if found is not None and (
                newcomer.urgency is Urgency.DIRECT or (not mine and shares[guild] > own)
            ):
                return found
        if newcomer.urgency is Urgency.AMBIENT:
            return None
        largest = max(shares, key=lambda each: shares[each])
        if shares[largest] <= own:
            return None
        return self._flows[largest].newest(Urgency.DIRECT)

    def idle(self) -> None:
        """Nobody waits and nothing runs: all tags may be forgotten."""
        if not self._flows:
            self._now = 0.0
            self._past.clear()

    def _find(self, waiter: Waiter) -> deque[Waiter] | None:
        flow = self._flows.get(waiter.guild)
        line = flow.rounds[waiter.urgency].get(waiter.person) if flow else None
        return line if line is not None and waiter in line else None

    def _weight_of(self, guild: Hashable) -> float:
        return max(0.01, self._weight(guild))

    def _tidy(self, guild: Hashable, flow: _Flow) -> None:
        if not flow.size:
            del self._flows[guild]
            self._remember(guild, flow.tag)

    def _remember(self, guild: Hashable, tag: float) -> None:
        """Keep a tag that lies ahead; those that service has passed mean nothing any more."""
        if tag > self._now:
            self._past[guild] = tag
            self._past.move_to_end(guild)
        while self._past and (
            len(self._past) > _TAGS or next(iter(self._past.values())) <= self._now
        ):
            self._past.popitem(last=False)

"""The load scene on a simulated clock: 200 people in 20 guilds, one guild 20 times as busy."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from bot.scheduling.line import Waiter
from bot.scheduling.turnstile import Turnstile

GUILDS, PEOPLE = 20, 10
SERVICE = (3.0, 5.0)
MEAN = sum(SERVICE) / 2


def seconds(slots: int) -> float:
    """Return how long a scene goes on: about as many questions whatever the number of slots."""
    return max(600.0, 9600.0 / slots)


@dataclass(order=True)
class Event:
    at: float
    number: int
    waiter: Waiter = field(compare=False)
    took: float = field(compare=False)
    is_over: bool = field(compare=False, default=False)


def questions(busy: float, slots: int, load: float) -> Iterator[Event]:
    """Yield what is asked. Guild 0 asks `busy` times as often; the others' questions are the
    same whatever it does. `load` is the share of the slots that all need when none is busy."""
    each = load * slots / MEAN / GUILDS
    for guild in range(GUILDS):
        chance = random.Random(guild)
        at = 0.0
        while (at := at + chance.expovariate(each * (busy if guild == 0 else 1))) < seconds(slots):
            waiter = Waiter(guild, chance.randrange(PEOPLE))
            yield Event(at, chance.getrandbits(60), waiter, chance.uniform(*SERVICE))


def answered(busy: float, slots: int, load: float) -> tuple[list[float], float]:
    """Return how long the other guilds' people waited for whole answers, sorted, and the share of
    the slots that was in use."""
    events = list(questions(busy, slots, load))
    heapq.heapify(events)
    stile = Turnstile()
    asked: dict[Waiter, Event] = {}
    waits: list[float] = []
    used = 0.0
    while events:
        event = heapq.heappop(events)
        if event.is_over:
            stile.over(event.waiter, event.took, event.at)
        else:
            asked[event.waiter] = event
            stile.enter(event.waiter)
        while (waiter := stile.admit(slots, event.at)) is not None:
            began = asked.pop(waiter)
            end = Event(event.at + began.took, began.number, waiter, began.took, is_over=True)
            heapq.heappush(events, end)
            used += began.took
            if waiter.guild != 0:
                waits.append(end.at - began.at)
    assert stile.running == 0
    return sorted(waits), used / (slots * seconds(slots))


def p95(values: list[float]) -> float:
    return values[int(0.95 * (len(values) - 1))]


SET_UPS = [
    (2, 0.5),
    (3, 0.5),
    (3, 0.7),
    (4, 0.5),
    (4, 0.7),
    (8, 0.5),
    (16, 0.7),
    (32, 0.7),
]


@pytest.mark.parametrize(("slots", "load"), SET_UPS)
def test_a_guild_twenty_times_as_busy_costs_the_others_a_fifth_at_most(
    slots: int, load: float
) -> None:
    calm, _ = answered(1, slots, load)
    flooded, used = answered(20, slots, load)
    assert len(flooded) == len(calm)  # nobody of them was turned away
    assert p95(flooded) <= 1.2 * p95(calm)
    assert used > 0.7  # and the slots are not kept idle for it


def test_of_two_slots_a_busy_guild_leaves_one_free_while_somebody_else_is_answered() -> None:
    stile = Turnstile()
    for second in range(120):  # one guild as much as the four others together
        for guild in ("busy", f"calm {second % 4}"):
            waiter = Waiter(guild, 1)
            stile.enter(waiter)
            assert stile.admit(2, float(second)) is waiter
            stile.over(waiter, 1.0, second + 0.9)
    other, own, later = Waiter("calm 0", 1), Waiter("busy", 1), Waiter("busy", 2)
    for waiter in (other, own):
        stile.enter(waiter)
    assert stile.admit(2, 120.0) is other
    assert stile.admit(2, 120.0) is None
    stile.over(other, 1.0, 121.0)
    assert stile.admit(2, 121.0) is own  # nothing else runs: a slot stays free
    stile.over(own, 1.0, 122.0)
    for waiter in (other, later):
        stile.enter(waiter)
    assert stile.admit(2, 400.0) is other
    assert stile.admit(2, 400.0) is later  # what was used long ago is forgotten


@pytest.mark.parametrize("slots", [1, 2, 16])
def test_a_guild_that_is_alone_gets_every_slot(slots: int) -> None:
    stile = Turnstile()
    for second in range(300):  # used heavily for minutes
        for person in range(slots):
            stile.enter(Waiter("alone", person))
        admitted = []
        while (waiter := stile.admit(slots, float(second))) is not None:
            admitted.append(waiter)
        assert len(admitted) == slots
        for waiter in admitted:
            stile.over(waiter, 1.0, second + 0.9)


def test_a_busy_person_does_not_keep_their_own_guild_waiting() -> None:
    stile = Turnstile()
    for _ in range(50):
        stile.enter(Waiter("g", "busy"))
    stile.enter(Waiter("g", "quiet"))
    first = [stile.admit(2, 0.0), stile.admit(2, 0.0)]
    assert {waiter.person for waiter in first if waiter} == {"busy", "quiet"}

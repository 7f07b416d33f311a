"""The one budget of all calls: Discord's limits hold however the calls come."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import defaultdict
from dataclasses import dataclass, field
from math import inf

import pytest

from bot.delivery.pacing import (
    EDIT_SPACING,
    BucketKey,
    Learnt,
    Pacer,
    Priority,
    Rule,
    Ticket,
)

EDIT = Rule(5, 5.0)
WIDE = Rule(1000, 1.0)
ANY = BucketKey("POST /anywhere", "1")


def key(channel: int, route: str = "PATCH message") -> BucketKey:
    return BucketKey(route, str(channel))


@dataclass
class Discord:
    """Answers calls after a while, and counts what arrived when."""

    pacer: Pacer
    latency: tuple[float, float] = (0.02, 0.2)
    now: float = 0.0
    arrivals: list[float] = field(default_factory=list)
    by_bucket: dict[BucketKey, list[float]] = field(default_factory=lambda: defaultdict(list))
    granted: list[tuple[float, Ticket]] = field(default_factory=list)
    _events: list[tuple[float, int, Ticket | None]] = field(default_factory=list)
    _count: int = 0

    def run(self, until: float, rng: random.Random) -> None:
        """Let time pass; every call arrives at a random moment before its answer."""
        wake = self._grant(rng)
        while True:
            answer = self._events[0][0] if self._events else inf
            due = min(answer, wake)
            if due > until:
                break
            self.now = max(self.now, due)
            if answer <= due:
                _, _, ticket = heapq.heappop(self._events)
                assert ticket is not None
                self.pacer.answered(self.now, ticket, None)
            wake = self._grant(rng)
        self.now = until

    def _grant(self, rng: random.Random) -> float:
        granted, wake = self.pacer.grant(self.now)
        for ticket in granted:
            takes = rng.uniform(*self.latency)
            arrival = self.now + rng.uniform(0, takes)
            self.arrivals.append(arrival)
            self.by_bucket[ticket.key].append(arrival)
            self.granted.append((self.now, ticket))
            self._count += 1
            heapq.heappush(self._events, (self.now + takes, self._count, ticket))
        return wake


def most_within(arrivals: list[float], seconds: float) -> int:
    """Return the most arrivals in any window of that length."""
    times = sorted(arrivals)
    most, start = 0, 0
    for end, at in enumerate(times):
        while at - times[start] >= seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


@pytest.mark.parametrize("seed", range(5))
def test_no_second_ever_sees_more_than_fifty_calls(seed: int) -> None:
    rng = random.Random(seed)
    discord = Discord(Pacer())
    for _ in range(400):
        discord.pacer.ask(0.0, ANY, WIDE, rng.choice(list(Priority)))
    discord.run(30.0, rng)
    assert len(discord.arrivals) == 400
    assert most_within(discord.arrivals, 1.0) <= 49


@pytest.mark.parametrize("seed", range(5))
def test_no_channel_ever_sees_more_than_its_limit(seed: int) -> None:
    rng = random.Random(seed)
    discord = Discord(Pacer())
    for channel in range(4):
        for _ in range(30):
            discord.pacer.ask(0.0, key(channel), EDIT, Priority.FINAL)
    discord.run(60.0, rng)
    assert len(discord.arrivals) == 120
    assert max(most_within(times, 5.0) for times in discord.by_bucket.values()) <= 5


def test_the_budget_is_used_up_and_not_saved() -> None:
    discord = Discord(Pacer(), latency=(0.08, 0.08))
    for _ in range(300):
        discord.pacer.ask(0.0, ANY, WIDE, Priority.FINAL)
    discord.run(6.6, random.Random(1))
    assert len(discord.arrivals) == 300  # 49 every 1.08 s


def test_the_end_of_a_reply_comes_before_everything_in_between() -> None:
    pacer = Pacer(10)
    edits = [pacer.ask(0.0, key(n), EDIT, Priority.EDIT) for n in range(20)]
    first = pacer.ask(0.0, ANY, WIDE, Priority.FIRST)
    final = pacer.ask(0.0, ANY, WIDE, Priority.FINAL)
    granted, _ = pacer.grant(0.0)
    assert granted[:2] == [final, first]
    assert sum(ticket in granted for ticket in edits) == 4  # up to 60 % of the window


def test_edits_leave_room_for_what_comes_later() -> None:
    pacer = Pacer(10)
    for channel in range(30):
        pacer.ask(0.0, key(channel), EDIT, Priority.EDIT)
    assert len(pacer.grant(0.0)[0]) == 6
    for _ in range(10):
        pacer.ask(0.0, ANY, WIDE, Priority.FINAL)
    assert len(pacer.grant(0.0)[0]) == 4


def test_typing_goes_only_when_there_is_room() -> None:
    pacer = Pacer(10)
    for _ in range(5):
        pacer.ask(0.0, ANY, WIDE, Priority.FINAL)
    typing = pacer.ask(0.0, ANY, WIDE, Priority.TYPING)
    granted, _ = pacer.grant(0.0)
    assert typing not in granted
    for ticket in granted:
        pacer.answered(0.1, ticket, None)
    assert pacer.grant(0.5)[0] == []
    assert pacer.grant(1.2)[0] == [typing]


def written_at_once(streams: int, rule: Rule, seconds: float) -> list[list[float]]:
    """Return when the edits of replies started that all began to be written at the same time."""
    pacer, latency, now = Pacer(), 0.08, 0.0
    waiting = {pacer.ask(0.0, key(1), rule, Priority.EDIT): n for n in range(streams)}
    edits: list[list[float]] = [[] for _ in range(streams)]
    answers: list[tuple[float, int, Ticket]] = []
    asks: list[tuple[float, int]] = []
    while now < seconds:
        for ticket in pacer.grant(now)[0]:
            stream = waiting.pop(ticket)
            edits[stream].append(now)
            heapq.heappush(answers, (now + latency, stream, ticket))
            heapq.heappush(asks, (now + EDIT_SPACING, stream))
        while answers and answers[0][0] <= now:
            pacer.answered(now, heapq.heappop(answers)[2], None)
        while asks and asks[0][0] <= now:
            waiting[pacer.ask(now, key(1), rule, Priority.EDIT)] = heapq.heappop(asks)[1]
        now += 0.005
    return edits


@pytest.mark.parametrize(
    ("streams", "rule", "seconds"),
    [
        (1, EDIT, 1.25),
        (2, EDIT, 2.0),  # 5 in 5 s allow no less
        (3, EDIT, 3.0),
        (5, EDIT, 5.0),
        (2, Rule(5, 2.0), 1.25),
        (3, Rule(5, 2.0), 1.25),
        (5, Rule(5, 2.0), 2.0),
    ],
)
def test_replies_that_share_a_limit_grow_evenly_and_as_often_as_it_permits(
    streams: int, rule: Rule, seconds: float
) -> None:
    edits = written_at_once(streams, rule, 40.0)
    gaps = [b - a for times in edits for a, b in itertools.pairwise(times)]
    assert max(gaps) < 1.06 * seconds  # and the way to Discord and back
    counts = [len(times) for times in edits]
    assert max(counts) - min(counts) <= 1


def test_a_reply_that_is_alone_leaves_a_place_for_its_end() -> None:
    (edits,) = written_at_once(1, EDIT, 40.0)
    assert most_within(edits, 5.0) == 4


def test_the_end_of_a_reply_comes_before_the_edits_of_others() -> None:
    pacer = Pacer()
    granted = [pacer.ask(0.0, key(1), EDIT, Priority.FINAL) for _ in range(5)]
    assert pacer.grant(0.0)[0] == granted
    edit = pacer.ask(0.0, key(1), EDIT, Priority.EDIT)
    final = pacer.ask(0.1, key(1), EDIT, Priority.FINAL)
    for ticket in granted:
        pacer.answered(0.1, ticket, None)
    assert pacer.grant(5.1)[0] == [final, edit]


def test_one_full_channel_does_not_hold_up_another() -> None:
    pacer = Pacer()
    for _ in range(9):
        pacer.ask(0.0, key(1), EDIT, Priority.FINAL)
    other = pacer.ask(0.0, key(2), EDIT, Priority.FINAL)
    granted, _ = pacer.grant(0.0)
    assert other in granted
    assert len(granted) == 6


def test_a_waiting_text_that_became_final_moves_forward() -> None:
    pacer = Pacer(1)
    ahead = pacer.ask(0.0, ANY, WIDE, Priority.FIRST)
    edit = pacer.ask(0.0, ANY, WIDE, Priority.EDIT)
    pacer.promote(edit, Priority.FINAL)
    assert pacer.grant(0.0)[0] == [edit]
    pacer.answered(0.1, edit, None)
    assert pacer.grant(1.2)[0] == [ahead]
    assert pacer.waiting == 0


def test_a_ticket_that_was_given_up_is_never_granted() -> None:
    pacer = Pacer()
    ticket = pacer.ask(0.0, ANY, WIDE, Priority.FINAL)
    pacer.give_up(0.0, ticket)
    assert pacer.grant(0.0)[0] == []


def test_a_granted_ticket_that_is_given_up_frees_its_place_after_the_period() -> None:
    pacer = Pacer(1)
    ticket = pacer.ask(0.0, ANY, WIDE, Priority.FINAL)
    pacer.grant(0.0)
    pacer.give_up(0.0, ticket)
    other = pacer.ask(0.0, ANY, WIDE, Priority.FINAL)
    assert pacer.grant(0.9)[0] == []
    assert pacer.grant(1.0)[0] == [other]


def test_a_global_refusal_stops_everything_for_a_while() -> None:
    pacer = Pacer()
    refused = pacer.ask(0.0, ANY, WIDE, Priority.FINAL)
    pacer.grant(0.0)
    pacer.refused(0.1, refused, 2.0, everywhere=True)
    again = pacer.ask(0.1, key(5), WIDE, Priority.INTERACTION)
    assert pacer.grant(1.0) == ((), 2.1)
    assert pacer.grant(2.1)[0] == [again]


def test_a_refusal_in_one_channel_stops_only_that_channel() -> None:
    pacer = Pacer()
    refused = pacer.ask(0.0, key(1), EDIT, Priority.FINAL)
    pacer.grant(0.0)
    pacer.refused(0.1, refused, 3.0, everywhere=False)
    again = pacer.ask(0.1, key(1), EDIT, Priority.FINAL)
    other = pacer.ask(0.1, key(2), EDIT, Priority.FINAL)
    assert pacer.grant(1.0) == ([other], 3.1)
    assert pacer.grant(3.1)[0] == [again]


def test_an_answer_that_says_nothing_is_left_closes_the_bucket_until_its_reset() -> None:
    pacer = Pacer()
    ticket = pacer.ask(0.0, key(1), EDIT, Priority.FINAL)
    pacer.grant(0.0)
    pacer.answered(0.1, ticket, Learnt(5, 0, 4.0))
    waiting = pacer.ask(0.2, key(1), EDIT, Priority.FINAL)
    assert pacer.grant(0.2) == ([], 4.1)
    assert pacer.grant(4.1)[0] == [waiting]


@pytest.mark.parametrize("seconds", [2.0, 5.0, 8.0])
def test_a_window_is_as_long_as_the_answer_to_its_first_call_says(seconds: float) -> None:
    pacer = Pacer()
    tickets = [pacer.ask(0.0, key(1), EDIT, Priority.FINAL) for _ in range(5)]
    pacer.grant(0.0)
    for used, ticket in enumerate(tickets, start=1):
        pacer.answered(0.1 * used, ticket, Learnt(5, 5 - used, seconds + 0.1 - 0.1 * used))
    waiting = pacer.ask(0.6, key(1), EDIT, Priority.FINAL)
    assert pacer.grant(seconds)[0] == []
    assert pacer.grant(seconds + 0.2)[0] == [waiting]


def test_taking_buttons_off_leaves_room_for_replies_to_end() -> None:
    pacer = Pacer()
    tidied = [pacer.ask(0.0, key(1), EDIT, Priority.TIDY) for _ in range(3)]
    assert pacer.grant(0.0)[0] == tidied[:2]
    ends = [pacer.ask(0.0, key(1), EDIT, Priority.FINAL) for _ in range(3)]
    assert pacer.grant(0.0)[0] == ends


def test_an_unknown_route_goes_one_by_one_until_its_limit_is_known() -> None:
    pacer = Pacer()
    unknown = Rule(1, 0.0)
    first, *rest = [pacer.ask(0.0, ANY, unknown, Priority.LOOKUP) for _ in range(4)]
    assert pacer.grant(0.0)[0] == [first]
    pacer.answered(0.1, first, Learnt(3, 2, 5.0))
    assert pacer.grant(0.1)[0] == rest[:2]


def test_routes_that_share_a_bucket_share_its_limit() -> None:
    pacer = Pacer()
    get, post = key(1, "GET webhooks"), key(1, "POST webhooks")
    for each in (get, post):
        ticket = pacer.ask(0.0, each, Rule(1, 0.0), Priority.LOOKUP)
        pacer.grant(0.0)
        pacer.answered(0.0, ticket, Learnt(2, 2, 5.0, bucket="shared"))
    one = pacer.ask(0.1, get, Rule(1, 0.0), Priority.LOOKUP)
    pacer.grant(0.1)
    pacer.answered(0.2, one, Learnt(2, 0, 4.0, bucket="shared"))
    pacer.ask(0.3, post, Rule(1, 0.0), Priority.LOOKUP)
    assert pacer.grant(0.3) == ([], 4.2)


def test_buckets_that_are_idle_are_forgotten() -> None:
    pacer = Pacer()
    for channel in range(2000):
        now = channel * 0.5
        ticket = pacer.ask(now, key(channel), EDIT, Priority.FINAL)
        pacer.grant(now)
        pacer.answered(now, ticket, None)
    assert len(pacer._buckets) <= 600

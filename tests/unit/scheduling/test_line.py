"""The order of the line: shares of guilds, rounds of people, who gives way, and nothing lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.scheduling.line import FairLine, Urgency, Waiter

DIRECT, AMBIENT = Urgency.DIRECT, Urgency.AMBIENT

waiters = st.builds(
    Waiter,
    guild=st.sampled_from("abcd"),
    person=st.integers(1, 4),
    urgency=st.sampled_from(Urgency),
)


def filled(*each: Waiter) -> FairLine:
    line = FairLine()
    for waiter in each:
        line.add(waiter)
    return line


def emptied(line: FairLine) -> list[Waiter]:
    order = []
    while (waiter := line.pop()) is not None:
        order.append(waiter)
    return order


@given(st.lists(waiters, max_size=40))
def test_everybody_is_served_once(crowd: list[Waiter]) -> None:
    line = filled(*crowd)
    assert len(line) == len(crowd)
    assert sorted(map(id, emptied(line))) == sorted(map(id, crowd))
    assert len(line) == 0


@given(st.lists(waiters, max_size=40))
def test_a_guild_is_never_served_twice_while_another_waits_in_vain(crowd: list[Waiter]) -> None:
    served = [waiter.guild for waiter in emptied(filled(*crowd))]
    left = {guild: served.count(guild) for guild in served}
    since: dict[object, int] = dict.fromkeys(left, 0)
    for guild in served:
        left[guild] -= 1
        since[guild] = 0
        for other in left:
            if other != guild and left[other]:
                since[other] += 1
                assert since[other] <= 2 * (len(left) - 1)


@given(st.lists(waiters, max_size=40))
def test_in_a_guild_the_direct_go_first_and_people_go_round(crowd: list[Waiter]) -> None:
    served = emptied(filled(*crowd))
    for guild in "abcd":
        own = [waiter for waiter in served if waiter.guild == guild]
        assert [w.urgency for w in own] == sorted(w.urgency for w in own)
        for urgency in Urgency:
            turns: dict[object, int] = {}
            rounds = []
            for waiter in own:
                if waiter.urgency is urgency:
                    turns[waiter.person] = turns.get(waiter.person, 0) + 1
                    rounds.append(turns[waiter.person])
            assert all(later >= earlier for earlier, later in pairwise(rounds))


@given(st.lists(waiters, max_size=30))
def test_the_place_that_is_told_is_the_place_that_is_had(crowd: list[Waiter]) -> None:
    line = filled(*crowd)
    told = {id(waiter): line.place(waiter) for waiter in crowd}
    for number, waiter in enumerate(emptied(line), 1):
        # Guilds with equal tags may come in either order.
        assert abs(told[id(waiter)] - number) <= len({each.guild for each in crowd})


@given(st.lists(waiters, min_size=1, max_size=40), waiters)
def test_a_direct_turn_never_gives_way_to_an_ambient_one(
    crowd: list[Waiter], newcomer: Waiter
) -> None:
    victim = filled(*crowd).victim(newcomer)
    if newcomer.urgency is AMBIENT:
        assert victim is None or victim.urgency is AMBIENT
    elif any(waiter.urgency is AMBIENT for waiter in crowd):
        assert victim is not None
        assert victim.urgency is AMBIENT
    if victim is not None and victim.urgency is newcomer.urgency:
        sizes = {guild: sum(w.guild == guild for w in crowd) for guild in "abcd"}
        assert sizes[str(victim.guild)] > sizes[str(newcomer.guild)]


def test_a_full_line_makes_room_at_the_expense_of_who_takes_most_of_it() -> None:
    crowd = [Waiter("busy", 1), Waiter("busy", 1), Waiter("busy", 2), Waiter("quiet", 3)]
    assert filled(*crowd).victim(Waiter("new", 9)) is crowd[1]
    assert filled(*crowd).victim(Waiter("busy", 9)) is None


def test_twice_the_weight_is_served_twice_as_often() -> None:
    line = FairLine(lambda guild: 2.0 if guild == "big" else 1.0)
    for person in range(6):
        line.add(Waiter("big", person))
        line.add(Waiter("small", person))
    first = [waiter.guild for waiter in emptied(line)[:6]]
    assert first.count("big") == 4


def test_a_guild_that_took_long_waits_longer() -> None:
    line = FairLine()
    line.charge("slow", 3.0)
    for person in range(3):
        line.add(Waiter("slow", person))
        line.add(Waiter("fast", person))
    assert [waiter.guild for waiter in emptied(line)] == ["fast"] * 3 + ["slow"] * 3


def test_coming_and_going_earns_nothing() -> None:
    line = filled(Waiter("old", 1))
    line.pop()
    line.add(Waiter("new", 2))
    line.add(Waiter("old", 1))
    assert [waiter.guild for waiter in emptied(line)] == ["new", "old"]


@given(st.lists(waiters, min_size=1, max_size=20), st.data())
def test_who_leaves_is_not_served(crowd: list[Waiter], data: st.DataObject) -> None:
    line = filled(*crowd)
    gone = data.draw(st.lists(st.sampled_from(crowd), unique_by=id))
    assert all(line.remove(waiter) for waiter in gone)
    assert not any(line.remove(waiter) for waiter in gone)
    assert {id(w) for w in emptied(line)} == {id(w) for w in crowd} - {id(w) for w in gone}

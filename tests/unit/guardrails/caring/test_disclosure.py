"""Being told that this is an AI: at first, at the legal intervals, and never as a nuisance."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest

from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.errors import StoreError
from bot.files.data_files import personas_dir
from bot.guardrails.caring.care import read_care
from bot.guardrails.caring.disclosure import Disclosures
from bot.guardrails.caring.risk import ProcessTrends, RiskState, advance, where_of

ANNA = UserId(1)
PLACE = Place(ChannelId(5), GuildId(7))
MINUTE = 60.0
CARE = read_care([personas_dir() / "care"])


class Person:
    """Somebody who talks, and is told what is due."""

    def __init__(self, *, minor: bool = False) -> None:
        self.trends = ProcessTrends()
        self.reasons: list[str] = []
        self.disclosures = Disclosures(lambda: CARE, self.trends, self.reasons.append)
        self.minor = minor

    async def talks(
        self, now: float, *, told: bool = False, grave: bool = False
    ) -> tuple[str, str] | None:
        """Say something at `now`; return reason and line of what is under the reply."""
        state = RiskState.of(await self.trends.load(ANNA, where_of(PLACE)))
        state = advance(state, now, weight=0.0, dependency=0.0)
        numbers = dict(state.as_numbers)
        if self.minor:
            numbers["minor_until"] = now + 1e6
        await self.trends.save(ANNA, where_of(PLACE), numbers)
        due = await self.disclosures.due(ANNA, PLACE, None, now, turn="1", told=told, grave=grave)
        if due is None:
            return None
        await self.disclosures.said(due, ANNA, PLACE, now)
        return due.reason, due.line

    async def talks_for(self, hours: float, every: float = 10 * MINUTE) -> list[tuple[float, str]]:
        """Talk on; return the minutes at which something was due, and why."""
        found = []
        for step in range(int(hours * 3600 / every) + 1):
            if due := await self.talks(1e9 + step * every):
                found.append((step * every / 60, due[0]))
        return found


async def test_the_first_reply_says_what_speaks() -> None:
    assert await Person().talks(1e9) == ("first", CARE.words(None).first_contact)


async def test_of_two_first_replies_at_once_one_says_it() -> None:
    told = Person().disclosures
    first = await told.due(ANNA, PLACE, None, 1e9, turn="1")
    assert first is not None
    assert await told.due(ANNA, PLACE, None, 1e9, turn="2") is None
    again = await told.due(ANNA, PLACE, None, 1e9, turn="1")  # as after a crash
    assert again == first


async def test_it_is_said_once_to_who_comes_and_goes() -> None:
    anna = Person()
    await anna.talks(1e9)
    for day in (1, 2, 3):
        assert await anna.talks(1e9 + day * 86_400) is None


async def test_a_long_talk_is_reminded_within_three_hours_each_time() -> None:
    due = await Person().talks_for(10)
    times = [0.0, *(at for at, _ in due)]
    assert due[0] == (0, "first")
    assert due[1] == (60, "break")
    assert all(later - at <= 180 for at, later in pairwise(times))
    assert [reason for _, reason in due[2:]] == ["legal"] * (len(due) - 2)
    assert len(due) <= 5  # and no oftener


async def test_who_writes_now_and_then_all_day_is_reminded_too() -> None:
    due = await Person().talks_for(20, every=31 * MINUTE)
    times = [at for at, _ in due]
    assert [reason for _, reason in due] == ["first", *["legal"] * (len(due) - 1)]
    assert all(later - at <= 180 + 31 for at, later in pairwise([*times, 20 * 60.0]))


async def test_a_minor_is_reminded_every_hour() -> None:
    due = await Person(minor=True).talks_for(5)
    assert [at for at, _ in due] == [0, 60, 120, 180, 240, 300]


async def test_forty_turns_without_a_pause_suggest_a_break() -> None:
    due = await Person().talks_for(0.75, every=MINUTE)
    assert [reason for _, reason in due] == ["first", "break"]


async def test_nobody_in_need_is_sent_away_for_a_break() -> None:
    anna = Person()
    await anna.talks(1e9)
    for step in range(1, 7):
        assert await anna.talks(1e9 + step * 10 * MINUTE, grave=True) is None
    reason, line = await anna.talks(1e9 + 61 * MINUTE) or ("", "")
    assert (reason, line) == ("break", CARE.words(None).reminder)


async def test_what_the_reply_says_itself_counts_and_is_not_said_twice() -> None:
    anna = Person()
    assert await anna.talks(1e9, told=True) == ("asked", "")
    assert await anna.talks(1e9 + MINUTE) is None
    assert anna.reasons == ["asked"]


async def test_a_reply_in_whose_place_the_truth_was_put_says_it_once() -> None:
    anna = Person()
    truth = CARE.words("de").disclosure
    due = await anna.disclosures.due(ANNA, PLACE, "en", 1e9, turn="1", text=f"{truth}\n\nGern.")
    assert due is not None
    assert (due.reason, due.line) == ("asked", "")


async def test_a_store_that_is_away_costs_nobody_the_reply() -> None:
    class Away(ProcessTrends):
        async def load(self, person: UserId, where: str) -> Mapping[str, float]:
            raise StoreError("away")

    reasons: list[str] = []
    disclosures = Disclosures(lambda: CARE, Away(), reasons.append)
    assert await disclosures.due(ANNA, PLACE, None, 1e9, turn="1") is None


@pytest.mark.parametrize("locale", [None, "de", "pt-BR", "xx", "\0" * 9])
async def test_every_locale_is_told_something(locale: str | None) -> None:
    disclosures = Disclosures(lambda: CARE, ProcessTrends(), lambda _: None)
    due = await disclosures.due(ANNA, PLACE, locale, 1e9, turn="1")
    assert due is not None
    assert due.line

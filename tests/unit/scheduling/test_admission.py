"""Who may talk to the bot, when, and how often."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.errors import InvalidChoice
from bot.personas.binding import (
    Binding,
    BindingLevel,
    BindingTarget,
    QuietHours,
    ResolvedBinding,
    resolve,
)
from bot.ports import BucketScope
from bot.routing.route import Route
from bot.scheduling.admission import (
    Barrier,
    buckets,
    checked_limit,
    checked_whom,
    quiet_hours,
    quiet_until,
    refusal,
)

HERE = Place(ChannelId(2), GuildId(9), category=ChannelId(3))
ANN = UserId(7)
DEFAULT = Binding(cast=dict.fromkeys(Route, "default"))


def bound(channel: Binding | None = None, guild: Binding | None = None) -> ResolvedBinding:
    found = {
        BindingTarget(BindingLevel.CHANNEL, GuildId(9), 2): channel,
        BindingTarget(BindingLevel.GUILD, GuildId(9), 9): guild,
    }
    return resolve(HERE, {t: b for t, b in found.items() if b is not None}, DEFAULT)


def at(time: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone)).timestamp()


def test_everybody_may_talk_where_nothing_is_set() -> None:
    assert refusal(bound(), ANN, (), 0.0) is None


@pytest.mark.parametrize(
    ("binding", "roles", "may"),
    [
        (Binding(allowed=("r5",)), (5,), True),
        (Binding(allowed=("r5",)), (6,), False),
        (Binding(allowed=("u7",)), (), True),
        (Binding(barred=("u7",)), (), False),
        (Binding(barred=("r5",)), (5, 6), False),
        (Binding(allowed=("r6",), barred=("r5",)), (5, 6), False),
    ],
)
def test_a_bar_is_stronger_than_a_permission(
    binding: Binding, roles: tuple[int, ...], may: bool
) -> None:
    found = refusal(bound(binding), ANN, roles, 0.0)
    assert (found is None) is may
    assert found is None or found.barrier is Barrier.NOT_ALLOWED


def test_an_empty_list_ends_one_that_would_be_inherited() -> None:
    assert refusal(bound(guild=Binding(allowed=("r5",))), ANN, (), 0.0) is not None
    assert refusal(bound(Binding(allowed=()), Binding(allowed=("r5",))), ANN, (), 0.0) is None


def test_quiet_hours_hold_over_midnight_in_their_own_zone() -> None:
    binding = bound(Binding(quiet=QuietHours(22 * 60, 7 * 60, "Europe/Berlin")))
    late = refusal(binding, ANN, (), at("2026-01-10T23:30", "Europe/Berlin"))
    assert late is not None
    assert late.barrier is Barrier.QUIET
    assert late.until == at("2026-01-11T07:00", "Europe/Berlin")
    assert refusal(binding, ANN, (), at("2026-01-10T21:30", "UTC")) is not None
    assert refusal(binding, ANN, (), at("2026-01-10T12:00", "Europe/Berlin")) is None


def test_equal_times_mean_never() -> None:
    assert quiet_until(QuietHours(0, 0), at("2026-01-10T00:00")) is None


@given(st.integers(0, 1439), st.integers(0, 1439), st.floats(0, 4e9))
def test_quiet_hours_end_within_a_day(start: int, end: int, now: float) -> None:
    until = quiet_until(QuietHours(start, end), now)
    assert until is None or now < until <= now + 86_400


@pytest.mark.parametrize(
    ("limits", "roles", "expected"),
    [
        ({"each": 5}, (), [("g9:2:u7", 5)]),
        ({"each": 5, "r1": 9, "r2": 3}, (1, 2), [("g9:2:u7", 9)]),
        ({"each": 5, "r1": 9, "u7": 2}, (1,), [("g9:2:u7", 2)]),
        ({"all:r1": 4}, (1,), [("g9:2:r1", 4)]),
        ({"all": 60, "all:r1": 4}, (2,), [("g9:2:all", 60)]),
        ({}, (1,), []),
    ],
)
def test_the_nearest_fitting_limit_counts(
    limits: dict[str, int], roles: tuple[int, ...], expected: list[tuple[str, int]]
) -> None:
    found = buckets(bound(Binding(limits=limits)), HERE, ANN, roles)
    assert [(bucket.name, bucket.rate.per_minute) for bucket in found] == expected


def test_a_server_s_limit_counts_in_all_its_channels_and_a_channel_s_in_it_alone() -> None:
    both = bound(Binding(limits={"each": 3}), Binding(limits={"all": 50, "each": 9}))
    names = {bucket.name: bucket.scope for bucket in buckets(both, HERE, ANN, ())}
    assert names == {"g9:2:u7": BucketScope.PERSON, "g9:9:all": BucketScope.GUILD}


def test_direct_messages_have_only_the_operator_s_limits() -> None:
    assert buckets(bound(Binding(limits={"each": 3})), Place(ChannelId(1)), ANN, ()) == ()


@pytest.mark.parametrize(
    ("start", "end", "zone", "hours"),
    [
        ("22:00", "7", "Europe/Berlin", QuietHours(1320, 420, "Europe/Berlin")),
        (" 0.30", "23h59 ", "", QuietHours(30, 1439, "UTC")),
    ],
)
def test_quiet_hours_are_read_as_people_write_them(
    start: str, end: str, zone: str, hours: QuietHours
) -> None:
    assert quiet_hours(start, end, zone) == hours


@settings(max_examples=40)
@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=80))
def test_anything_else_is_refused_in_words(start: str, end: str, zone: str) -> None:
    try:
        found = quiet_hours(start, end, zone)
    except InvalidChoice:
        pass  # any other error would be a bug
    else:
        assert 0 <= found.start < 1440
        assert 0 <= found.end < 1440


@pytest.mark.parametrize(
    "zone", ["../../etc/passwd", "/etc/localtime", "Mars/Base", "\0", "a" * 99]
)
def test_a_zone_that_is_a_path_is_no_zone(zone: str) -> None:
    with pytest.raises(InvalidChoice, match="time zone"):
        quiet_hours("1", "2", zone)


def test_lists_and_limits_are_bounded() -> None:
    assert checked_whom(["r1", "u2", "r1"]) == ("r1", "u2")
    for wrong in (["x1"], ["r"], ["r1;u2"], [f"r{n}" for n in range(26)]):
        with pytest.raises(InvalidChoice):
            checked_whom(wrong)
    checked_limit("all:r5", 1)
    for whom, count in (("all", 0), ("all", 601), ("all:u5", 5), ("guild", 5)):
        with pytest.raises(InvalidChoice):
            checked_limit(whom, count)

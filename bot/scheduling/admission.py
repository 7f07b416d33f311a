"""Who may talk to the bot at a place, when, and how often: pure decisions over a binding.

Somebody is a *whom*: `r<role id>` for everybody with a role, `u<user id>` for one person. Limits
know more: `all` counts the turns of everybody together, `each` those of each person, `r…` those of
each person with the role, `u…` those of that person, `all:r…` those of all with the role together.
A limit counts where it is set: one of a channel counts the channel's turns, one of a server all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.chat.place import Place, UserId
from bot.errors import InvalidChoice
from bot.personas.binding import QuietHours, ResolvedBinding, targets_of
from bot.ports import Bucket, BucketScope, Rate

MAX_WHOM: Final = 25
"""Roles and people on a list, and limits of a binding; also what a Discord select can hold."""
MAX_PER_MINUTE: Final = 600

WHOM: Final = re.compile(r"[ru]\d{1,20}")
LIMITED: Final = re.compile(r"all|each|[ru]\d{1,20}|all:r\d{1,20}")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])(?:[:.h]([0-5]\d))?")


class Barrier(StrEnum):
    """Why somebody gets no answer here."""

    NOT_ALLOWED = "not_allowed"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody gets no answer. `until` is unix seconds, for quiet hours; `zone` is theirs."""

    barrier: Barrier
    until: float = 0.0
    zone: str = ""


def refusal(
    binding: ResolvedBinding, person: UserId, roles: Collection[int], now: float
) -> Refusal | None:
    """Return why a person gets no answer now, or None. `now` is unix seconds."""
    mine = {f"u{person}", *(f"r{role}" for role in roles)}
    if mine.intersection(binding.barred):
        return Refusal(Barrier.NOT_ALLOWED)
    if binding.allowed and not mine.intersection(binding.allowed):
        return Refusal(Barrier.NOT_ALLOWED)
    if binding.quiet is not None and (end := quiet_until(binding.quiet, now)) is not None:
        return Refusal(Barrier.QUIET, end, binding.quiet.zone)
    return None


def quiet_until(hours: QuietHours, now: float) -> float | None:
    """Return when the quiet hours that hold now end, in unix seconds; None when none do."""
    local = datetime.fromtimestamp(now, zone_of(hours.zone))
    if not hours.holds(local.hour * 60 + local.minute):
        return None
    end = local.replace(hour=hours.end // 60, minute=hours.end % 60, second=0, microsecond=0)
    if end <= local:
        end += timedelta(days=1)
    return end.timestamp()


def buckets(
    binding: ResolvedBinding, place: Place, person: UserId, roles: Iterable[int]
) -> tuple[Bucket, ...]:
    """Return the token buckets, beside the operator's own, that a turn of a person takes from.

    For each person counts their own limit, else the most generous of their roles, else that of
    everybody.
    """
    if place.guild is None:
        return ()
    limits, held = binding.limits, sorted(f"r{role}" for role in roles)
    if not limits:
        return ()
    found = []

    def add(limit: str, whom: str, scope: BucketScope) -> None:
        name = f"g{place.guild}:{_where(binding, place, limit)}:{whom}"
        found.append(Bucket(name, rate(limits[limit]), scope))

    own = [limit for limit in (f"u{person}",) if limit in limits]
    by_role = sorted((limit for limit in held if limit in limits), key=lambda each: -limits[each])
    for_all = [limit for limit in ("each",) if limit in limits]
    for limit in [*own, *by_role, *for_all][:1]:
        add(limit, f"u{person}", BucketScope.PERSON)
    for role in held:
        if f"all:{role}" in limits:
            add(f"all:{role}", role, BucketScope.ROLE)
    if "all" in limits:
        add("all", "all", BucketScope.GUILD)
    return tuple(found)


def rate(per_minute: float) -> Rate:
    """Return the rate of a limit: half a minute's turns may come at once."""
    return Rate(burst=max(1, ceil(per_minute / 2)), per_minute=per_minute)


def _where(binding: ResolvedBinding, place: Place, limit: str) -> int:
    """Return the id of the channel, category or server that a limit was set for."""
    level = binding.origins.get(f"limits.{limit}")
    ids = {target.level: target.id for target in targets_of(place)}
    return ids.get(level, 0) if level is not None else 0


# ── checks of what people enter ─────────────────────────────────────────────────────────────


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def quiet_hours(start: str, end: str, zone: str) -> QuietHours:
    """Read quiet hours as people write them: `22:00`, `7`, `Europe/Berlin`.

    Raises:
        InvalidChoice: a time or the zone can't be read.
    """
    name = zone.strip()[:64] or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidChoice(
            "I don't know that time zone. Use a name such as Europe/Berlin or America/New_York."
        ) from error
    return QuietHours(_minute(start), _minute(end), name)


def _minute(text: str) -> int:
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise InvalidChoice("Write times of day such as 22:00 or 7:30.")
    return int(found[1]) * 60 + int(found[2] or 0)


def checked_whom(whom: Iterable[str]) -> tuple[str, ...]:
    """Return a list of roles and people, each once.

    Raises:
        InvalidChoice: too many of them, or one that is neither.
    """
    each = tuple(dict.fromkeys(whom))
    if len(each) > MAX_WHOM or not all(WHOM.fullmatch(one) for one in each):
        raise InvalidChoice("At most {most} roles and people can be listed.", most=MAX_WHOM)
    return each


def checked_limit(whom: str, per_minute: int) -> None:
    """Make sure that a limit can be kept.

    Raises:
        InvalidChoice: nobody is meant, or the number is out of bounds.
    """
    if not LIMITED.fullmatch(whom):
        raise InvalidChoice("A limit is for everybody, for each person, a role or one person.")
    if not 1 <= per_minute <= MAX_PER_MINUTE:
        raise InvalidChoice(
            "Give a number of replies a minute, from 1 to {most}.", most=MAX_PER_MINUTE
        )
